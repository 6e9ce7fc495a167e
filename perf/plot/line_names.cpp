#include "perf/plot/line_names.h"

#include <algorithm>

namespace hearth::perf {

void draw_line_names(Svg& svg, std::vector<NamedEnd> ends, const Axis& x, const Axis& y) {
    constexpr double kApart = 16;
    std::ranges::sort(ends, {}, [](const NamedEnd& end) { return end.at.y; });
    std::vector<double> places;
    for (const NamedEnd& end : ends) places.push_back(places.empty() ? end.at.y : std::max(end.at.y, places.back() + kApart));
    const double over = places.back() - (y.begin + 8);
    for (double& place : places) place -= std::max(0.0, over);
    for (size_t i = 0; i < ends.size(); ++i) {
        const NamedEnd& end = ends[i];
        svg.line({end.at.x + 6, end.at.y}, {x.end + 10, places[i]}, "leader");
        svg.marker({x.end + 16, places[i]}, end.series, end.name);
        svg.text({x.end + 26, places[i] + 4}, end.name, "start", "label", end.series);
    }
}

}  // namespace hearth::perf
