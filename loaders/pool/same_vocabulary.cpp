#include "loaders/pool/same_vocabulary.h"

#include <map>

#include "base/text.h"

namespace hearth {
namespace {

/// Text by id of the special tokens.
std::map<int32_t, std::string> specials_of(const Tokenizer& tokenizer) {
    std::map<int32_t, std::string> out;
    for (const SpecialToken& special : tokenizer.specials()) out.emplace(special.id, special.text);
    return out;
}

std::string quoted(const std::string& text) { return cat('"', printable(text, 40), '"'); }

}  // namespace

std::optional<std::string> vocabulary_difference(const Tokenizer& model, const Tokenizer& draft) {
    if (model.vocab_size() != draft.vocab_size())
        return cat("expected ", model.vocab_size(), " tokens as the model has, found ", draft.vocab_size());
    const auto specials = specials_of(model), others = specials_of(draft);
    for (int32_t id = 0; id < model.vocab_size(); ++id) {
        const std::string bytes = model.token_bytes(id, true), other = draft.token_bytes(id, true);
        if (bytes != other) return cat("expected token ", id, " to be ", quoted(bytes), " as in the model, found ", quoted(other));
        const auto special = specials.find(id), other_special = others.find(id);
        const bool is_special = special != specials.end(), is_other = other_special != others.end();
        if (is_special != is_other || (is_special && special->second != other_special->second))
            return cat("expected token ", id, " (", quoted(bytes), ") to be special in both models or in none");
    }
    return std::nullopt;
}

}  // namespace hearth
