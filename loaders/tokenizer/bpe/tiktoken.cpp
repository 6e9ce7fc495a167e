#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/bpe/ranks.h"

namespace hearth {

namespace {

const char* const kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The 256 special tokens of Llama 3.1 and later, of which 3.0 had a subset in
/// the same places: named ones, and between them reserved ones counted through.
std::vector<std::string> llama3_specials() {
    std::vector<std::string> out(256);
    out[0] = "<|begin_of_text|>";
    out[1] = "<|end_of_text|>";
    out[4] = "<|finetune_right_pad_id|>";
    out[6] = "<|start_header_id|>";
    out[7] = "<|end_header_id|>";
    out[8] = "<|eom_id|>";
    out[9] = "<|eot_id|>";
    out[10] = "<|python_tag|>";
    int reserved = 0;
    for (std::string& text : out) {
        if (text.empty()) text = cat("<|reserved_special_token_", reserved++, "|>");
    }
    return out;
}

[[noreturn]] void bad_line(const std::string& file, size_t line, const char* expected) {
    throw Error(ErrorKind::kBadInput, cat(file, ": line ", line, " is not ", expected));
}

std::vector<std::string> read_words(std::string_view text, const std::string& file) {
    std::vector<std::string> words;
    size_t line = 0;
    while (!text.empty()) {
        ++line;
        const size_t newline = text.find('\n');
        std::string_view row = trim(text.substr(0, newline));
        text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
        if (row.empty()) continue;
        const size_t space = row.find(' ');
        if (space == std::string_view::npos) bad_line(file, line, "\"base64 rank\"");
        auto word = decode_base64(row.substr(0, space));
        if (!word) bad_line(file, line, "\"base64 rank\": its base64 is damaged");
        row = trim(row.substr(space));
        int64_t rank = -1;
        const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), rank);
        if (error != std::errc() || end != row.data() + row.size()) bad_line(file, line, "\"base64 rank\": its rank is not a number");
        if (rank != static_cast<int64_t>(words.size())) bad_line(file, line, "in order: ranks should count up from 0");
        if (rank >= kMaxVocabulary) throw Error(ErrorKind::kTooLarge, cat(file, ": more than ", kMaxVocabulary, " tokens"));
        words.push_back(*std::move(word));
    }
    return words;
}

}  // namespace

bool is_tiktoken(std::string_view text) {
    const std::string_view row = text.substr(0, text.find('\n'));
    const size_t space = row.find(' ');
    return space != std::string_view::npos && decode_base64(row.substr(0, space)).has_value() && trim(row.substr(space)) == "0";
}

std::shared_ptr<const VocabularyTokenizer> load_tiktoken(std::string_view text, const std::string& file, const TokenizerConfig& config) {
    const std::vector<std::string> words = read_words(text, file);
    auto encoder = make_rank_encoder(words, 0, kLlama3Pattern, file);
    Vocabulary vocabulary;
    vocabulary.kind = "tiktoken";
    add_rank_entries(vocabulary, words);
    for (std::string& special : llama3_specials()) {
        AddedToken token;
        token.token = {.id = static_cast<int32_t>(vocabulary.entries.size()), .text = std::move(special), .control = true};
        vocabulary.add(std::move(token), file);
    }
    vocabulary.bos = vocabulary.find_added("<|begin_of_text|>");
    vocabulary.eos = vocabulary.find_added("<|end_of_text|>");
    vocabulary.adds_bos = true;
    apply_config(vocabulary, config);
    return std::make_shared<VocabularyTokenizer>(std::move(vocabulary), std::move(encoder));
}

}  // namespace hearth
