#include "chat/template/values/text.h"

namespace hearth::jinja {

bool Text::trusted_at(size_t at) const {
    const auto border = std::upper_bound(borders_.begin(), borders_.end(), at);
    return first_trusted_ != ((border - borders_.begin()) % 2 == 1);
}

TextBuilder& TextBuilder::add(std::string_view bytes, bool trusted) {
    if (bytes.empty()) return *this;
    runtime_.check_text(bytes_.size() + bytes.size());
    if (bytes_.empty()) {
        first_trusted_ = trusted;
    } else if (trusted != last_trusted_) {
        borders_.push_back(bytes_.size());
    }
    last_trusted_ = trusted;
    bytes_.append(bytes);
    return *this;
}

TextBuilder& TextBuilder::add(const Text& text, size_t begin, size_t end) {
    text.for_each_run(begin, end, [this](std::string_view piece, bool trusted) { add(piece, trusted); });
    return *this;
}

TextPtr TextBuilder::finish(bool markup) {
    runtime_.work(bytes_.size());
    auto text = std::make_shared<const Text>(&runtime_, std::move(bytes_), first_trusted_, std::move(borders_), markup);
    bytes_.clear();
    borders_.clear();
    return text;
}

TextPtr slice(Runtime& runtime, const TextPtr& text, size_t begin, size_t end) {
    if (begin == 0 && end == text->size()) return text;
    TextBuilder out(runtime);
    return out.add(*text, begin, end).finish(text->markup());
}

TextPtr with_markup(Runtime& runtime, const TextPtr& text, bool markup) {
    if (text->markup() == markup) return text;
    TextBuilder out(runtime);
    return out.add(*text).finish(markup);
}

TextPtr escape(Runtime& runtime, const Text& text) {
    TextBuilder out(runtime);
    text.for_each_run([&](std::string_view piece, bool trusted) {
        while (!piece.empty()) {
            const size_t plain = std::min(piece.find_first_of("&<>'\""), piece.size());
            out.add(piece.substr(0, plain), trusted);
            if (plain == piece.size()) break;
            const char c = piece[plain];
            out.add(c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '\'' ? "&#39;" : "&#34;", trusted);
            piece.remove_prefix(plain + 1);
        }
    });
    return out.finish(true);
}

}  // namespace hearth::jinja
