#include "runtime/speculate/ngram_index.h"

#include <algorithm>

namespace hearth {

uint64_t NgramIndex::key(std::span<const int32_t> tokens) {
    uint64_t out = tokens.size();
    for (const int32_t token : tokens) {
        out = (out ^ static_cast<uint32_t>(token)) * 0x9E3779B97F4A7C15;
        out ^= out >> 32;
    }
    return out;
}

NgramIndex::Guess NgramIndex::guess(std::span<const int32_t> tokens, int64_t most) {
    const auto size = static_cast<int64_t>(tokens.size());
    const auto last = [&](int64_t end, int length) {
        return tokens.subspan(static_cast<size_t>(end - length), static_cast<size_t>(length));
    };
    for (int64_t end = indexed_ + 1; end < size; ++end) {  // not the end of the text itself: nothing follows it yet
        for (size_t i = 0; i < std::size(kLengths); ++i) {
            if (end >= kLengths[i]) after_[i][key(last(end, kLengths[i]))] = static_cast<int32_t>(end);
        }
    }
    indexed_ = std::max(indexed_, size - 1);
    for (size_t i = 0; i < std::size(kLengths); ++i) {
        if (size < kLengths[i]) continue;
        const auto wanted = last(size, kLengths[i]);
        const auto found = after_[i].find(key(wanted));
        if (found == after_[i].end() || !std::ranges::equal(last(found->second, kLengths[i]), wanted)) continue;
        const auto count = std::min(most, size - found->second);
        return {.tokens = tokens.subspan(static_cast<size_t>(found->second), static_cast<size_t>(count)), .length = static_cast<int>(i)};
    }
    return {};
}

}  // namespace hearth
