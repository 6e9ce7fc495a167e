// Values of options: read whole, or refused.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "base/text.h"
#include "perf/serve/load/load_options.h"

namespace hearth::perf {

/// Error{kBadInput}: "--rate: expected EXPECTED, found "FOUND"".
[[noreturn]] void refuse(std::string_view option, std::string_view expected, std::string_view found);

/// A number from `least` to `most`, and nothing behind it.
template <class T>
T read_number(std::string_view option, std::string_view text, T least, T most) {
    T value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
        refuse(option, cat("a number from ", least, " to ", most), text);
    return value;
}

/// "5" or "5..9", each from 1 to `most`.
Range read_range(std::string_view option, std::string_view text, int64_t most);

/// "Name: value" in one line.
std::string read_header(std::string_view option, std::string_view text);

/// http or https, a host, perhaps a path; without user, query and the slash at the end.
std::string read_url(std::string_view option, std::string_view text);

/// What the environment variable `text` holds; never a part of an error.
std::string read_key(std::string_view option, std::string_view text);

}  // namespace hearth::perf
