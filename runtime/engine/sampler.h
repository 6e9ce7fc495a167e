// From logits to the next token of each sequence.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/backend.h"
#include "runtime/engine/request.h"
#include "runtime/staging.h"

namespace hearth {

/// Throws Error{kBadInput} naming the parameter, what was found and its range.
void check_sampling(const SampleParams& params);

/// Hands rows of logits to the backend's `sample` primitive. Keeps nothing between draws but memory: a draw is a function of logits,
/// parameters, seed and position. Belongs to one thread. The backend outlives it.
class Sampler {
public:
    /// One row of logits: the token at position tokens.size() of a sequence is wanted, or its probability where it is given.
    struct Row {
        const SampleParams* params = nullptr;
        std::span<const int32_t> tokens;         // so far, prompt and answer: what the repetition penalty counts
        int64_t prompt_tokens = 0;               // that many of them are the prompt: frequency and presence penalty count the others
        std::span<const LogitBias> bias = {};    // added to the logits
        std::span<const int32_t> banned = {};    // never drawn
        std::span<const uint32_t> allowed = {};  // [ceil(V / 32)], a bit for each id that may be drawn; empty: all
        int32_t given = -1;                      // not drawn but scored, where it is an id
        int32_t top_log_probabilities = -1;      // as in Request
    };

    /// Of up to max_rows rows at once. Throws Error{kUnsupported} when no variant of `sample` fits.
    Sampler(const Backend& backend, int64_t max_rows, int64_t vocab);

    /// Scratch that draw() takes from its stream.
    size_t workspace_bytes() const { return workspace_bytes_; }

    /// The token of each row; its id is -1 where the logits are not numbers, or nothing may be drawn. `logits` [rows, V] is on the device.
    /// Valid until the next draw.
    std::span<const Token> draw(View<const float, 2> logits, std::span<const Row> rows, Stream& stream);

private:
    void gather(std::span<const Row> rows);
    SampleArgs arguments(View<const float, 2> logits, int64_t rows);

    const Backend& backend_;
    Staging staging_;
    int64_t max_rows_ = 0, words_ = 0;  // words of a mask
    size_t workspace_bytes_ = 0;
    DeviceBytes device_out_;  // ids, log-probabilities, the most likely ids and theirs: [max_rows], and [max_rows, kMax] twice
    std::vector<Token> tokens_;

    // of one draw
    std::vector<SampleParams> params_;
    std::vector<int32_t> history_, history_starts_, answer_starts_, positions_;
    std::vector<int32_t> bias_ids_, bias_starts_, mask_of_, given_, wanted_;
    std::vector<float> bias_values_;
    std::vector<uint32_t> masks_;
    int64_t num_masks_ = 0;
    int32_t most_wanted_ = -1;
    std::vector<int32_t> ids_, top_ids_;
    std::vector<float> log_probabilities_, top_log_probabilities_;
};

}  // namespace hearth
