#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "perf/plot/axes.h"
#include "perf/plot/charts.h"
#include "perf/plot/line_names.h"

namespace hearth::perf {

namespace {

struct Spot {
    double depth = 0, median = 0, least = 0, most = 0;
    int64_t tokens = 0;  // of the test
};

struct Line {
    std::string name;
    std::vector<Spot> spots;  // by depth, each depth once
};

void add_spot(Line& line, const Result& result) {
    const auto [least, most] = std::ranges::minmax(result.samples);
    const Spot spot{.depth = static_cast<double>(result.depth),
                    .median = median(result.samples),
                    .least = least,
                    .most = most,
                    .tokens = result.prompt + result.generate};
    const auto at = std::ranges::find(line.spots, spot.depth, &Spot::depth);
    if (at == line.spots.end()) {
        line.spots.push_back(spot);
    } else if (at->tokens < spot.tokens) {  // of two tests at one depth the longer one
        *at = spot;
    }
}

std::vector<Line> lines_of(const std::vector<ResultFile>& files, bool prompts) {
    std::vector<Line> out;
    std::map<std::string, size_t> owner;  // file that a name came from
    for (size_t f = 0; f < files.size(); ++f) {
        for (const Result& result : files[f].results) {
            const bool wanted =
                result.is_rate && result.parallel == 1 && (prompts ? result.prompt > 0 && result.generate == 0 : result.prompt == 0);
            const auto [least, most] = std::ranges::minmax(result.samples);
            if (!wanted || least < kLeastDrawn || most > kMostDrawn || static_cast<double>(result.depth) > kMostDrawn) continue;
            std::string name = cat(result.engine, " ", result.weights);
            if (owner.try_emplace(name, f).first->second != f) name += cat(" (", std::filesystem::path(files[f].path).stem().string(), ")");
            auto line = std::ranges::find(out, name, &Line::name);
            if (line == out.end()) line = out.insert(out.end(), {name, {}});
            add_spot(*line, result);
        }
    }
    for (Line& line : out) std::ranges::sort(line.spots, {}, &Spot::depth);
    return out;
}

}  // namespace

std::string draw_depths(const std::vector<ResultFile>& files, bool prompts) {
    const std::vector<Line> lines = lines_of(files, prompts);
    if (lines.empty()) {
        throw Error(ErrorKind::kBadInput, cat("expected tests of ", prompts ? "prompts (pp512)" : "answers (tg128)",
                                              " of whole models, found none in ", files.size(), " file", files.size() == 1 ? "" : "s"));
    }
    double deepest = 0, fastest = 0, name_width = 0;
    for (const Line& line : lines) {
        name_width = std::max(name_width, text_width(line.name));
        for (const Spot& spot : line.spots) deepest = std::max(deepest, spot.depth), fastest = std::max(fastest, spot.most);
    }
    const double height = std::max(420.0, 120 + 16 * static_cast<double>(lines.size()));
    Axis x{.low = 0, .high = std::max(deepest, 1.0), .label = "tokens in the cache before the test", .begin = 78, .end = 680};
    Axis y{.low = 0,
           .high = fastest * 1.03,
           .label = cat(prompts ? "prompt" : "answer", " tokens per second"),
           .begin = height - 62,
           .end = 64};
    y = rounded(y);

    const std::string what = prompts ? "Prompt speed and depth" : "Generation speed and depth";
    Svg svg(x.end + 40 + name_width * 1.1, height, what);
    svg.text({78, 24}, what, "start", "title");
    int64_t threads = 0;
    for (const Result& result : files.front().results) threads = std::max(threads, result.threads);
    svg.text({78, 42}, cat(files.front().machine, ", ", threads, " threads, ", day_of(files.front().date)), "start", "label");
    draw_frame(svg, x, y);
    std::vector<NamedEnd> ends;
    for (size_t i = 0; i < lines.size(); ++i) {
        const int series = static_cast<int>(i);
        std::vector<Point> points;
        for (const Spot& spot : lines[i].spots) points.push_back({x.at(spot.depth), y.at(spot.median)});
        for (const Spot& spot : lines[i].spots)
            svg.line({x.at(spot.depth), y.at(spot.least)}, {x.at(spot.depth), y.at(spot.most)}, "whisker");
        svg.path(points, series);
        ends.push_back({lines[i].name, points.back(), series});
        for (size_t p = 0; p < points.size(); ++p) {
            const Spot& spot = lines[i].spots[p];
            svg.marker(points[p], series,
                       cat(lines[i].name, " at ", fixed(spot.depth, 0), ": ", fixed(spot.median, 2), " t/s [", fixed(spot.least, 2), ", ",
                           fixed(spot.most, 2), "]"));
        }
    }
    draw_line_names(svg, std::move(ends), x, y);
    return svg.finish();
}

}  // namespace hearth::perf
