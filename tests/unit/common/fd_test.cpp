#include "common/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}
Fd open_null() {
    return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(Fd, ClosesItsDescriptorAtTheEndOfItsLife) {
    int number = -1;
    {
        const Fd fd = open_null();
        number = fd.get();
        ASSERT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesWithoutClosing) {
    Fd first = open_null();
    const int number = first.get();
    const Fd second = std::move(first);
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
}

TEST(Fd, ClosesTheOldDescriptorWhenItGetsANewOne) {
    Fd fd = open_null();
    const int old = fd.get();
    fd = open_null();
    EXPECT_FALSE(is_open(old));
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, KeepsItsDescriptorWhenSetToItself) {
    Fd fd = open_null();
    fd.reset(fd.get());
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, LeavesAReleasedDescriptorOpen) {
    Fd fd = open_null();
    const Fd other(fd.release());
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(other.get()));
}

}  // namespace
}  // namespace davit
