// From logits to the next token of each sequence.
#pragma once

#include <span>
#include <vector>

#include "kernels/backend.h"
#include "runtime/staging.h"

namespace hearth {

/// Throws Error{kBadInput} naming the parameter, what was found and its range.
void check_sampling(const SampleParams& params);

/// Hands rows of logits to the backend's `sample` primitive. Keeps nothing between draws but memory: a draw is a function of logits,
/// parameters, seed and position. Belongs to one thread. The backend outlives it.
class Sampler {
public:
    /// One sequence: the token at position tokens.size() is wanted.
    struct Row {
        const SampleParams* params = nullptr;
        std::span<const int32_t> tokens;  // so far, prompt and answer: what the repetition penalty counts
        int64_t prompt_tokens = 0;        // that many of them are the prompt: frequency and presence penalty count the others
    };

    /// Of up to max_rows sequences at once. Throws Error{kUnsupported} when no variant of `sample` fits.
    Sampler(const Backend& backend, int64_t max_rows, int64_t vocab);

    /// Scratch that draw() takes from its stream.
    size_t workspace_bytes() const { return workspace_bytes_; }

    /// The token of each row, -1 where its logits are not numbers. `logits` [rows, V] is on the device. Valid until the next draw.
    std::span<const int32_t> draw(View<const float, 2> logits, std::span<const Row> rows, Stream& stream);

private:
    const Backend& backend_;
    Staging staging_;
    DeviceBytes device_ids_;  // [max_rows]
    std::vector<SampleParams> params_;
    std::vector<int32_t> history_, history_starts_, answer_starts_, positions_, ids_;
    int64_t max_rows_ = 0;
    size_t workspace_bytes_ = 0;
};

}  // namespace hearth
