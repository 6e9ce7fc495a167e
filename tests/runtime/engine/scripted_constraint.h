// Constraints that say what a test wants, and remember what they were asked.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/engine/constraint.h"

namespace hearth::testing {

/// Allows id `i` behind the tokens so far where `rule` says so.
class ScriptedConstraint final : public TokenConstraint {
public:
    using Rule = std::function<bool(const std::vector<int32_t>& so_far, int32_t id)>;

    ScriptedConstraint(Rule rule, int32_t vocab) : rule_(std::move(rule)), vocab_(vocab) {}

    void mask(std::span<uint32_t> allowed) override {
        ++masks;
        std::ranges::fill(allowed, 0u);
        for (int32_t id = 0; id < vocab_; ++id) {
            if (rule_(so_far, id)) allowed[static_cast<size_t>(id / 32)] |= 1u << id % 32;
        }
    }
    bool accept(int32_t token) override {
        if (!rule_(so_far, token)) return false;
        so_far.push_back(token);
        return true;
    }
    void rollback(int64_t count) override {
        most_rolled_back = std::max(most_rolled_back, count);
        rolled_back += count;
        too_far |= count > static_cast<int64_t>(so_far.size());
        so_far.resize(so_far.size() - static_cast<size_t>(std::min(count, static_cast<int64_t>(so_far.size()))));
    }
    std::unique_ptr<TokenConstraint> copy() const override { return std::make_unique<ScriptedConstraint>(*this); }

    std::vector<int32_t> so_far;
    int64_t masks = 0, rolled_back = 0, most_rolled_back = 0;
    bool too_far = false;  // more was taken back than there was

private:
    Rule rule_;
    int32_t vocab_;
};

/// Even ids alone.
inline std::shared_ptr<ScriptedConstraint> only_even(int32_t vocab) {
    return std::make_shared<ScriptedConstraint>([](const auto&, int32_t id) { return id % 2 == 0; }, vocab);
}

/// These tokens, and then `stop`.
inline std::shared_ptr<ScriptedConstraint> sentence(std::vector<int32_t> tokens, int32_t stop, int32_t vocab) {
    return std::make_shared<ScriptedConstraint>(
        [=](const auto& so_far, int32_t id) { return id == (so_far.size() < tokens.size() ? tokens[so_far.size()] : stop); }, vocab);
}

}  // namespace hearth::testing
