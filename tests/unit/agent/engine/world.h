#pragma once
/// A device with its disk, on which davitd can be started as often as a test likes.

#include <gtest/gtest.h>

#include "agent/engine/engine.h"
#include "tests/unit/agent/engine/fake_device.h"
#include "tests/unit/agent/matchers.h"
#include "tests/unit/agent/scratch.h"

namespace davit::test {

class World {
    Scratch scratch_;

public:
    const Path state = scratch_.path() / "davit";
    FakeClock clock;
    FakeDevice device{state, clock};
    EngineOptions options;
    Cancellation cancellation;

    World();

    /// davitd starts and gets @p deployment.
    Result<void> try_to_deploy(const Deployment& deployment, std::stop_token stop = {});
    /// davitd starts and gets nothing.
    Result<void> resume(std::stop_token stop = {});
    /// The same as try_to_deploy; the outcome of a deployment that came to its end.
    Outcome deploy(const std::vector<Part>& parts, const std::string& id = "7");

    [[nodiscard]] Journal journal() const { return Journal::open(state / "state.db").value(); }
    [[nodiscard]] std::vector<std::string> current() const { return labels(generations().current().value()); }
    [[nodiscard]] std::vector<std::string> previous() const { return labels(generations().previous().value()); }
    /// The link empties the outbox. @return the ids of the results
    std::vector<std::string> deliver();
    /// Everything that one can see when a deployment has ended; delivers.
    std::string describe();

private:
    [[nodiscard]] Generations generations() const { return Generations::open(state).value(); }
    [[nodiscard]] static std::vector<std::string> labels(const std::optional<Generation>& generation);
};

class EngineTest : public testing::Test, public World {};

}  // namespace davit::test
