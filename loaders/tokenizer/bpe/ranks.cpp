#include "loaders/tokenizer/bpe/ranks.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/bpe/bpe_encoder.h"

namespace hearth {

namespace {

constexpr size_t kMaxWord = 4096;

int sextet(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

/// Every way to cut a word into two others is a merge with the rank of the word.
void make_merges(BpeModel& model, const std::vector<std::string>& words, int32_t first_id) {
    const TokenIds& ids = model.whole_words;
    model.merges = MergeTable(3 * words.size());
    for (size_t rank = 0; rank < words.size(); ++rank) {
        const std::string_view word = words[rank];
        for (size_t cut = 1; cut < word.size(); ++cut) {
            const auto left = ids.find(word.substr(0, cut));
            if (left == ids.end()) continue;
            const auto right = ids.find(word.substr(cut));
            if (right == ids.end()) continue;
            model.merges.set(left->second, right->second, {static_cast<int32_t>(rank), first_id + static_cast<int32_t>(rank)});
            model.note_join(left->first, right->first);
        }
    }
    model.cuts_words = true;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    std::string out;
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = sextet(c);
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xFF);
        }
    }
    if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;  // bits that stand for nothing
    return out;
}

std::unique_ptr<const TextEncoder> make_rank_encoder(const std::vector<std::string>& words, int32_t first_id, std::string_view pattern,
                                                     const std::string& file) {
    BpeModel model;
    model.byte_level = true;
    model.whole_words.reserve(words.size());
    for (size_t rank = 0; rank < words.size(); ++rank) {
        const std::string& word = words[rank];
        const int32_t id = first_id + static_cast<int32_t>(rank);
        if (word.empty() || word.size() > kMaxWord)
            throw Error(ErrorKind::kBadInput, cat(file, ": rank ", rank, " has ", word.size(), " bytes, expected 1 to ", kMaxWord));
        const auto [same, is_new] = model.whole_words.emplace(word, id);
        if (!is_new)
            throw Error(ErrorKind::kBadInput,
                        cat(file, ": ranks ", same->second - first_id, " and ", rank, " are the same word, \"", printable(word, 40), "\""));
        if (word.size() == 1) model.byte_ids[static_cast<unsigned char>(word[0])] = id;
        model.longest_whole_word = std::max(model.longest_whole_word, word.size());
    }
    if (!model.has_all_bytes()) throw Error(ErrorKind::kBadInput, cat(file, ": not every single byte has a token, expected all 256"));
    make_merges(model, words, first_id);
    PreTokenizer pre_tokenizer;
    pre_tokenizer.add(std::make_unique<SplitStep>(Regex(pattern, file), SplitBehavior::kIsolated, false));
    return std::make_unique<BpeEncoder>(Normalizer{}, std::move(pre_tokenizer), std::move(model));
}

void add_rank_entries(Vocabulary& vocabulary, const std::vector<std::string>& words) {
    for (const std::string& word : words) vocabulary.entries.push_back({printable(word, 2 * kMaxWord), word, false});
    vocabulary.round_trip = RoundTrip::kBytes;
}

}  // namespace hearth
