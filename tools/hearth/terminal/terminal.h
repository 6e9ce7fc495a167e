// Standard output and standard error: results go to the first, everything else to the second, and colours only to people.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace hearth::tool {

class Interrupts;

enum class Paint : uint8_t { kBold, kDim, kRed, kGreen, kYellow, kCyan };

/// Standard output (1) or standard error (2) is a terminal.
bool is_terminal(int descriptor);

/// How wide the window of `descriptor` is; 80 where that is not known.
size_t terminal_columns(int descriptor);

/// A terminal that can move its cursor.
bool has_cursor(int descriptor);

/// A terminal whose user did not say NO_COLOR (no-color.org) or TERM=dumb.
bool has_colour(int descriptor);

/// `text` in a colour where `descriptor` takes colours.
std::string painted(std::string_view text, Paint paint, int descriptor);

/// Writes all of `text` to standard output at once. Throws Interrupted{SIGPIPE} when its reader has gone, Error{kIo} when it is full.
void write_out(std::string_view text);

/// `line` and a newline to standard error; a failure is nobody's concern. Whatever `line` was made of, no control character but newline and
/// tab reaches the terminal: colours come from `paint` alone.
void write_note(std::string_view line);

/// The same with `line` in a colour, and `rest` behind it without.
void write_note(std::string_view line, Paint paint, std::string_view rest = {});

/// `text` without the characters that move cursors, change titles or colours, or turn the direction of what follows, as U+FFFD: a model's
/// words must not drive a terminal. Newlines and tabs stay. `text` is valid UTF-8.
std::string terminal_safe(std::string_view text);

/// All of standard input, or of a file. Throws Error{kTooLarge} with both numbers past `most_bytes`, Error{kNotFound, kIo} naming the file.
std::string read_input(int64_t most_bytes);
std::string read_file(const std::string& path, int64_t most_bytes);

/// One line on standard error that is written over while work goes on: amount, speed, seconds. Not on a terminal: a line when a piece of
/// work starts and one when it ends. Any thread may report.
class ProgressLine {
public:
    /// `interrupts`, where given, is asked at each report, and the work cancelled.
    explicit ProgressLine(bool quiet, Interrupts* interrupts = nullptr);
    ~ProgressLine();  // ends a line that was left open
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void report(const ProgressUpdate& update, const std::string& remark = "");
    Progress callback() {
        return [this](const ProgressUpdate& update) { report(update); };
    }

private:
    using Clock = std::chrono::steady_clock;
    std::string line(const ProgressUpdate& update, const std::string& remark, double seconds) const;
    void draw(const std::string& text);

    const bool quiet_, in_place_;
    Interrupts* const interrupts_;
    std::mutex mutex_;
    std::string what_;  // that the times below are about
    Clock::time_point start_, drawn_;
    bool open_ = false;      // a line stands there that has not ended
    bool finished_ = false;  // the last report of `what_` was its end
};

/// "1,234,567".
std::string grouped(int64_t number);

}  // namespace hearth::tool
