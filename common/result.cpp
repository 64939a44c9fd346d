#include "common/result.h"

#include <cerrno>
#include <format>
#include <system_error>

namespace davit {

std::string_view name(Code code) {
    switch (code) {
        case Code::InvalidInput:
            return "InvalidInput";
        case Code::NotFound:
            return "NotFound";
        case Code::AlreadyExists:
            return "AlreadyExists";
        case Code::NoSpace:
            return "NoSpace";
        case Code::Network:
            return "Network";
        case Code::Unauthorized:
            return "Unauthorized";
        case Code::Gone:
            return "Gone";
        case Code::Quota:
            return "Quota";
        case Code::ServerRefused:
            return "ServerRefused";
        case Code::Untrusted:
            return "Untrusted";
        case Code::Sequence:
            return "Sequence";
        case Code::PolicyRefused:
            return "PolicyRefused";
        case Code::Corrupt:
            return "Corrupt";
        case Code::AppFailed:
            return "AppFailed";
        case Code::Unsupported:
            return "Unsupported";
        case Code::Canceled:
            return "Canceled";
        case Code::Interrupted:
            return "Interrupted";
        case Code::System:
            return "System";
        case Code::Defect:
            return "Defect";
    }
    return "Defect";
}

std::optional<Code> code_named(std::string_view text) {
    for (int i = 0; i <= static_cast<int>(Code::Defect); ++i)
        if (name(static_cast<Code>(i)) == text) return static_cast<Code>(i);
    return std::nullopt;
}

Bucket bucket(Code code) {
    switch (code) {
        // Being asked to stop is no failure: the next start enters the same phase again.
        case Code::Canceled:
            return Bucket::RetrySoon;
        case Code::Network:
        case Code::Quota:
        case Code::Interrupted:
            return Bucket::RetryWithBackOff;
        // The same input gives the same answer: only another deployment can help.
        case Code::InvalidInput:
        case Code::NotFound:
        case Code::AlreadyExists:
        case Code::NoSpace:
        case Code::Gone:
        case Code::ServerRefused:
        case Code::Untrusted:
        case Code::Sequence:
        case Code::PolicyRefused:
        case Code::Corrupt:
        case Code::Unsupported:
            return Bucket::FailDeployment;
        // The device may already be changed: go back to what is known to work.
        case Code::AppFailed:
        case Code::System:
        case Code::Defect:
            return Bucket::FailAndRollBack;
        case Code::Unauthorized:
            return Bucket::WaitForOperator;
    }
    return Bucket::FailAndRollBack;
}

Error Error::in(std::string_view context) const {
    return {code, std::format("{}: {}", context, message)};
}

namespace {

Code code_of(int error_number) {
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
            return Code::NoSpace;
        case ENOENT:
            return Code::NotFound;
        case EEXIST:
            return Code::AlreadyExists;
        default:
            return Code::System;
    }
}

}  // namespace

Error system_error(std::string_view what, int error_number) {
    return {code_of(error_number), std::format("{}: {}", what, std::generic_category().message(error_number))};
}

}  // namespace davit
