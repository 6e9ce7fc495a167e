#include "base/utf8.h"
#include "loaders/tokenizer/tokenizer.h"

namespace hearth {

std::optional<int32_t> Tokenizer::find_special(std::string_view text) const {
    for (const SpecialToken& token : specials()) {
        if (token.text == text) return token.id;
    }
    return std::nullopt;
}

TextDecoder::TextDecoder(const Tokenizer& tokenizer, bool show_special, bool prompt_is_empty)
    : tokenizer_(tokenizer), show_special_(show_special), at_start_(prompt_is_empty) {}

std::string TextDecoder::push(int32_t id) {
    if (at_start_) {
        pending_ += tokenizer_.decode({id}, show_special_);
        at_start_ = tokenizer_.token_bytes(id, false).empty();  // control tokens are not yet the text
    } else {
        pending_ += tokenizer_.token_bytes(id, show_special_);
    }
    const size_t ready = complete_utf8(pending_);
    std::string out = sanitize_utf8(std::string_view(pending_).substr(0, ready));
    pending_.erase(0, ready);
    return out;
}

std::string TextDecoder::finish() {
    std::string out = sanitize_utf8(pending_);
    pending_.clear();
    return out;
}

}  // namespace hearth
