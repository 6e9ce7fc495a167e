#include "loaders/tokenizer/vocabulary.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

namespace {

constexpr size_t kMaxText = size_t{1} << 30;  // positions are 32-bit
constexpr size_t kMaxAddedText = 1024;

}  // namespace

void check_token_id(int64_t id, size_t count, const std::string& file) {
    const int64_t limit = std::min<int64_t>(kMaxVocabulary, 65'536 + 8 * static_cast<int64_t>(std::min<size_t>(count, kMaxVocabulary)));
    if (id < 0 || id >= limit)
        throw Error(ErrorKind::kBadInput,
                    cat(file, ": token id ", id, " is not in [0, ", limit, "), the range that ", count, " tokens allow"));
}

void Vocabulary::add(AddedToken added_token, const std::string& file) {
    const SpecialToken& token = added_token.token;
    if (token.text.empty() || token.text.size() > kMaxAddedText) {
        throw Error(ErrorKind::kBadInput,
                    cat(file, ": added token ", token.id, " has a text of ", token.text.size(), " bytes, expected 1 to ", kMaxAddedText));
    }
    check_token_id(token.id, entries.size() + added.size(), file);
    if (token.id >= static_cast<int64_t>(entries.size())) entries.resize(static_cast<size_t>(token.id) + 1);
    VocabularyEntry& entry = entries[token.id];
    if (!entry.name.empty() && entry.name != token.text) {
        throw Error(ErrorKind::kBadInput,
                    cat(file, ": id ", token.id, " is \"", printable(entry.name), "\" and also \"", printable(token.text), "\""));
    }
    const auto [same, is_new] = added_by_text_.try_emplace(token.text, added.size());
    if (!is_new && added[same->second].token.id != token.id) {
        throw Error(ErrorKind::kBadInput,
                    cat(file, ": \"", printable(token.text), "\" has the ids ", added[same->second].token.id, " and ", token.id));
    }
    entry = {token.text, token.text, token.control};
    if (is_new) {
        added.push_back(std::move(added_token));
    } else {
        added[same->second] = std::move(added_token);
    }
}

std::optional<int32_t> Vocabulary::find_added(const std::string& text) const {
    const auto found = added_by_text_.find(text);
    return found == added_by_text_.end() ? std::nullopt : std::optional(added[found->second].token.id);
}

bool Vocabulary::cuts_any_text() const { return std::ranges::any_of(added, &AddedToken::anywhere); }

bool Vocabulary::drops_spaces() const {
    return std::ranges::any_of(added, [](const AddedToken& a) { return a.anywhere && (a.token.lstrip || a.token.rstrip); });
}

VocabularyTokenizer::VocabularyTokenizer(Vocabulary vocabulary, std::unique_ptr<const TextEncoder> encoder)
    : vocabulary_(std::move(vocabulary)), added_(std::move(vocabulary_.added)), encoder_(std::move(encoder)) {
    for (const AddedToken& a : added_.tokens()) {
        if (!a.anywhere) specials_.push_back(a.token);
    }
    std::sort(specials_.begin(), specials_.end(), [](const SpecialToken& a, const SpecialToken& b) { return a.id < b.id; });
}

std::vector<int32_t> VocabularyTokenizer::encode(const std::vector<TextSpan>& spans) const {
    std::string joined;
    std::vector<std::pair<size_t, size_t>> trusted;
    size_t total = 0;
    for (const TextSpan& span : spans) {
        if (span.text.size() > kMaxText - total)
            throw Error(ErrorKind::kTooLarge, cat("a text of more than ", kMaxText, " bytes cannot be encoded at once"));
        const size_t begin = total;
        total += span.text.size();
        if (spans.size() > 1) joined += span.text;
        if (!span.trusted || span.text.empty()) continue;
        if (!trusted.empty() && trusted.back().second == begin) {
            trusted.back().second = total;
        } else {
            trusted.emplace_back(begin, total);
        }
    }
    const std::string_view text = spans.size() == 1 ? spans.front().text : joined;
    std::vector<int32_t> ids;
    ids.reserve(text.size() / 2 + 16);  // address space rather than memory: what is not written is never there
    const std::vector<AddedTokens::Segment> segments = added_.cut(text, trusted);
    for (size_t i = 0; i < segments.size(); ++i) {
        const AddedTokens::Segment& segment = segments[i];
        if (segment.token >= 0) {
            ids.push_back(segment.token);
        } else {
            const TextPlace place{segment.begin == 0, i > 0 && segments[i - 1].normalized,
                                  i + 1 < segments.size() && segments[i + 1].normalized};
            encoder_->encode(text.substr(segment.begin, segment.end - segment.begin), place, ids);
        }
    }
    return ids;
}

std::string VocabularyTokenizer::token_bytes(int32_t id, bool show_special) const {
    if (id < 0 || id >= vocab_size()) return "";
    const VocabularyEntry& entry = vocabulary_.entries[id];
    return entry.control && !show_special ? "" : entry.bytes;
}

std::string VocabularyTokenizer::decode(const std::vector<int32_t>& ids, bool show_special) const {
    std::string out;
    bool at_start = vocabulary_.drops_prefix_space;
    for (const int32_t id : ids) {
        if (id < 0 || id >= vocab_size()) continue;
        const VocabularyEntry& entry = vocabulary_.entries[id];
        if (entry.control) {
            if (show_special) out += entry.bytes;
            continue;
        }
        std::string_view bytes = entry.bytes;
        if (at_start && !bytes.empty()) {
            if (bytes.front() == ' ') bytes.remove_prefix(1);
            at_start = false;
        }
        out += bytes;
    }
    return out;
}

std::string VocabularyTokenizer::token_name(int32_t id) const { return id < 0 || id >= vocab_size() ? "" : vocabulary_.entries[id].name; }

}  // namespace hearth
