#pragma once
/// What belongs to a connection on the bus, and must not outlive it.

#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace davit {

/// Tells when a connection that somebody depends on has gone. Listens only as long as there is something to lose: every
/// program that comes and goes would wake an idle agent. On the main thread; sdbus::Error when the bus refuses.
class Owners {
public:
    /// @param gone what is called for each thing that lost its owner, from the event loop
    Owners(sdbus::IConnection& connection, std::function<void(std::uint64_t thing)> gone)
        : connection_(connection), gone_(std::move(gone)) {}

    /// @p thing belongs to the connection @p name (":1.55").
    void owns(const std::string& name, std::uint64_t thing);
    /// It is gone by itself. Not from within `gone`.
    void forget(std::uint64_t thing) { matches_.erase(thing); }

private:
    sdbus::IConnection& connection_;
    std::function<void(std::uint64_t)> gone_;
    std::map<std::uint64_t, sdbus::Slot> matches_;
};

}  // namespace davit
