// What both methods and filters do with texts. All keep provenance.
#pragma once

#include "chat/template/values/unicode.h"
#include "chat/template/values/value.h"

namespace hearth::jinja {

/// [begin, end) of `text`, a view into text->bytes(), as a text.
TextPtr part(Runtime& runtime, const TextPtr& text, std::string_view view);

/// Without `characters` (white space when null) at the chosen ends.
TextPtr stripped(Runtime& runtime, const TextPtr& text, const TextPtr& characters, bool left, bool right);

/// `limit` < 0: all of them.
TextPtr replaced(Runtime& runtime, const TextPtr& text, const Text& old, const Text& with, int64_t limit = -1);

/// Each character through append_cased, its case chosen by `choose(character)`, which sees them in order.
template <class Choose>
TextPtr recased(Runtime& runtime, const Text& text, Choose choose) {
    TextBuilder out(runtime);
    text.for_each_run([&](std::string_view piece, bool trusted) {
        std::string cased;
        for (size_t at = 0; at < piece.size();) {
            const uint32_t c = take_character(piece, at);
            append_cased(cased, c, choose(c));
        }
        out.add(cased, trusted);
    });
    return out.finish(text.markup());
}
TextPtr capitalized(Runtime& runtime, const Text& text);

/// `fill` repeated to bring `text` to `width` characters; `left` and `right` say on which sides, both: centred as Python does.
TextPtr padded(Runtime& runtime, const TextPtr& text, int64_t width, const Text& fill, bool left, bool right);

/// Byte offset of `what` in `text` from `from` on; npos when there is none. Linear.
size_t find_bytes(std::string_view text, std::string_view what, size_t from = 0);

/// The last one. Linear, too; long texts are charged.
size_t find_last_bytes(Runtime& runtime, std::string_view text, std::string_view what);

/// str.splitlines without keepends.
Values split_lines(Runtime& runtime, const TextPtr& text, bool keep_ends);

}  // namespace hearth::jinja
