// A text scored in windows that overlap.
//
// Window i holds tokens [i * stride, i * stride + context). Each token is scored once, in the first window that it is in, given all of the
// window before it; so with stride < context every token but those of the first window has at least context - stride tokens before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>

#include "runtime/model.h"
#include "runtime/score.h"

namespace hearth::tool {

struct Windows {
    int64_t context = 0, stride = 0;  // 2 <= context, 1 <= stride <= context
    int64_t skip = 0;                 // tokens at the start of each window that are read and not scored, < context

    /// The first token that is scored of the window that begins at `begin`, tokens before `done` being scored already. Counts from `begin`.
    int64_t from(int64_t begin, int64_t done) const { return std::max({done - begin, skip, int64_t{1}}); }

    /// How many of `count` tokens are scored. skip == 0: all but the first, and with stride == context all but the first of each window.
    int64_t scored(int64_t count) const;
};

/// What was scored, and what it took.
struct Tally {
    double nll = 0;
    int64_t scored = 0, windows = 0, computed = 0;  // computed: tokens that went through the model
    double seconds = 0;
    double bytes = 0, flops = 0;  // that had to be moved and done at least

    double mean() const { return scored > 0 ? nll / static_cast<double>(scored) : 0; }
};

struct ScoringHooks {
    DType cache_dtype = DType::kBf16;
    std::function<void(const ScoredRows&)> rows = {};  // of each scored token, once and in order; `first` counts from the text's start
    std::function<void(int64_t done, const Tally&)> progress = {};  // after each window: tokens of the text that are behind
    Profile* profile = nullptr;
};

/// Throws as log_probabilities does, and what the hooks throw.
Tally score_text(const Model& model, std::span<const int32_t> tokens, const Windows& windows, const ScoringHooks& hooks);

}  // namespace hearth::tool
