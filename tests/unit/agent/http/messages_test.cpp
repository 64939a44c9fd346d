#include "agent/http/messages.h"

#include <gmock/gmock.h>

#include "tests/unit/common/support.h"

namespace davit::http {
namespace {

using test::FailsWith;
using testing::HasSubstr;
using testing::Not;

TEST(Messages, AQuestionArrivesAsItWasAsked) {
    const Options options{.ca_file = "/etc/ca.pem",
                          .connect_timeout = std::chrono::milliseconds(1),
                          .total_timeout = std::chrono::milliseconds(2),
                          .user_agent = "davitd/1",
                          .max_body = 3};
    const Request request{.method = "POST",
                          .url = "http://host/a?b=\"c\"",
                          .headers = {"A: b", "C: d"},
                          .body = "line 1\nline 2 \xc3\xa9",
                          .timeout = std::chrono::milliseconds(4)};
    const auto line = to_line(options, request);
    EXPECT_THAT(line, Not(HasSubstr("\n")));

    const auto question = read_question(line).value();
    EXPECT_EQ(question.options.ca_file, options.ca_file);
    EXPECT_EQ(question.options.connect_timeout, options.connect_timeout);
    EXPECT_EQ(question.options.total_timeout, options.total_timeout);
    EXPECT_EQ(question.options.user_agent, options.user_agent);
    EXPECT_EQ(question.options.max_body, options.max_body);
    EXPECT_EQ(question.request.method, request.method);
    EXPECT_EQ(question.request.url, request.url);
    EXPECT_EQ(question.request.headers, request.headers);
    EXPECT_EQ(question.request.body, request.body);
    EXPECT_EQ(question.request.timeout, request.timeout);
}

TEST(Messages, WhatIsNotSaidStaysUnsaid) {
    const auto question = read_question(to_line(Options{}, Request{.url = "http://host"})).value();
    EXPECT_EQ(question.options.ca_file, std::nullopt);
    EXPECT_EQ(question.request.timeout, std::nullopt);
}

TEST(Messages, AnAnswerArrivesAsItWasGiven) {
    const Response response{.status = 404, .body = "{\n}", .headers = {{"etag", "\"x\""}}};
    const auto answer = read_answer(to_line(Result<Response>(response))).value();
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, "{\n}");
    EXPECT_EQ(answer.headers, response.headers);
}

TEST(Messages, BytesThatAreNoTextDoNotBreakTheLine) {
    const auto answer =
        read_answer(to_line(Result<Response>(Response{.status = 200, .body = "\xff\x00\n", .headers = {}})));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
}

TEST(Messages, AnErrorArrivesWithItsCode) {
    const Result<Response> error = fail(Code::Network, "connection refused");
    EXPECT_THAT(read_answer(to_line(error)), FailsWith(Code::Network, "connection refused"));
}

TEST(Messages, NonsenseIsADefect) {
    for (const auto* line : {"", "hello", "{}", "[]", R"({"response":{}})", R"({"response":{"status":"200"}})",
                             R"({"error":{"code":7}})", R"({"error":{"code":"NoSuchCode","message":"m"}})"}) {
        const auto answer = read_answer(line);
        ASSERT_FALSE(answer) << line;
        EXPECT_EQ(answer.error().code, Code::Defect) << line;
    }
    EXPECT_THAT(read_question(R"({"options":{}})"), FailsWith(Code::Defect, HasSubstr("options")));
}

}  // namespace
}  // namespace davit::http
