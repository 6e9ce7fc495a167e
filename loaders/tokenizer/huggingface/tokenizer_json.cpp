#include "loaders/tokenizer/huggingface/tokenizer_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "loaders/tokenizer/huggingface/components.h"
#include "loaders/tokenizer/json_fields.h"

namespace hearth {

namespace {

using nlohmann::json;

const std::pair<std::string, std::string> kMarkToSpace{"\xE2\x96\x81", " "};

/// The special token that the post-processor puts in front of a text, or "".
std::string leading_token(const json* node, const std::string& file) {
    if (!node) return "";
    const std::string where = file + ": post_processor";
    const std::string type = fields::required(fields::string(*node, "type", where), "type", where);
    if (type == "ByteLevel") return "";
    if (type == "Sequence") {
        std::string out;
        for (const json& step : fields::required(fields::array(*node, "processors", where), "processors", where)) {
            if (std::string found = leading_token(&step, file); !found.empty()) out = std::move(found);
        }
        return out;
    }
    if (type != "TemplateProcessing")
        throw Error(ErrorKind::kUnsupported,
                    cat(where, " ", printable(type, 40), " is not supported; Sequence, ByteLevel and TemplateProcessing are"));
    const json* single = fields::array(*node, "single", where);
    if (!single || single->empty()) return "";
    const json* special = fields::object(single->front(), "SpecialToken", where);
    return special ? fields::string(*special, "id", where).value_or("") : "";
}

std::vector<AddedToken> read_added_tokens(const json& root, const std::string& file) {
    std::vector<AddedToken> out;
    const json* list = fields::array(root, "added_tokens", file);
    if (!list) return out;
    const std::string where = file + ": added_tokens";
    for (const json& entry : *list)
        out.push_back(parse_added_token(entry, fields::required(fields::integer(entry, "id", where), "id", where), where));
    return out;
}

/// Tokens that only a template may write.
std::unordered_set<int32_t> special_ids(const std::vector<AddedToken>& added, const TokenizerConfig& config) {
    std::unordered_set<int32_t> out;
    for (const auto* list : {&added, &config.added}) {
        for (const AddedToken& token : *list) {
            if (!token.anywhere) out.insert(token.token.id);
        }
    }
    return out;
}

/// Ordinary words that are to be found in the normalised text: the encoder does that. Others are found in the text as it was written.
std::vector<AddedToken> take_normalized_words(Vocabulary& vocabulary) {
    std::vector<AddedToken> out;
    for (AddedToken& token : vocabulary.added) {
        if (!token.anywhere || !token.normalized) continue;
        token.left_to_encoder = true;
        out.push_back(token);
    }
    return out;
}

RoundTrip promise(const BpeModel& model, const ParsedNormalizer& normalizer, const ParsedPreTokenizer& pre_tokenizer,
                  const ParsedDecoder& decoder) {
    if (normalizer.rewrites || pre_tokenizer.removes || pre_tokenizer.prepends) return RoundTrip::kUpToUnknown;
    if (model.byte_level)
        return model.has_all_bytes() && decoder.byte_level && normalizer.steps.empty() ? RoundTrip::kBytes : RoundTrip::kUpToUnknown;
    // A mark that is no token becomes three bytes, which decode to the mark and not to a space.
    const bool marks_become_spaces = model.char_ids.contains(0x2581) &&
                                     std::ranges::all_of(decoder.replaces, [](const auto& r) { return r == kMarkToSpace; }) &&
                                     !decoder.replaces.empty();
    return model.byte_fallback && model.has_all_bytes() && decoder.byte_fallback && marks_become_spaces &&
                   normalizer.prepends == decoder.drops_prefix_space
               ? RoundTrip::kSanitizedText
               : RoundTrip::kUpToUnknown;
}

}  // namespace

std::shared_ptr<const VocabularyTokenizer> load_tokenizer_json(std::string_view text, const std::string& file,
                                                               const TokenizerConfig& config) {
    const json root = parse_json(text, file);
    ParsedNormalizer normalizer = parse_normalizer(fields::find(root, "normalizer", file), file);
    ParsedPreTokenizer pre_tokenizer = parse_pre_tokenizer(fields::find(root, "pre_tokenizer", file), config.add_prefix_space, file);
    const ParsedDecoder decoder = parse_decoder(fields::find(root, "decoder", file), pre_tokenizer.byte_level, file);
    const std::vector<AddedToken> added = read_added_tokens(root, file);
    ParsedModel model = parse_bpe_model(fields::required(fields::object(root, "model", file), "model", file), pre_tokenizer.byte_level,
                                        special_ids(added, config), file);

    Vocabulary vocabulary;
    vocabulary.kind = "tokenizer.json";
    vocabulary.round_trip = promise(model.model, normalizer, pre_tokenizer, decoder);
    vocabulary.drops_prefix_space = decoder.drops_prefix_space;
    for (std::string& token : model.tokens) {
        std::string bytes = decode_token(decoder, token, file);
        vocabulary.entries.push_back({std::move(token), std::move(bytes), false});
    }
    for (const AddedToken& token : added) vocabulary.add(token, file + ": added_tokens");
    if (const std::string first = leading_token(fields::find(root, "post_processor", file), file); !first.empty()) {
        vocabulary.bos = vocabulary.find_added(first);
        vocabulary.adds_bos = vocabulary.bos.has_value();
    }
    apply_config(vocabulary, config);
    if ((normalizer.prepends && vocabulary.cuts_any_text()) || vocabulary.drops_spaces()) vocabulary.round_trip = RoundTrip::kUpToUnknown;
    const std::vector<AddedToken> words = take_normalized_words(vocabulary);
    auto encoder = std::make_unique<BpeEncoder>(std::move(normalizer.steps), std::move(pre_tokenizer.steps), std::move(model.model), words);
    return std::make_shared<VocabularyTokenizer>(std::move(vocabulary), std::move(encoder));
}

}  // namespace hearth
