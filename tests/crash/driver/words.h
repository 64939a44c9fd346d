#pragma once
/// What people and the server say to a deployment's next step, as the story has it: two waits, then the word. A step
/// that the story does not name is allowed at once.

#include <map>
#include <string>

#include "agent/engine/seams.h"

namespace davit::crash {

class Words : public Permission {
public:
    /// @param words step ("begin", "download", "switch") to word ("yes", "no")
    explicit Words(std::map<std::string, std::string> words) : words_(std::move(words)) {}

    Answer ask(const Deployment&, Step step, bool) override {
        const auto word = words_.find(name(step));
        if (word == words_.end()) return {.reason = "allowed"};
        constexpr int kWaits = 2;
        if (asked_[step]++ % (kWaits + 1) < kWaits) return {.word = Answer::Word::Wait, .reason = "waits for a word"};
        return {.word = word->second == "no" ? Answer::Word::No : Answer::Word::Yes, .reason = "said " + word->second};
    }
    void wait(const Answer&, std::stop_token) override {}

private:
    static std::string name(Step step) {
        return step == Step::Begin ? "begin" : step == Step::Download ? "download" : "switch";
    }
    std::map<std::string, std::string> words_;
    std::map<Step, int> asked_;
};

}  // namespace davit::crash
