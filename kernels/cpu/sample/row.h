// One row of a call of `sample`: where its parts of the arguments lie.
#pragma once

#include <span>

#include "kernels/ops.h"

namespace hearth::cpu {

struct SampleRow {
    const float* logits = nullptr;
    int64_t vocab = 0;
    const SampleParams* params = nullptr;
    std::span<const int32_t> history, answer, bias_ids;
    const float* bias_values = nullptr;
    const uint32_t* mask = nullptr;  // null: everything is allowed
    int64_t position = 0;
    int32_t given = -1, wanted = -1;

    // Out; null or empty where not asked for.
    float *probabilities = nullptr, *log_probability = nullptr;
    std::span<int32_t> top_ids;
    float* top_log_probabilities = nullptr;
};

static inline SampleRow sample_row_of(const SampleArgs& a, int64_t s) {
    const auto part = [](const View<const int32_t, 1>& all, int64_t begin, int64_t end) {
        return std::span<const int32_t>(all.data + begin, static_cast<size_t>(end - begin));
    };
    const int32_t* starts = a.history_starts.data + s;
    SampleRow row;
    row.logits = a.logits.row(s);
    row.vocab = a.logits.extent[1];
    row.params = a.params.data + s;
    row.history = part(a.history, starts[0], starts[1]);
    row.answer = part(a.history, a.answer_starts.data[s], starts[1]);
    row.position = a.positions.data[s];
    if (a.bias_starts.data) {
        row.bias_ids = part(a.bias_ids, a.bias_starts.data[s], a.bias_starts.data[s + 1]);
        row.bias_values = a.bias_values.data + a.bias_starts.data[s];
    }
    if (a.mask_of.data && a.mask_of.data[s] >= 0) row.mask = a.masks.row(a.mask_of.data[s]);
    if (a.given.data) row.given = a.given.data[s];
    if (a.wanted.data) row.wanted = a.wanted.data[s];
    if (a.probabilities.data) row.probabilities = a.probabilities.row(s);
    if (a.log_probabilities.data) row.log_probability = a.log_probabilities.data + s;
    if (a.top_ids.data) {
        row.top_ids = {a.top_ids.row(s), static_cast<size_t>(a.top_ids.extent[1])};
        row.top_log_probabilities = a.top_log_probabilities.row(s);
    }
    return row;
}

/// Rows as this code reads them: their numbers side by side.
static inline bool sample_fits(const SampleArgs& a) {
    return a.logits.stride[1] == 1 && (!a.probabilities.data || a.probabilities.stride[1] == 1) &&
           (!a.masks.data || a.masks.stride[1] == 1) &&
           (!a.top_ids.data || (a.top_ids.stride[1] == 1 && a.top_log_probabilities.stride[1] == 1));
}

}  // namespace hearth::cpu
