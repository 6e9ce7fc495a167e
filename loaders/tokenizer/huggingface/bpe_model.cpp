#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "loaders/tokenizer/bpe/byte_level.h"
#include "loaders/tokenizer/huggingface/components.h"
#include "loaders/tokenizer/json_fields.h"

namespace hearth {

namespace {

using nlohmann::json;

constexpr size_t kMaxToken = 64 * 1024;
constexpr size_t kMaxMerges = 16'000'000;

void refuse_option(const json& node, const char* key, const std::string& where) {
    const json* value = fields::find(node, key, where);
    if (!value || (value->is_string() && value->get_ref<const std::string&>().empty()) || (value->is_number() && value->get<double>() == 0))
        return;
    throw Error(ErrorKind::kUnsupported, cat(where, ": ", key, " is not supported"));
}

std::vector<std::string> read_tokens(const json& vocab, TokenIds& ids, const std::string& where) {
    std::vector<std::string> tokens;
    ids.reserve(vocab.size());
    for (const auto& [text, value] : vocab.items()) {
        if (!value.is_number_integer())
            throw Error(ErrorKind::kBadInput,
                        cat(where, ": the id of \"", printable(text, 40), "\" is ", value.type_name(), ", expected an integer"));
        const int64_t id = value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX ? INT64_MAX : value.get<int64_t>();
        check_token_id(id, vocab.size(), where);
        if (text.empty()) continue;  // a token that no text leads to
        if (text.size() > kMaxToken)
            throw Error(ErrorKind::kTooLarge, cat(where, ": token ", id, " has ", text.size(), " bytes, at most ", kMaxToken, " are read"));
        if (id >= static_cast<int64_t>(tokens.size())) tokens.resize(static_cast<size_t>(id) + 1);
        if (!tokens[id].empty()) {
            throw Error(ErrorKind::kBadInput,
                        cat(where, ": \"", printable(tokens[id], 40), "\" and \"", printable(text, 40), "\" have the same id ", id));
        }
        tokens[id] = text;
        ids.emplace(text, static_cast<int32_t>(id));
    }
    return tokens;
}

/// The two sides of a merge: "a b" in older files, ["a", "b"] in newer ones.
std::pair<std::string_view, std::string_view> merge_sides(const json& merge, size_t rank, const std::string& where) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
    }
    if (merge.is_string()) {
        const std::string_view text = merge.get_ref<const std::string&>();
        const size_t space = text.find(' ');
        if (space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos)
            return {text.substr(0, space), text.substr(space + 1)};
    }
    throw Error(ErrorKind::kBadInput,
                cat(where, ": merge ", rank, " is ", printable(merge.dump(-1, ' ', false, json::error_handler_t::replace), 60),
                    ", expected two tokens, as \"a b\" or [\"a\", \"b\"]"));
}

void read_merges(BpeModel& model, const json& list, const TokenIds& ids, const std::unordered_set<int32_t>& special,
                 const std::string& where) {
    if (list.size() > kMaxMerges)
        throw Error(ErrorKind::kTooLarge, cat(where, ": ", list.size(), " merges, at most ", kMaxMerges, " are read"));
    model.merges = MergeTable(list.size());
    std::string joined;
    for (size_t rank = 0; rank < list.size(); ++rank) {
        const auto [left, right] = merge_sides(list[rank], rank, where);
        joined.assign(left);
        joined += right;
        const auto l = ids.find(left), r = ids.find(right), both = ids.find(joined);
        if (l == ids.end() || r == ids.end() || both == ids.end()) {
            const std::string_view gone = l == ids.end() ? left : r == ids.end() ? right : std::string_view(joined);
            throw Error(ErrorKind::kBadInput,
                        cat(where, ": merge ", rank, " needs the token \"", printable(gone, 40), "\", which the vocabulary lacks"));
        }
        if (special.contains(both->second)) continue;  // a person could spell it
        model.merges.set(l->second, r->second, {static_cast<int32_t>(rank), both->second});
    }
}

