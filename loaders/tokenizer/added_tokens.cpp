#include "loaders/tokenizer/added_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "loaders/tokenizer/unicode.h"

namespace hearth {

namespace {

/// The character that ends at `at`, or U+FFFD.
Utf8Char char_before(std::string_view text, size_t at, size_t floor) {
    for (size_t length = 1; length <= 4 && length <= at - floor; ++length) {
        const Utf8Char c = next_utf8(text.substr(at - length, length));
        if (c.valid && c.length == length) return c;
    }
    return {};
}

bool touches_word(std::string_view text, size_t begin, size_t end) {
    if (begin > 0) {
        const Utf8Char c = char_before(text, begin, 0);
        if (c.valid && is_word_char(c.code)) return true;
    }
    if (end < text.size()) {
        const Utf8Char c = next_utf8(text.substr(end));
        if (c.valid && is_word_char(c.code)) return true;
    }
    return false;
}

}  // namespace

bool looks_like_markup(std::string_view text) {
    if (text.size() < 3) return false;
    const char first = text.front(), last = text.back();
    return (first == '<' && last == '>') || (first == '[' && last == ']') || (first == '{' && last == '}');
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), nodes_(1), first_(256), first_anywhere_(256) {
    for (size_t i = 0; i < tokens_.size(); ++i) {
        const std::string& text = tokens_[i].token.text;
        HEARTH_CHECK(!text.empty());
        if (tokens_[i].left_to_encoder) continue;
        const auto first = static_cast<unsigned char>(text[0]);
        first_[first] = true;
        if (tokens_[i].anywhere) first_anywhere_[first] = any_anywhere_ = true;
        int32_t node = 0;
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            int32_t next = child(node, byte);
            if (next < 0) {
                next = static_cast<int32_t>(nodes_.size());
                auto& children = nodes_[node].children;
                children.insert(std::upper_bound(children.begin(), children.end(), std::pair(byte, next)), {byte, next});
                nodes_.emplace_back();
            }
            node = next;
        }
        HEARTH_CHECK(nodes_[node].token < 0);
        nodes_[node].token = static_cast<int32_t>(i);
    }
}

int32_t AddedTokens::child(int32_t node, unsigned char byte) const {
    const auto& children = nodes_[node].children;
    const auto at =
        std::lower_bound(children.begin(), children.end(), byte, [](const auto& edge, unsigned char b) { return edge.first < b; });
    return at != children.end() && at->first == byte ? at->second : -1;
}

/// Index of the longest token that begins at `at` and either ends by `trusted_end` or is welcome anywhere; -1: none.
int32_t AddedTokens::longest_at(std::string_view text, size_t at, size_t trusted_end) const {
    int32_t best = -1;
    int32_t node = 0;
    for (size_t i = at; i < text.size() && (i < trusted_end || any_anywhere_); ++i) {
        node = child(node, static_cast<unsigned char>(text[i]));
        if (node < 0) break;
        const int32_t token = nodes_[node].token;
        if (token >= 0 && (i < trusted_end || tokens_[token].anywhere)) best = token;
    }
    return best;
}

void AddedTokens::widen(std::string_view text, const AddedToken& token, size_t floor, size_t& begin, size_t& end) const {
    while (token.token.lstrip && begin > floor) {
        const Utf8Char c = char_before(text, begin, floor);
        if (!c.valid || !is_white_space(c.code)) break;
        begin -= c.length;
    }
    while (token.token.rstrip && end < text.size()) {
        const Utf8Char c = next_utf8(text.substr(end));
        if (!c.valid || !is_white_space(c.code)) break;
        end += c.length;
    }
}

std::vector<AddedTokens::Segment> AddedTokens::cut(std::string_view text, const std::vector<std::pair<size_t, size_t>>& trusted) const {
    std::vector<Segment> out;
    size_t plain = 0;  // where the plain text since the last token began
    auto range = trusted.begin();
    for (size_t at = 0; at < text.size() && !tokens_.empty();) {
        while (range != trusted.end() && range->second <= at) ++range;
        const bool inside = range != trusted.end() && range->first <= at;
        if (!inside && !any_anywhere_) {  // on to the next trusted byte
            if (range == trusted.end()) break;
            at = range->first;
            continue;
        }
        const auto first = static_cast<unsigned char>(text[at]);
        const int32_t index = (inside ? first_ : first_anywhere_)[first] ? longest_at(text, at, inside ? range->second : at) : -1;
        if (index < 0) {
            ++at;
            continue;
        }
        const AddedToken& token = tokens_[index];
        size_t begin = at, end = at + token.token.text.size();
        at = end;
        if (token.single_word && touches_word(text, begin, end)) continue;
        widen(text, token, plain, begin, end);
        if (begin > plain) out.push_back({plain, begin, -1, false});
        out.push_back({begin, end, token.token.id, token.normalized});
        at = plain = end;
    }
    if (plain < text.size()) out.push_back({plain, text.size(), -1, false});
    return out;
}

}  // namespace hearth
