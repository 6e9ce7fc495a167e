#include "runtime/engine/allowed.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/checked.h"
#include "base/text.h"
#include "runtime/engine/constraint.h"

namespace hearth {

std::string why_nothing_is_allowed(const Sequence& s, int64_t vocab) {
    std::vector<uint32_t> words(static_cast<size_t>(ceil_div(vocab, int64_t{32})), ~0u);
    const auto word_of = [&](int32_t id) -> uint32_t& { return words[static_cast<size_t>(id / 32)]; };
    const auto nothing = [&] {
        if (vocab % 32 != 0) words.back() &= (1u << vocab % 32) - 1;
        return std::ranges::all_of(words, [](uint32_t word) { return word == 0; });
    };
    const int64_t place = s.generated();
    if (s.request.constraint) {
        s.request.constraint->mask(words);
        if (nothing()) return cat("the constraint allows no token in place ", place, " of the answer");
    }
    for (const LogitBias& bias : s.request.logit_bias) {
        if (std::isinf(bias.value)) word_of(bias.id) &= ~(1u << bias.id % 32);
    }
    if (place < s.request.min_tokens) {
        for (const int32_t id : s.request.stop_tokens) word_of(id) &= ~(1u << id % 32);
    }
    if (!nothing()) return {};
    return cat("logit_bias, min_tokens and the constraint together allow no token in place ", place, " of the answer");
}

}  // namespace hearth
