// Numbers as Python reads and writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::jinja {

/// repr(float): the shortest digits that read back the same; an exponent below 1e-4 and from 1e16.
std::string float_repr(double value);

/// int(text, base) and float(text), or nothing when it is not one (or an int beyond 64 bits).
std::optional<int64_t> parse_int(std::string_view text, int base = 10);
std::optional<double> parse_float(std::string_view text);

/// A float without its fraction, or nothing when it does not fit in 64 bits.
std::optional<int64_t> truncate_float(double value);

/// round(value, digits): halves to even, on the exact value.
double round_half_even(double value, int digits);

}  // namespace hearth::jinja
