// + - * / // % ** as Python has them, within 64 bits.
#include <cmath>

#include "base/checked.h"
#include "base/text.h"
#include "chat/template/library/printf.h"
#include "chat/template/values/value.h"

namespace hearth::jinja {
namespace {

constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "**"};

std::string_view sign_of(Arithmetic op) { return kSigns[static_cast<size_t>(op)]; }

[[noreturn]] void fail_operands(Runtime& runtime, Arithmetic op, const Value& a, const Value& b) {
    if (a.is_undefined()) fail_undefined(runtime, a);
    if (b.is_undefined()) fail_undefined(runtime, b);
    runtime.fail(cat("'", sign_of(op), "' does not work on ", type_name(a), " and ", type_name(b)));
}

int64_t fitting(Runtime& runtime, std::optional<int64_t> value) {
    if (!value) runtime.fail("an integer of more than 64 bits");
    return *value;
}

int64_t power(Runtime& runtime, int64_t base, int64_t exponent) {
    int64_t result = 1;
    if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    for (; exponent > 0; --exponent) result = fitting(runtime, checked_mul(result, base));  // at most 63 rounds: |base| > 1
    return result;
}

/// a // b and a % b, rounded down. b is not 0; INT64_MIN // -1 does not fit.
int64_t floor_divide(Runtime& runtime, int64_t a, int64_t b) {
    if (b == -1) return fitting(runtime, checked_mul(a, b));
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t modulo(int64_t a, int64_t b) {
    if (b == -1) return 0;
    const int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double modulo(double a, double b) {
    double rest = std::fmod(a, b);
    if (rest != 0 ? (rest < 0) != (b < 0) : false) rest += b;
    return rest == 0 ? std::copysign(0.0, b) : rest;
}

double floor_divide(double a, double b) {
    const double exact = (a - modulo(a, b)) / b;
    if (exact == 0) return std::copysign(0.0, a / b);
    const double floor = std::floor(exact);
    return exact - floor > 0.5 ? floor + 1 : floor;
}

Value on_integers(Runtime& runtime, Arithmetic op, int64_t a, int64_t b) {
    switch (op) {
        case Arithmetic::kAdd: return fitting(runtime, checked_add(a, b));
        case Arithmetic::kSubtract: {
            int64_t out = 0;
            if (__builtin_sub_overflow(a, b, &out)) fitting(runtime, std::nullopt);
            return out;
        }
        case Arithmetic::kMultiply: return fitting(runtime, checked_mul(a, b));
        case Arithmetic::kDivide: return static_cast<double>(a) / static_cast<double>(b);
        case Arithmetic::kFloorDivide: return floor_divide(runtime, a, b);
        case Arithmetic::kModulo: return modulo(a, b);
        case Arithmetic::kPower:
            if (b < 0) return std::pow(static_cast<double>(a), static_cast<double>(b));
            return power(runtime, a, b);
    }
    return {};
}

Value on_floats(Runtime& runtime, Arithmetic op, double a, double b) {
    switch (op) {
        case Arithmetic::kAdd: return a + b;
        case Arithmetic::kSubtract: return a - b;
        case Arithmetic::kMultiply: return a * b;
        case Arithmetic::kDivide: return a / b;
        case Arithmetic::kFloorDivide: return floor_divide(a, b);
        case Arithmetic::kModulo: return modulo(a, b);
        case Arithmetic::kPower: {
            const double result = std::pow(a, b);
            if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) runtime.fail("** gives a number that is too large");
            if (std::isnan(result) && !std::isnan(a) && !std::isnan(b)) runtime.fail("** of a negative number gives a complex one");
            return result;
        }
    }
    return {};
}

Value repeat(Runtime& runtime, const Value& sequence, int64_t times) {
    times = std::max<int64_t>(times, 0);
    const int64_t size = static_cast<int64_t>(sequence.is_text() ? sequence.text()->size() : sequence.list()->size());
    const int64_t total = fitting(runtime, checked_mul(size, times));
    if (size == 0) times = 0;
    if (sequence.is_text()) {
        runtime.check_text(static_cast<size_t>(total));
        runtime.step(times / 64);
        TextBuilder out(runtime);
        for (int64_t i = 0; i < times; ++i) out.add(*sequence.text());
        return out.finish(sequence.text()->markup());
    }
    runtime.check_room(total, sizeof(Value));
    runtime.step(total / 16);
    Values items;
    for (int64_t i = 0; i < times; ++i) items.insert(items.end(), sequence.list()->items().begin(), sequence.list()->items().end());
    return make_list(runtime, std::move(items), sequence.list()->sort(), sequence.list()->trusted());
}

Value add_texts(Runtime& runtime, const TextPtr& a, const TextPtr& b) {
    TextBuilder out(runtime);
    const bool markup = a->markup() || b->markup();
    out.add(markup && !a->markup() ? *escape(runtime, *a) : *a);
    out.add(markup && !b->markup() ? *escape(runtime, *b) : *b);
    return out.finish(markup);
}

Value add_lists(Runtime& runtime, const List& a, const List& b) {
    runtime.step(static_cast<int64_t>(a.size() + b.size()));
    Values items = a.items();
    items.insert(items.end(), b.items().begin(), b.items().end());
    return make_list(runtime, std::move(items), a.sort(), a.trusted() && b.trusted());
}

bool repeatable(const Value& value) { return value.is_text() || (value.is_list() && value.list()->sort() <= List::Sort::kTuple); }

}  // namespace

Value calculate(Runtime& runtime, Arithmetic op, const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) {
        const bool divides = op == Arithmetic::kDivide || op == Arithmetic::kFloorDivide || op == Arithmetic::kModulo;
        if ((divides && b.number() == 0) || (op == Arithmetic::kPower && a.number() == 0 && b.number() < 0)) {
            runtime.fail(cat(sign_of(op), " by zero"));
        }
        if (a.is_integral() && b.is_integral()) return on_integers(runtime, op, a.integer(), b.integer());
        return on_floats(runtime, op, a.number(), b.number());
    }
    if (op == Arithmetic::kAdd) {
        if (a.is_text() && b.is_text()) return add_texts(runtime, a.text(), b.text());
        if (a.is_list() && b.is_list() && a.list()->sort() == b.list()->sort() && repeatable(a))
            return add_lists(runtime, *a.list(), *b.list());
    }
    if (op == Arithmetic::kMultiply && repeatable(a) && b.is_integral()) return repeat(runtime, a, b.integer());
    if (op == Arithmetic::kMultiply && repeatable(b) && a.is_integral()) return repeat(runtime, b, a.integer());
    if (op == Arithmetic::kModulo && a.is_text()) return format_percent(runtime, a.text(), b);
    fail_operands(runtime, op, a, b);
}

Value negate(Runtime& runtime, const Value& a) {
    if (a.is(Value::Kind::kFloat)) return -a.number();
    if (a.is_integral()) return on_integers(runtime, Arithmetic::kSubtract, 0, a.integer());
    if (a.is_undefined()) fail_undefined(runtime, a);
    runtime.fail(cat("'-' does not work on ", type_name(a)));
}

}  // namespace hearth::jinja
