// A step over no memory: what variants are asked about before there is anything to run.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/stages.h"

namespace hearth {

/// S sequences of T / S tokens each (the last ones have fewer where that is no whole number) at the end of a context of `context` tokens.
/// It stands for all steps of its shape when variants are asked whether they support a step and what scratch they take: activations, rope
/// and cache are null, so nothing may run it. Needs T, S, context > 0. Not to be copied: its views point into it.
class PlannedStep {
public:
    PlannedStep(const ModelConfig& config, int64_t T, int64_t S, int64_t context, DType cache_dtype);
    PlannedStep(const PlannedStep&) = delete;
    PlannedStep& operator=(const PlannedStep&) = delete;

    /// Shows the stages of a model of that `config` to `visitor`, as visit_stages does.
    template <class Visit>
    void visit(const ModelConfig& config, const Weights& weights, Visit&& visitor) const {
        const auto pages_of = [&](int64_t) -> const KvPages& { return pages_; };
        visit_stages(config, weights, pages_of, views_, visitor);
    }

private:
    std::vector<int32_t> zeros_, positions_, starts_;  // [max(T, blocks)], [T], [S + 1]
    KvPages pages_;
    StepViews views_;
};

}  // namespace hearth
