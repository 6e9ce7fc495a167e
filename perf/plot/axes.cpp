#include "perf/plot/axes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace hearth::perf {

namespace {

/// The distance of about `count` round ticks over `span`.
double step_of(double span, int count) {
    const double rough = std::max(span, 1e-12) / count, decade = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * decade >= rough * 0.999) return factor * decade;
    }
    return 10 * decade;
}

std::string tick_text(double value) {
    const double size = std::abs(value);
    if (size == 0) return "0";  // also of -0
    if (size >= 1e6) return cat(fixed(value / 1e6, std::fmod(value, 1e6) == 0 ? 0 : 1), "M");
    if (size >= 1e4) return cat(fixed(value / 1e3, std::fmod(value, 1e3) == 0 ? 0 : 1), "k");
    if (size >= 1) return fixed(value, std::floor(value) == value ? 0 : 1);
    return fixed(value, static_cast<int>(std::ceil(-std::log10(size) - 1e-9)));
}

}  // namespace

double Axis::at(double value) const {
    const double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return begin + share * (end - begin);
}

std::vector<Tick> ticks_of(const Axis& axis, int count) {
    std::vector<Tick> out;
    constexpr double kSlack = 1 + 1e-9;
    if (!axis.logarithmic) {
        const double step = step_of(axis.high - axis.low, count);
        for (double at = std::ceil(axis.low / step - 1e-9) + 0.0; at * step <= axis.high * kSlack; ++at) {
            out.push_back({at * step, tick_text(at * step)});
        }
        return out;
    }
    const bool fine = std::log10(axis.high / axis.low) < 4;
    for (double decade = std::pow(10, std::floor(std::log10(axis.low))); decade <= axis.high * kSlack; decade *= 10) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double value = factor * decade;
            if (value * kSlack >= axis.low && value <= axis.high * kSlack && (fine || factor == 1.0))
                out.push_back({value, tick_text(value)});
        }
    }
    return out;
}

Axis rounded(Axis axis) {
    if (!axis.logarithmic) {
        const double step = step_of(axis.high - axis.low, 6);
        axis.low = std::floor(axis.low / step) * step;
        axis.high = std::ceil(axis.high / step) * step;
        return axis;
    }
    const auto down = [](double value) {
        const double decade = std::pow(10, std::floor(std::log10(value)));
        return value >= 5 * decade ? 5 * decade : value >= 2 * decade ? 2 * decade : decade;
    };
    const double high = down(axis.high);
    axis.low = down(axis.low);
    const bool is_two = std::abs(high / std::pow(10, std::floor(std::log10(high) + 1e-9)) - 2) < 1e-6;
    if (high < axis.high) axis.high = high * (is_two ? 2.5 : 2);
    return axis;
}

void draw_frame(Svg& svg, const Axis& x, const Axis& y) {
    for (const Tick& tick : ticks_of(x, 8)) {
        const double at = x.at(tick.value);
        svg.line({at, y.begin}, {at, y.end}, "grid");
        svg.line({at, y.begin}, {at, y.begin + 5}, "axis");
        svg.text({at, y.begin + 19}, tick.text, "middle", "tick");
    }
    for (const Tick& tick : ticks_of(y)) {
        const double at = y.at(tick.value);
        svg.line({x.begin, at}, {x.end, at}, "grid");
        svg.line({x.begin - 5, at}, {x.begin, at}, "axis");
        svg.text({x.begin - 8, at + 4}, tick.text, "end", "tick");
    }
    svg.line({x.begin, y.begin}, {x.end, y.begin}, "axis");
    svg.line({x.begin, y.begin}, {x.begin, y.end}, "axis");
    svg.text({(x.begin + x.end) / 2, y.begin + 40}, x.label, "middle", "label");
    svg.upright_text({x.begin - 52, (y.begin + y.end) / 2}, y.label);
}

}  // namespace hearth::perf
