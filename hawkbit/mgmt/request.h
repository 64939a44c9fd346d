#pragma once
/// What every request to the Management API is made of. Private to this room.

#include <string>
#include <string_view>

namespace davit::mgmt {

/// The value of the Authorization header: "Basic …". Built in memory, so that a password is on no command line.
std::string basic_auth(std::string_view user, std::string_view password);

// Queries `q=…` for entities of a name, percent-encoded. hawkBit compares without case and takes '*' for anything: the
// caller must compare again.
std::string name_query(std::string_view name);
std::string name_and_version_query(std::string_view name, std::string_view version);

}  // namespace davit::mgmt
