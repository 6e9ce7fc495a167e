#include "loaders/tokenizer/bpe/bpe_model.h"

#include <algorithm>

#include "base/utf8.h"

namespace hearth {

namespace {

constexpr size_t kCutFrom = 40;  // bytes: shorter words are merged faster than cut

/// Collects symbols and merges them whenever it is sure that nothing merges across.
class SymbolRun {
public:
    SymbolRun(const BpeModel& model, size_t word_bytes, std::vector<int32_t>& out, MergeScratch& scratch, std::vector<int32_t>& symbols)
        : model_(model), cuts_(word_bytes > kCutFrom && model.cuts_words), out_(out), scratch_(scratch), symbols_(symbols) {
        symbols_.clear();
        symbols_.reserve(word_bytes);
    }

    void add(int32_t id) {
        if (cuts_ && !symbols_.empty() && model_.joins.find(symbols_.back(), id) < 0) flush();
        symbols_.push_back(id);
        last_unknown_ = false;
    }

    void add_unknown() {
        if (model_.unknown >= 0 && !(model_.fuse_unknown && last_unknown_)) add(model_.unknown);
        last_unknown_ = true;
    }

    void flush() {
        merge_all(symbols_, model_.merges, scratch_);
        out_.insert(out_.end(), symbols_.begin(), symbols_.end());
        symbols_.clear();
    }

private:
    const BpeModel& model_;
    bool cuts_, last_unknown_ = false;
    std::vector<int32_t>& out_;
    MergeScratch& scratch_;
    std::vector<int32_t>& symbols_;
};

}  // namespace

int32_t BpeModel::first_symbol(std::string_view text) const {
    if (byte_level) return byte_ids[static_cast<unsigned char>(text.front())];
    const auto found = char_ids.find(next_utf8(text).code);
    return found == char_ids.end() ? -1 : found->second;
}

int32_t BpeModel::last_symbol(std::string_view text) const {
    if (byte_level) return byte_ids[static_cast<unsigned char>(text.back())];
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    const auto found = char_ids.find(next_utf8(text.substr(at)).code);
    return found == char_ids.end() ? -1 : found->second;
}

void BpeModel::note_join(std::string_view left, std::string_view right) {
    const int32_t a = last_symbol(left), b = first_symbol(right);
    if (a >= 0 && b >= 0) joins.set(a, b, {});  // else no text becomes such a pair
}

bool BpeModel::has_all_bytes() const {
    return std::none_of(byte_ids.begin(), byte_ids.end(), [](int32_t id) { return id < 0; });
}

bool BpeModel::has_bytes(std::string_view text) const {
    return std::ranges::all_of(text, [&](char c) { return byte_ids[static_cast<unsigned char>(c)] >= 0; });
}

void BpeModel::encode_word(std::string_view word, std::vector<int32_t>& out, MergeScratch& scratch, std::vector<int32_t>& symbols) const {
    if (word.size() <= longest_whole_word) {
        if (const auto found = whole_words.find(word); found != whole_words.end()) {
            out.push_back(found->second);
            return;
        }
    }
    SymbolRun run(*this, word.size(), out, scratch, symbols);
    if (byte_level) {
        for (const char c : word) {
            const int32_t id = byte_ids[static_cast<unsigned char>(c)];
            id < 0 ? run.add_unknown() : run.add(id);
        }
    } else {
        for (size_t at = 0; at < word.size();) {
            const Utf8Char c = next_utf8(word.substr(at));
            if (const auto found = char_ids.find(c.code); found != char_ids.end()) {
                run.add(found->second);
            } else if (byte_fallback && has_bytes(word.substr(at, c.length))) {
                for (size_t i = 0; i < c.length; ++i) run.add(byte_ids[static_cast<unsigned char>(word[at + i])]);
            } else {
                run.add_unknown();
            }
            at += c.length;
        }
    }
    run.flush();
}

}  // namespace hearth
