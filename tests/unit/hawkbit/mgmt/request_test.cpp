#include "hawkbit/mgmt/request.h"

#include <gtest/gtest.h>

namespace davit::mgmt {
namespace {

TEST(BasicAuth, EncodesUserAndPassword) {
    EXPECT_EQ(basic_auth("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617
    EXPECT_EQ(basic_auth("test", "123\u00A3"), "Basic dGVzdDoxMjPCow==");
    EXPECT_EQ(basic_auth("a", "b"), "Basic YTpi");
    EXPECT_EQ(basic_auth("", "\xff\xff"), "Basic Ov//");
}

TEST(NameAndVersionQuery, IsOneRsqlConditionWhateverTheNameHolds) {
    EXPECT_EQ(name_and_version_query("a", "1"), "q=name%3D%3D%22a%22%3Bversion%3D%3D%221%22");
    // name=="\"x";version=="\\"
    EXPECT_EQ(name_and_version_query("\"x", "\\"), "q=name%3D%3D%22%5C%22x%22%3Bversion%3D%3D%22%5C%5C%22");
}

}  // namespace
}  // namespace davit::mgmt
