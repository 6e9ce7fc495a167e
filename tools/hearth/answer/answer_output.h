// A model's answer on standard output: byte for byte for programs, wrapped at words and without control characters for people.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace hearth::tool {

/// Breaks lines between words as text comes in pieces. A word is held back until the piece that ends it, so that nothing that was shown
/// ever moves. Lines of a block of code (between ``` lines) are left as they are: whoever copies them wants them so. Between two wide
/// characters, as Chinese writes them without spaces, a line may break too.
class WordWrap {
public:
    /// `columns` is asked at the beginning of each line: a window may change its size. It gives at least 1.
    explicit WordWrap(std::function<size_t()> columns) : columns_(std::move(columns)) {}

    /// What can be shown now. `text` is valid UTF-8 and may end in the middle of a word.
    std::string push(std::string_view text);

    /// The word that was held back.
    std::string finish();

private:
    void add(std::string_view character, size_t width, std::string& out);
    void place_word(std::string& out);
    void new_line();

    std::function<size_t()> columns_;
    std::string spaces_, word_;                       // what was held back: spaces, then the word behind them
    size_t column_ = 0, word_width_ = 0, width_ = 0;  // width_: of the window, 0 until the line's first character
    std::string line_start_;                          // the first characters of the line, to know ``` by
    bool in_code_ = false;
};

/// `text` with its lines broken between words so that none is wider than `columns` where words allow it.
std::string wrap_lines(std::string_view text, size_t columns);

/// Writes an answer. Throws as write_out does.
class AnswerOutput {
public:
    AnswerOutput();

    void write(std::string_view piece);

    /// The rest, and a newline where wanted.
    void end(bool newline);

private:
    const bool people_;
    WordWrap wrap_;
};

}  // namespace hearth::tool
