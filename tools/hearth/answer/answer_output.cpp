#include "tools/hearth/answer/answer_output.h"

#include <unistd.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr std::string_view kFence = "```";

size_t width_of(uint32_t code) {
    const int width = utf8proc_charwidth(static_cast<utf8proc_int32_t>(code));
    return width > 0 ? static_cast<size_t>(width) : 0;
}

}  // namespace

std::string WordWrap::push(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Utf8Char c = next_utf8(text);
        const std::string_view character = text.substr(0, c.length);
        text.remove_prefix(c.length);
        if (width_ == 0) width_ = columns_();
        if (c.code == '\n') {
            place_word(out);
            out += spaces_;
            out += '\n';
            new_line();
        } else {
            add(character, c.code == '\t' ? 8 - column_ % 8 : width_of(c.code), out);
        }
    }
    return out;
}

void WordWrap::add(std::string_view character, size_t width, std::string& out) {
    if (line_start_.size() < kFence.size()) line_start_ += character;
    if (in_code_ || line_start_ == kFence) {
        place_word(out);
        out += spaces_;
        out += character;
        spaces_.clear();
        column_ += width;
    } else if (character == " " || character == "\t") {
        place_word(out);
        spaces_ += character;
    } else {
        if (width == 2) place_word(out);  // a wide character is a word of its own
        word_ += character;
        word_width_ += width;
    }
}

/// The held word with its spaces, on this line where it fits and else on the next.
void WordWrap::place_word(std::string& out) {
    if (word_.empty()) return;
    const size_t gap = spaces_.size();
    if (column_ > 0 && column_ + gap + word_width_ > width_) {
        out += '\n';
        column_ = 0;
        width_ = columns_();
    } else {
        out += spaces_;
        column_ += gap;
    }
    out += word_;
    column_ += word_width_;
    spaces_.clear();
    word_.clear();
    word_width_ = 0;
}

void WordWrap::new_line() {
    if (line_start_ == kFence) in_code_ = !in_code_;
    line_start_.clear();
    spaces_.clear();
    column_ = 0;
    width_ = 0;
}

std::string WordWrap::finish() {
    std::string out;
    place_word(out);
    return out;
}

std::string wrap_lines(std::string_view text, size_t columns) {
    WordWrap wrap([columns] { return columns; });
    std::string out = wrap.push(text);
    return out += wrap.finish();
}

AnswerOutput::AnswerOutput() : people_(is_terminal(STDOUT_FILENO)), wrap_([] { return terminal_columns(STDOUT_FILENO); }) {}

void AnswerOutput::write(std::string_view piece) { write_out(people_ ? wrap_.push(terminal_safe(piece)) : std::string(piece)); }

void AnswerOutput::end(bool newline) {
    std::string rest = people_ ? wrap_.finish() : "";
    if (newline) rest += '\n';
    if (!rest.empty()) write_out(rest);
}

}  // namespace hearth::tool
