// Small strings: putting messages together, numbers for people.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// The arguments written one after the other: cat("found ", 3, " of ", 4).
template <class... Parts>
std::string cat(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return std::move(out).str();
}

/// `parts` with `between` between them.
std::string join(const std::vector<std::string>& parts, std::string_view between);

/// `text` cut at every `at`; "a,,b" has three parts, "" has one.
std::vector<std::string> split(std::string_view text, char at);

/// `text` without the ASCII white space at both ends.
std::string_view trim(std::string_view text);

/// "1.25 GB", "12.0 MB", "812 B": powers of 1000, three digits.
std::string human_bytes(int64_t bytes);

/// `value` with `decimals` digits after the point.
std::string fixed(double value, int decimals);

/// Whether a character does something to the line that it stands in rather than show itself: control characters (C0, DEL, C1), line
/// separators, and those that turn the direction of what follows.
bool acts_on_its_line(uint32_t code);

/// `text` made safe to print in one line: control characters (C0, DEL, C1, line separators, and those that turn the direction of what
/// follows) and invalid UTF-8 escaped byte by byte as \xNN, cut to about `limit` bytes with an ellipsis.
std::string printable(std::string_view text, size_t limit = 120);

}  // namespace hearth
