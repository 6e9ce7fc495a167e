// A device that computes no model but remembers exactly what lies in each slot of its cache.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "runtime/schedule/scheduler.h"

namespace hearth::testing {

/// The k and v of a token stand for all tokens up to it, so a slot holds a hash of that beginning. What a step reads is compared with what
/// it should find; what is drawn is a function of the tokens so far. A scheduler that shares a wrong block, writes to one that others
/// read, or forgets one that is still seen is found at the next step. One vocabulary: 0 to kVocab - 1.
class FakeDevice {
public:
    static constexpr int32_t kVocab = 7;  // small, so that drafts are right by chance now and then

    /// `window`: keys that a query sees, 0: all.
    explicit FakeDevice(int64_t window = 0) : window_(window) {}

    /// Computes `plan`. Adds a failure to the running test where a slot holds something else than it should.
    std::span<const Outcome> run(const Plan& plan);

    int64_t computed() const { return computed_; }  // tokens so far

    /// The token that follows `tokens`, of whomever.
    static int32_t next_token(std::span<const int32_t> tokens);

private:
    void write(const Work& work);
    void read(const Work& work) const;

    int64_t window_ = 0, computed_ = 0;
    std::map<int64_t, uint64_t> slots_;
    std::vector<std::vector<Token>> rows_;
    std::vector<Outcome> outcomes_;
};

/// A sequence of the request `request`, as an engine of that context makes it, without a reader.
std::unique_ptr<Sequence> sequence_of(Request request, int64_t context);

/// The whole answer, computed alone: what any schedule must give.
std::vector<int32_t> answer_alone(const Request& request, int64_t context);

}  // namespace hearth::testing