/// Tells the model where words can be cut. Tokens that are not spelt in symbols (fallback bytes, the unknown token) take part in no merge
/// of real files; where they do, words are not cut.
void note_joins(BpeModel& model, const json& list, const TokenIds& ids, const std::string& where) {
    const auto spelt = [&](std::string_view token) -> std::optional<std::string> {
        if (model.byte_level) return bytes_of_byte_level(token);
        const auto found = ids.find(token);
        if (parse_byte_token(token) || (found != ids.end() && found->second == model.unknown)) return std::nullopt;
        return std::string(token);
    };
    for (size_t rank = 0; rank < list.size(); ++rank) {
        const auto [left, right] = merge_sides(list[rank], rank, where);
        const auto l = spelt(left), r = spelt(right);
        if (!l || !r) return;
        model.note_join(*l, *r);
    }
    model.cuts_words = true;
}

void set_symbols(BpeModel& model, const std::vector<std::string>& tokens, const std::unordered_set<int32_t>& special) {
    for (size_t i = 0; i < tokens.size(); ++i) {
        const std::string& token = tokens[i];
        const auto id = static_cast<int32_t>(i);
        if (token.empty() || special.contains(id)) continue;
        if (model.byte_level) {
            if (const auto bytes = bytes_of_byte_level(token); bytes && bytes->size() == 1)
                model.byte_ids[static_cast<unsigned char>((*bytes)[0])] = id;
        } else {
            const Utf8Char c = next_utf8(token);
            if (c.valid && c.length == token.size()) model.char_ids.emplace(c.code, id);
            if (const auto byte = parse_byte_token(token)) model.byte_ids[*byte] = id;
        }
    }
}

void set_whole_words(BpeModel& model, const std::vector<std::string>& tokens, const std::unordered_set<int32_t>& special) {
    for (size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].empty() || special.contains(static_cast<int32_t>(i))) continue;
        auto bytes = model.byte_level ? bytes_of_byte_level(tokens[i]) : tokens[i];
        if (!bytes) continue;
        model.longest_whole_word = std::max(model.longest_whole_word, bytes->size());
        model.whole_words.emplace(*std::move(bytes), static_cast<int32_t>(i));
    }
}

}  // namespace

ParsedModel parse_bpe_model(const json& node, bool byte_level, const std::unordered_set<int32_t>& special, const std::string& file) {
    const std::string where = file + ": model";
    const std::string type = fields::string(node, "type", where).value_or(node.contains("merges") ? "BPE" : "unnamed");
    if (type != "BPE") throw Error(ErrorKind::kUnsupported, cat(where, " ", printable(type, 40), " is not supported; BPE is"));
    for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) refuse_option(node, key, where);

    ParsedModel out;
    out.model.byte_level = byte_level;
    out.model.fuse_unknown = fields::boolean(node, "fuse_unk", where).value_or(false);
    TokenIds ids;
    out.tokens = read_tokens(fields::required(fields::object(node, "vocab", where), "vocab", where), ids, where + ".vocab");
    read_merges(out.model, fields::required(fields::array(node, "merges", where), "merges", where), ids, special, where + ".merges");
    set_symbols(out.model, out.tokens, special);
    if (fields::boolean(node, "ignore_merges", where).value_or(false)) set_whole_words(out.model, out.tokens, special);
    out.model.byte_fallback = !byte_level && fields::boolean(node, "byte_fallback", where).value_or(false);
    if (const auto unknown = fields::string(node, "unk_token", where)) {
        const auto found = ids.find(*unknown);
        if (found == ids.end())
            throw Error(ErrorKind::kBadInput, cat(where, ": unk_token \"", printable(*unknown, 40), "\" is not in the vocabulary"));
        out.model.unknown = found->second;
    }
    note_joins(out.model, node["merges"], ids, where + ".merges");
    return out;
}

}  // namespace hearth
