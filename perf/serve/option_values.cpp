#include "perf/serve/option_values.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace hearth::perf {

void refuse(std::string_view option, std::string_view expected, std::string_view found) {
    throw Error(ErrorKind::kBadInput, cat(option, ": expected ", expected, ", found \"", printable(found, 60), "\""));
}

Range read_range(std::string_view option, std::string_view text, int64_t most) {
    const size_t dots = text.find("..");
    const Range out = {read_number<int64_t>(option, text.substr(0, dots), 1, most),
                       read_number<int64_t>(option, dots == std::string_view::npos ? text : text.substr(dots + 2), 1, most)};
    if (out.low > out.high) refuse(option, "N, or LOW..HIGH with LOW the smaller", text);
    return out;
}

std::string read_header(std::string_view option, std::string_view text) {
    const size_t colon = text.find(':');
    const bool acts = std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
    if (colon == 0 || colon == std::string_view::npos || text.substr(0, colon).find(' ') != std::string_view::npos || acts)
        refuse(option, "\"Name: value\"", text);
    return std::string(text);
}

std::string read_url(std::string_view option, std::string_view text) {
    const size_t host = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
    while (text.ends_with('/')) text.remove_suffix(1);
    if (host == 0 || text.size() <= host || text.find_first_of("?#@ \t\r\n", host) != std::string_view::npos)
        refuse(option, "http://HOST:PORT or https://HOST:PORT", text);
    return std::string(text);
}

std::string read_key(std::string_view option, std::string_view text) {
    const std::string variable(text);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == 0) refuse(option, "the name of an environment variable that is set", text);
    if (std::string_view(value).find_first_of("\r\n") != std::string_view::npos)
        throw Error(ErrorKind::kBadInput, cat(option, ": expected a key in one line"));
    return value;
}

}  // namespace hearth::perf
