// Arithmetic on sizes that come from outside.
#pragma once

#include <concepts>
#include <optional>

namespace hearth {

/// a * b, or nothing when it does not fit.
template <std::integral T>
constexpr std::optional<T> checked_mul(T a, T b) {
    T out{};
    if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
    return out;
}

/// a + b, or nothing when it does not fit.
template <std::integral T>
constexpr std::optional<T> checked_add(T a, T b) {
    T out{};
    if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
    return out;
}

/// ceil(a / b) for a >= 0, b > 0.
template <std::integral T>
constexpr T ceil_div(T a, T b) {
    return a / b + (a % b != 0);
}

/// a rounded up to a multiple of b.
template <std::integral T>
constexpr T round_up(T a, T b) {
    return ceil_div(a, b) * b;
}

}  // namespace hearth
