#include "chat/template/library/text_operations.h"

#include <cstring>

namespace hearth::jinja {

TextPtr part(Runtime& runtime, const TextPtr& text, std::string_view view) {
    const auto begin = view.empty() ? 0 : static_cast<size_t>(view.data() - text->bytes().data());
    return slice(runtime, text, begin, begin + view.size());
}

size_t find_bytes(std::string_view text, std::string_view what, size_t from) {
    if (from > text.size()) return std::string_view::npos;
    if (what.empty()) return from;
    const void* found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
    return found ? static_cast<size_t>(static_cast<const char*>(found) - text.data()) : std::string_view::npos;
}

size_t find_last_bytes(Runtime& runtime, std::string_view text, std::string_view what) {
    constexpr size_t kShort = 64;
    if (what.size() <= kShort || what.size() > text.size()) return text.rfind(what);
    runtime.work(text.size() * 2);
    const std::string reversed_text(text.rbegin(), text.rend()),
        reversed_what(what.rbegin(), what.rend());  // rfind would take |text| * |what|
    const size_t found = find_bytes(reversed_text, reversed_what);
    return found == std::string_view::npos ? found : text.size() - found - what.size();
}

TextPtr stripped(Runtime& runtime, const TextPtr& text, const TextPtr& characters, bool left, bool right) {
    if (!characters) return part(runtime, text, strip_space(text->bytes(), left, right));
    std::u32string set;
    for (size_t at = 0; at < characters->size();) set += static_cast<char32_t>(take_character(characters->bytes(), at));
    runtime.step(static_cast<int64_t>(set.size()));
    const std::string_view bytes = text->bytes();
    size_t begin = 0, end = bytes.size();
    const auto in_set = [&](size_t at, size_t& next) {
        next = at;
        runtime.step();
        return set.find(static_cast<char32_t>(take_character(bytes, next))) != std::u32string::npos;
    };
    size_t next = 0;
    while (left && begin < end && in_set(begin, next)) begin = next;
    while (right && end > begin) {
        size_t last = end - 1;
        while (last > begin && continues(bytes[last])) --last;
        if (!in_set(last, next)) break;
        end = last;
    }
    return slice(runtime, text, begin, end);
}

TextPtr replaced(Runtime& runtime, const TextPtr& text, const Text& old, const Text& with, int64_t limit) {
    TextBuilder out(runtime);
    const std::string_view bytes = text->bytes();
    size_t at = 0;
    if (old.size() == 0) {  // between all characters
        while (limit != 0) {
            runtime.step();
            --limit;
            out.add(with);
            if (at >= bytes.size()) return out.finish(text->markup());
            const size_t begin = at;
            take_character(bytes, at);
            out.add(*text, begin, at);
        }
        return out.add(*text, at, bytes.size()).finish(text->markup());
    }
    for (size_t found; limit != 0 && (found = find_bytes(bytes, old.bytes(), at)) != std::string_view::npos; --limit) {
        runtime.step();
        out.add(*text, at, found).add(with);
        at = found + old.size();
    }
    if (at == 0) return text;
    return out.add(*text, at, bytes.size()).finish(text->markup());
}

TextPtr capitalized(Runtime& runtime, const Text& text) {
    return recased(runtime, text, [first = true](uint32_t) mutable { return std::exchange(first, false) ? Case::kTitle : Case::kLower; });
}

TextPtr padded(Runtime& runtime, const TextPtr& text, int64_t width, const Text& fill, bool left, bool right) {
    const auto length = static_cast<int64_t>(count_characters(text->bytes()));
    if (width <= length) return text;
    const int64_t missing = width - length;
    runtime.check_text(static_cast<size_t>(missing) * fill.size());
    runtime.step(missing);
    const int64_t before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0;
    TextBuilder out(runtime);
    for (int64_t i = 0; i < before; ++i) out.add(fill);
    out.add(*text);
    for (int64_t i = before; i < missing; ++i) out.add(fill);
    return out.finish(text->markup());
}

Values split_lines(Runtime& runtime, const TextPtr& text, bool keep_ends) {
    const std::string_view bytes = text->bytes();
    Values out;
    for (size_t at = 0; at < bytes.size();) {
        runtime.step();
        const size_t begin = at;
        size_t end = bytes.size();
        while (at < bytes.size()) {
            end = at;
            const uint32_t c = take_character(bytes, at);
            const bool breaks = (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
            if (breaks) {
                if (c == '\r' && at < bytes.size() && bytes[at] == '\n') ++at;
                break;
            }
            end = at;
        }
        out.push_back(slice(runtime, text, begin, keep_ends ? at : end));
    }
    return out;
}

}  // namespace hearth::jinja
