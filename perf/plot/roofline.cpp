#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/text.h"
#include "perf/plot/axes.h"
#include "perf/plot/charts.h"
#include "perf/plot/labels.h"

namespace hearth::perf {

namespace {

struct Dot {
    double intensity = 0, gflops = 0;
    std::string label, tooltip;
    int series = 0;
};

struct Roof {
    std::string name;
    double gflops = 0;
};

bool drawable(double value) { return value >= kLeastDrawn && value <= kMostDrawn; }

/// "gate_up/composite" is "gate_up" where no other variant of the test is of that stage.
std::string short_name(const Result& result, const std::string& variant) {
    const std::string stage = variant.substr(0, variant.find('/'));
    const auto same = [&](const Stage& other) { return other.variant.substr(0, other.variant.find('/')) == stage; };
    return std::ranges::count_if(result.stages, same) == 1 ? stage : variant;
}

std::vector<Dot> dots_of(const ResultFile& file, std::vector<std::string>& series) {
    constexpr double kLeastShare = 0.005;
    std::vector<Dot> out;
    for (const Result& result : file.results) {
        double total = 0;
        for (const Stage& stage : result.stages) total += stage.seconds;
        const size_t before = out.size();
        for (const Stage& stage : result.stages) {
            if (stage.seconds <= 0 || stage.bytes <= 0 || stage.seconds < kLeastShare * total) continue;
            const double intensity = stage.flops / stage.bytes, gflops = stage.flops / stage.seconds * 1e-9;
            if (!drawable(intensity) || !drawable(gflops)) continue;
            out.push_back({.intensity = intensity,
                           .gflops = gflops,
                           .label = short_name(result, stage.variant),
                           .tooltip = cat(stage.variant, ": ", fixed(gflops, 1), " GFLOP/s, ", fixed(stage.bytes / stage.seconds * 1e-9, 1),
                                          " GB/s, ", fixed(100 * stage.seconds / total, 1), " % of the time"),
                           .series = static_cast<int>(series.size())});
        }
        if (out.size() > before) series.push_back(result.name);
    }
    return out;
}

/// Lowest first.
std::vector<Roof> roofs_of(const Ceilings& c) {
    std::vector<Roof> out;
    for (const auto& [name, peak] : {std::pair{"f32 FMA", c.fma_f32},
                                     {"bf16 dot", c.dot_bf16},
                                     {"int8 dot", c.dot_int8},
                                     {"AMX bf16", c.amx_bf16},
                                     {"AMX int8", c.amx_int8}}) {
        if (drawable(peak)) out.push_back({name, peak});
    }
    std::ranges::sort(out, {}, &Roof::gflops);
    return out;
}

/// The slope of the bandwidth up to the highest roof, and the roofs from there on.
void draw_roofs(Svg& svg, const Axis& x, const Axis& y, double read_gbps, const std::vector<Roof>& roofs, LabelPlacer& labels) {
    const auto ridge = [&](double gflops) { return std::clamp(gflops / read_gbps, x.low, x.high); };
    const double top = std::min(roofs.empty() ? y.high : roofs.back().gflops, y.high);
    const double from = std::max(x.low, y.low / read_gbps);
    const Point start{x.at(from), y.at(from * read_gbps)}, end{x.at(ridge(top)), y.at(std::min(top, x.high * read_gbps))};
    svg.line(start, end, "roof");
    for (double t = 0; t <= 1; t += 0.01) {
        const Point p{start.x + t * (end.x - start.x), start.y + t * (end.y - start.y)};
        labels.keep_free({p.x - 2, p.y - 2, p.x + 2, p.y + 2});
    }
    const double share = 0.55;
    const Point middle{start.x + share * (end.x - start.x) - 8, start.y + share * (end.y - start.y) - 8};
    const std::string bandwidth = cat("memory, ", fixed(read_gbps, 1), " GB/s");
    labels.keep_free({middle.x - text_width(bandwidth), middle.y - 12, middle.x, middle.y + 4});
    svg.text(middle, bandwidth, "end", "note");
    double last = 1e9;
    for (const Roof& roof : roofs) {
        const double at = y.at(roof.gflops);
        svg.line({x.at(ridge(roof.gflops)), at}, {x.end, at}, &roof == &roofs.back() ? "roof" : "ceiling");
        const std::string name = cat(roof.name, ", ", fixed(roof.gflops, 0));
        const double baseline = last - at < 13 ? at + 13 : at - 4;  // two roofs close together: one label above, one below
        labels.keep_free({x.end - text_width(name), baseline - 11, x.end, baseline + 3});
        svg.text({x.end - 2, baseline}, name, "end", "note");
        last = at;
    }
}

}  // namespace

std::string day_of(const std::string& date) { return date.substr(0, 10); }

std::string draw_roofline(const ResultFile& file) {
    std::vector<std::string> series;
    std::vector<Dot> dots = dots_of(file, series);
    std::ranges::sort(dots, std::greater(), &Dot::gflops);  // the upper of two close ones gets the place beside it
    if (dots.empty())
        throw Error(ErrorKind::kBadInput,
                    cat(file.path, ": expected \"stages\", which `hearth bench --profile -o json` writes, found none"));
    const auto with_limits = std::ranges::find_if(file.results, [](const Result& r) { return drawable(r.ceilings.read_gbps); });
    if (with_limits == file.results.end())
        throw Error(ErrorKind::kBadInput,
                    cat(file.path, ": expected \"limits\" with a bandwidth, which `hearth bench` writes without --no-limits"));
    const Ceilings& ceilings = with_limits->ceilings;
    const std::vector<Roof> roofs = roofs_of(ceilings);

    const double legend = 18.0 * static_cast<double>(series.size());
    Axis x{.logarithmic = true, .label = "operations per byte moved (FLOP/B)", .begin = 78, .end = 900};
    Axis y{.logarithmic = true, .label = "10\u2079 operations per second (GFLOP/s)", .begin = 572 + legend, .end = 70 + legend};
    const auto by_x = std::ranges::minmax(dots, {}, &Dot::intensity);
    const auto by_y = std::ranges::minmax(dots, {}, &Dot::gflops);
    const double highest = roofs.empty() ? by_y.max.gflops : std::max(by_y.max.gflops, roofs.back().gflops);
    x.low = by_x.min.intensity / 1.5, x.high = std::max(by_x.max.intensity * 2, 3 * highest / ceilings.read_gbps);
    y.low = by_y.min.gflops / 1.5, y.high = highest * 1.3;
    x = rounded(x), y = rounded(y);

    Svg svg(930, 632 + legend, "Roofline");
    svg.text({78, 24}, "Roofline: what was computed, and what the machine allows", "start", "title");
    svg.text({78, 42}, cat(file.machine, ", ", day_of(file.date)), "start", "label");
    for (size_t i = 0; i < series.size(); ++i) {
        const double at = 64 + 18 * static_cast<double>(i);
        svg.marker({84, at - 4}, static_cast<int>(i), series[i]);
        svg.text({96, at}, series[i], "start", "label");
    }
    draw_frame(svg, x, y);
    LabelPlacer labels({x.begin, y.end, x.end + 20, y.begin});
    draw_roofs(svg, x, y, ceilings.read_gbps, roofs, labels);
    for (const Dot& dot : dots)
        labels.keep_free({x.at(dot.intensity) - 6, y.at(dot.gflops) - 6, x.at(dot.intensity) + 6, y.at(dot.gflops) + 6});
    for (const Dot& dot : dots) svg.marker({x.at(dot.intensity), y.at(dot.gflops)}, dot.series, dot.tooltip);
    for (const Dot& dot : dots) labels.place(svg, {x.at(dot.intensity), y.at(dot.gflops)}, dot.label, dot.series);
    return svg.finish();
}

}  // namespace hearth::perf
