#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "loaders/tokenizer/bpe/ranks.h"
#include "loaders/tokenizer/json_fields.h"

namespace hearth {

namespace {

using nlohmann::json;

/// Files older than version 7 do not list their special tokens; these are what they mean.
const char* const kOldSpecials[] = {"<unk>",
                                    "<s>",
                                    "</s>",
                                    "[INST]",
                                    "[/INST]",
                                    "[AVAILABLE_TOOLS]",
                                    "[/AVAILABLE_TOOLS]",
                                    "[TOOL_RESULTS]",
                                    "[/TOOL_RESULTS]",
                                    "[TOOL_CALLS]",
                                    "[IMG]",
                                    "<pad>",
                                    "[IMG_BREAK]",
                                    "[IMG_END]",
                                    "[PREFIX]",
                                    "[MIDDLE]",
                                    "[SUFFIX]",
                                    "[SYSTEM_PROMPT]",
                                    "[/SYSTEM_PROMPT]",
                                    "[TOOL_CONTENT]"};

struct Special {
    std::string text;
    bool control = true;
};

std::vector<Special> read_specials(const json& root, size_t count, const std::string& file) {
    std::vector<Special> out(count);
    if (const json* list = fields::array(root, "special_tokens", file)) {
        const std::string where = file + ": special_tokens";
        for (const json& entry : *list) {
            const int64_t rank = fields::required(fields::integer(entry, "rank", where), "rank", where);
            if (rank < 0 || rank >= static_cast<int64_t>(count))
                throw Error(ErrorKind::kBadInput, cat(where, ": rank ", rank, " is not in [0, ", count, ")"));
            if (!out[rank].text.empty()) throw Error(ErrorKind::kBadInput, cat(where, ": rank ", rank, " stands twice"));
            out[rank] = {fields::required(fields::string(entry, "token_str", where), "token_str", where),
                         fields::boolean(entry, "is_control", where).value_or(true)};
        }
    } else {
        for (size_t i = 0; i < std::min(count, std::size(kOldSpecials)); ++i) out[i].text = kOldSpecials[i];
    }
    for (size_t i = 0; i < count; ++i) {
        if (out[i].text.empty()) out[i].text = cat("<SPECIAL_", i, ">");
    }
    return out;
}

std::vector<std::string> read_words(const json& list, size_t count, const std::string& file) {
    const std::string where = file + ": vocab";
    std::vector<std::string> words(count);
    for (size_t i = 0; i < count; ++i) {
        const json& entry = list[i];
        const int64_t rank = fields::required(fields::integer(entry, "rank", where), "rank", where);
        if (rank != static_cast<int64_t>(i))
            throw Error(ErrorKind::kBadInput, cat(where, ": entry ", i, " has rank ", rank, ", expected its place"));
        auto word = decode_base64(fields::required(fields::string(entry, "token_bytes", where), "token_bytes", where));
        if (!word) throw Error(ErrorKind::kBadInput, cat(where, ": token_bytes of rank ", i, " is not base64"));
        words[i] = *std::move(word);
    }
    return words;
}

}  // namespace

std::shared_ptr<const VocabularyTokenizer> load_tekken(std::string_view text, const std::string& file,
                                                       const TokenizerConfig& tokenizer_config) {
    const json root = parse_json(text, file);
    const json& config = fields::required(fields::object(root, "config", file), "config", file);
    const std::string where = file + ": config";
    const std::string pattern = fields::required(fields::string(config, "pattern", where), "pattern", where);
    const int64_t specials =
        fields::required(fields::integer(config, "default_num_special_tokens", where), "default_num_special_tokens", where);
    const int64_t total = fields::required(fields::integer(config, "default_vocab_size", where), "default_vocab_size", where);
    const json& list = fields::required(fields::array(root, "vocab", file), "vocab", file);
    if (specials < 0 || total <= specials || total > kMaxVocabulary || static_cast<size_t>(total - specials) > list.size()) {
        throw Error(ErrorKind::kBadInput, cat(where, ": default_vocab_size ", total, " and default_num_special_tokens ", specials,
                                              " do not fit a vocab of ", list.size()));
    }
    const std::vector<std::string> words = read_words(list, static_cast<size_t>(total - specials), file);
    auto encoder = make_rank_encoder(words, static_cast<int32_t>(specials), pattern, file);

    Vocabulary vocabulary;
    vocabulary.kind = "tekken";
    for (Special& special : read_specials(root, static_cast<size_t>(specials), file)) {
        AddedToken token;
        token.token = {.id = static_cast<int32_t>(vocabulary.entries.size()), .text = std::move(special.text), .control = special.control};
        vocabulary.add(std::move(token), file);
    }
    add_rank_entries(vocabulary, words);
    vocabulary.bos = vocabulary.find_added("<s>");
    vocabulary.eos = vocabulary.find_added("</s>");
    vocabulary.adds_bos = true;
    apply_config(vocabulary, tokenizer_config);
    return std::make_shared<VocabularyTokenizer>(std::move(vocabulary), std::move(encoder));
}

}  // namespace hearth
