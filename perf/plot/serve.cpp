#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "perf/plot/axes.h"
#include "perf/plot/charts.h"
#include "perf/plot/line_names.h"

namespace hearth::perf {

namespace {

/// Of all runs with one label and one load: the median of each number.
struct Spot {
    double load = 0, ttft = 0, p99 = 0, throughput = 0;
};

struct Line {
    std::string name;
    std::vector<Spot> spots;  // by load
};

bool drawable(double value) { return value >= kLeastDrawn && value <= kMostDrawn; }

double median_of(const std::vector<ServePoint>& points, double ServePoint::*number) {
    std::vector<double> values;
    for (const ServePoint& point : points) values.push_back(point.*number);
    return median(std::move(values));
}

std::vector<Line> lines_of(const std::vector<ResultFile>& files) {
    std::map<std::string, std::map<double, std::vector<ServePoint>>> labels;
    for (const ResultFile& file : files) {
        if (!file.serve) throw Error(ErrorKind::kBadInput, cat(file.path, ": expected a file of `perf_serve -o json`"));
        if (file.serve->by_rate != files.front().serve->by_rate)
            throw Error(ErrorKind::kBadInput,
                        cat("expected loads of one kind, found a rate and a concurrency: ", files.front().path, ", ", file.path));
        if (drawable(file.serve->load) && drawable(file.serve->ttft_median_ms))
            labels[file.serve->label][file.serve->load].push_back(*file.serve);
    }
    std::vector<Line> out;
    for (const auto& [label, loads] : labels) {
        Line& line = out.emplace_back(Line{label, {}});
        for (const auto& [load, points] : loads) {
            line.spots.push_back({.load = load,
                                  .ttft = median_of(points, &ServePoint::ttft_median_ms),
                                  .p99 = median_of(points, &ServePoint::ttft_p99_ms),
                                  .throughput = median_of(points, &ServePoint::output_tokens_per_second)});
        }
    }
    if (out.empty()) throw Error(ErrorKind::kBadInput, "expected runs in which something was answered, found none");
    return out;
}

/// One frame with a line for each label; `number` is drawn over the load, with a whisker up to `most` where that is given.
void draw_lines(Svg& svg, const std::vector<Line>& lines, const Axis& x, const Axis& y, double Spot::*number, double Spot::*most,
                const char* unit) {
    draw_frame(svg, x, y);
    std::vector<NamedEnd> ends;
    for (size_t i = 0; i < lines.size(); ++i) {
        const int series = static_cast<int>(i);
        std::vector<Point> points;
        for (const Spot& spot : lines[i].spots) {
            if (!drawable(spot.*number)) continue;
            const Point at{x.at(spot.load), y.at(spot.*number)};
            points.push_back(at);
            std::string tooltip = cat(lines[i].name, " at ", spot.load, ": ", fixed(spot.*number, 1), " ", unit);
            if (most != nullptr && drawable(spot.*most)) {
                svg.line(at, {at.x, y.at(spot.*most)}, "whisker");
                tooltip += cat(", p99 ", fixed(spot.*most, 1));
            }
            svg.marker(at, series, tooltip);
        }
        if (points.empty()) continue;
        svg.path(points, series);
        ends.push_back({lines[i].name, points.back(), series});
    }
    if (!ends.empty()) draw_line_names(svg, std::move(ends), x, y);
}

}  // namespace

std::string draw_serve(const std::vector<ResultFile>& files) {
    HEARTH_CHECK(!files.empty());
    const std::vector<Line> lines = lines_of(files);
    double name_width = 0, heaviest = 0, least = kMostDrawn, most = 0, fastest = 1;
    for (const Line& line : lines) {
        name_width = std::max(name_width, text_width(line.name));
        for (const Spot& spot : line.spots) {
            heaviest = std::max(heaviest, spot.load);
            least = std::min(least, spot.ttft);
            most = std::max({most, spot.ttft, std::min(spot.p99, kMostDrawn)});
            fastest = std::max(fastest, std::min(spot.throughput, kMostDrawn));
        }
    }
    const double panel = std::max(280.0, 60 + 16 * static_cast<double>(lines.size()));
    Axis x{.low = 0,
           .high = heaviest,
           .label = files.front().serve->by_rate ? "conversations begun a second" : "conversations at once",
           .begin = 78,
           .end = 680};
    const Axis ttft = rounded({.low = least * 0.9,
                               .high = most * 1.1,
                               .logarithmic = true,
                               .label = "ms to first token, median to p99",
                               .begin = 64 + panel,
                               .end = 64});
    const Axis throughput = rounded(
        {.low = 0, .high = fastest * 1.03, .label = "answer tokens per second", .begin = 64 + 2 * panel + 70, .end = 64 + panel + 70});

    const std::string what = "Waiting and throughput under load";
    Svg svg(x.end + 40 + name_width * 1.1, throughput.begin + 62, what);
    svg.text({78, 24}, what, "start", "title");
    svg.text({78, 42}, cat(files.front().machine, ", ", day_of(files.front().date)), "start", "label");
    draw_lines(svg, lines, x, ttft, &Spot::ttft, &Spot::p99, "ms");
    draw_lines(svg, lines, x, throughput, &Spot::throughput, nullptr, "t/s");
    return svg.finish();
}

}  // namespace hearth::perf
