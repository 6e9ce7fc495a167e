#include "loaders/tokenizer/bpe/bpe_encoder.h"

#include "base/utf8.h"

namespace hearth {

BpeEncoder::BpeEncoder(Normalizer normalizer, PreTokenizer pre_tokenizer, BpeModel model)
    : normalizer_(std::move(normalizer)), pre_tokenizer_(std::move(pre_tokenizer)), model_(std::move(model)) {}

void BpeEncoder::encode(std::string_view text, bool at_start, std::vector<int32_t>& out) const { encode_counting(text, at_start, out); }

int64_t BpeEncoder::encode_counting(std::string_view text, bool at_start, std::vector<int32_t>& out) const {
    std::string rewritten;
    if (!model_.byte_level || !normalizer_.empty()) {
        rewritten = model_.byte_level ? std::string(text) : sanitize_utf8(text);  // characters need valid text; bytes are kept as they are
        const size_t from = rewritten.size();
        for (const auto& step : normalizer_) step->apply(rewritten, from);
        text = rewritten;
    }
    if (text.empty()) return 0;
    MergeScratch scratch;
    std::vector<int32_t> symbols;
    pre_tokenizer_.run(text, at_start, [&](std::string_view pieces, const std::vector<size_t>& ends) {
        size_t begin = 0;
        for (const size_t end : ends) {
            model_.encode_word(pieces.substr(begin, end - begin), out, scratch, symbols);
            begin = end;
        }
    });
    return scratch.steps;
}

}  // namespace hearth
