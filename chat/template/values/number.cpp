#include "chat/template/values/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "chat/template/values/unicode.h"

namespace hearth::jinja {
namespace {

/// "1_000" -> "1000"; nothing where an underscore does not stand between two digits.
std::optional<std::string> without_underscores(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') {
            out += text[i];
            continue;
        }
        const auto digit = [&](size_t at) { return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0; };
        if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
    }
    return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
    return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                      [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}

}  // namespace

std::string float_repr(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
    std::string_view text(buffer, static_cast<size_t>(end - buffer));
    std::string out;
    if (text.front() == '-') {
        out = "-";
        text.remove_prefix(1);
    }
    const size_t e = text.find('e');
    int exponent = 0;
    const size_t sign = text[e + 1] == '+' ? 2 : 1;
    std::from_chars(text.data() + e + sign, text.data() + text.size(), exponent);
    std::string digits(text.substr(0, e));
    digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
    const int count = static_cast<int>(digits.size());
    if (exponent < -4 || exponent >= 16) {
        out += digits.substr(0, 1);
        if (count > 1) out += "." + digits.substr(1);
        char tail[16];
        std::snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
        return out + tail;
    }
    if (exponent < 0) return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
    if (count <= exponent + 1) return out + digits + std::string(static_cast<size_t>(exponent + 1 - count), '0') + ".0";
    return out + digits.substr(0, static_cast<size_t>(exponent + 1)) + "." + digits.substr(static_cast<size_t>(exponent + 1));
}

std::optional<int64_t> parse_int(std::string_view text, int base) {
    auto plain = without_underscores(strip_space(text));
    if (!plain || plain->empty() || base < 0 || base == 1 || base > 36) return std::nullopt;
    bool negative = false;
    std::string_view digits = *plain;
    if (digits[0] == '-' || digits[0] == '+') {
        negative = digits[0] == '-';
        digits.remove_prefix(1);
    }
    if (digits.size() > 2 && digits[0] == '0') {
        const char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(digits[1])));
        const int implied = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
        if (implied != 0 && (base == implied || base == 0)) {
            digits.remove_prefix(2);
            base = implied;
        }
    }
    if (base == 0) base = 10;
    uint64_t magnitude = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    constexpr uint64_t kMost = uint64_t{1} << 63;
    if (magnitude > kMost || (magnitude == kMost && !negative)) return std::nullopt;
    return negative ? static_cast<int64_t>(0 - magnitude) : static_cast<int64_t>(magnitude);
}

std::optional<double> parse_float(std::string_view text) {
    auto plain = without_underscores(strip_space(text));
    if (!plain || plain->empty()) return std::nullopt;
    bool negative = false;
    std::string_view rest = *plain;
    if (rest[0] == '-' || rest[0] == '+') {
        negative = rest[0] == '-';
        rest.remove_prefix(1);
    }
    double value = 0;
    if (equals_ignoring_case(rest, "inf") || equals_ignoring_case(rest, "infinity")) {
        value = HUGE_VAL;
    } else if (equals_ignoring_case(rest, "nan")) {
        value = NAN;
    } else {
        if (rest.empty() || (!std::isdigit(static_cast<unsigned char>(rest[0])) && rest[0] != '.')) return std::nullopt;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
        if (end != rest.data() + rest.size()) return std::nullopt;
        if (error == std::errc::result_out_of_range)
            value = std::strtod(std::string(rest).c_str(), nullptr);  // 0 or infinity
        else if (error != std::errc())
            return std::nullopt;
    }
    return negative ? -value : value;
}

std::optional<int64_t> truncate_float(double value) {
    if (!(std::abs(value) < 9223372036854775808.0)) return std::nullopt;
    return static_cast<int64_t>(value);
}

double round_half_even(double value, int digits) {
    if (!std::isfinite(value)) return value;
    if (digits <= 0) {
        const double unit = std::pow(10.0, -digits);
        return std::isinf(unit) ? 0.0 * value : std::nearbyint(value / unit) * unit;
    }
    if (digits > 320) return value;
    char buffer[700];  // 309 digits before the point, 320 behind it
    std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
    return std::strtod(buffer, nullptr);
}

}  // namespace hearth::jinja
