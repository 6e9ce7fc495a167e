#include "loaders/tokenizer/bpe/pre_tokenizer.h"

#include "loaders/tokenizer/bpe/growth.h"

namespace hearth {

const char* const kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

struct Range {
    size_t begin, end;
    bool is_match;
};

/// Glues neighbours together as `behavior` says; all lie in one piece.
void glue(std::vector<Range>& ranges, SplitBehavior behavior) {
    std::vector<Range> out;
    const auto joins = [&](const Range& a, const Range& b) {  // b follows a in the text
        switch (behavior) {
            case SplitBehavior::kContiguous: return a.is_match == b.is_match;
            case SplitBehavior::kMergedWithPrevious: return b.is_match && !a.is_match;
            case SplitBehavior::kMergedWithNext: return a.is_match && !b.is_match;
            case SplitBehavior::kIsolated:
            case SplitBehavior::kRemoved: return false;
        }
        return false;
    };
    for (size_t i = 0; i < ranges.size(); ++i) {
        if (i > 0 && joins(ranges[i - 1], ranges[i])) {
            out.back().end = ranges[i].end;
        } else {
            out.push_back(ranges[i]);
        }
    }
    ranges = std::move(out);
}

}  // namespace

std::string literal_pattern(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain =
            static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain) out += '\\';
        out += c;
    }
    return out;
}

void SplitStep::apply(Pieces& pieces, bool) const {
    const auto matches = regex_.find_all(pieces.text, pieces.ends);
    Pieces out;
    std::vector<Range> ranges;
    size_t begin = 0;
    auto match = matches.begin();
    for (const size_t end : pieces.ends) {
        ranges.clear();
        for (; match != matches.end() && match->second <= end; ++match) {
            if (match->first > begin) ranges.push_back({begin, match->first, invert_});
            ranges.push_back({match->first, match->second, !invert_});
            begin = match->second;
        }
        if (begin < end) ranges.push_back({begin, end, invert_});
        begin = end;
        if (behavior_ != SplitBehavior::kIsolated) glue(ranges, behavior_);
        for (const Range& range : ranges) {
            if (behavior_ == SplitBehavior::kRemoved) {
                if (range.is_match) continue;
                out.text += std::string_view(pieces.text).substr(range.begin, range.end - range.begin);
                out.ends.push_back(out.text.size());
            } else {
                out.ends.push_back(range.end);
            }
        }
    }
    if (behavior_ == SplitBehavior::kRemoved) pieces.text = std::move(out.text);
    pieces.ends = std::move(out.ends);
}

void MetaspaceStep::apply(Pieces& pieces, bool at_start) const {
    Pieces out;
    size_t begin = 0;
    for (const size_t end : pieces.ends) {
        const size_t first = out.text.size();
        const bool prefix = scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && at_start && begin == 0);
        const std::string_view piece = std::string_view(pieces.text).substr(begin, end - begin);
        if (prefix && piece.front() != ' ' && !piece.starts_with(replacement_)) out.text += replacement_;
        for (size_t i = 0; i < piece.size();) {
            const bool space = piece[i] == ' ', mark = !space && piece.substr(i).starts_with(replacement_);
            if (split_ && (space || mark) && out.text.size() > first && (out.ends.empty() || out.ends.back() < out.text.size()))
                out.ends.push_back(out.text.size());
            if (space || mark) {
                out.text += replacement_;
                i += space ? 1 : replacement_.size();
            } else {
                out.text += piece[i++];
            }
        }
        if (out.ends.empty() || out.ends.back() < out.text.size()) out.ends.push_back(out.text.size());
        begin = end;
    }
    pieces = std::move(out);
}

void PrefixSpaceStep::apply(Pieces& pieces, bool) const {
    Pieces out;
    size_t begin = 0;
    for (const size_t end : pieces.ends) {
        if (pieces.text[begin] != ' ') out.text += ' ';
        out.text += std::string_view(pieces.text).substr(begin, end - begin);
        out.ends.push_back(out.text.size());
        begin = end;
    }
    pieces = std::move(out);
}

void PreTokenizer::run(std::string_view text, bool at_start, const Sink& sink) const {
    constexpr size_t kBatch = 2048;  // pieces: they and what they become stay in the cache
    const Regex* pattern = steps_.empty() ? nullptr : steps_.front()->isolating_pattern();
    const std::vector<size_t> whole{text.size()};
    if (steps_.empty()) {
        sink(text, whole);
        return;
    }
    std::vector<size_t> ends;  // relative to batch_begin
    size_t batch_begin = 0, done = 0;
    const auto flush = [&](size_t first_step) {
        const std::string_view batch = text.substr(batch_begin, done - batch_begin);
        if (first_step == steps_.size()) {
            sink(batch, ends);
        } else {
            Pieces pieces{std::string(batch), ends};
            for (size_t i = first_step; i < steps_.size(); ++i) {
                steps_[i]->apply(pieces, at_start && batch_begin == 0);  // at most 8 times as long
                check_growth(pieces.text.size(), growth_limit(batch.size()), batch.size(), "the pre-tokenizer");
            }
            sink(pieces.text, pieces.ends);
        }
        ends.clear();
        batch_begin = done;
    };
    const auto cut = [&](size_t end) {
        if (end == done) return;
        done = end;
        ends.push_back(end - batch_begin);
    };
    if (!pattern) {
        cut(text.size());
        flush(0);
        return;
    }
    Matches matches(*pattern, text, whole);
    for (size_t begin = 0, end = 0; matches.next(begin, end);) {
        cut(begin);
        cut(end);
        if (ends.size() >= kBatch) flush(1);
    }
    cut(text.size());
    if (done > batch_begin) flush(1);
}

}  // namespace hearth
