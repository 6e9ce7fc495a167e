// Drafts that are right as often as was asked for.
#pragma once

#include <vector>

#include "runtime/speculate/drafter.h"

namespace hearth::perf {

/// Knows the answers that are to come and drafts their tokens, a wrong one in place of some: each is right with probability `rate`, from a
/// random number of its position. Drafting itself costs nothing: what is measured is the verifying.
class ScriptedDrafter final : public Drafter {
public:
    /// `texts`: prompts and answers, one of which every sequence begins with. They outlive the drafter.
    ScriptedDrafter(const std::vector<std::vector<int32_t>>& texts, double rate, int32_t vocab)
        : texts_(texts), rate_(rate), vocab_(vocab) {}

    void draft(std::span<const Ask> asks) override;
    void forget(const Sequence&) noexcept override {}
    double token_ms() const override { return 0; }

private:
    const std::vector<std::vector<int32_t>>& texts_;
    double rate_;
    int32_t vocab_;
};

}  // namespace hearth::perf
