// Names of lines beside their last points.
#pragma once

#include <string>
#include <vector>

#include "perf/plot/axes.h"
#include "perf/plot/svg.h"

namespace hearth::perf {

struct NamedEnd {
    std::string name;
    Point at;  // the last point of the line
    int series = 0;
};

/// Writes the names right of the frame of `x` and `y`, pushed apart, each with its marker and a thin line from its end. `ends` is not
/// empty.
void draw_line_names(Svg& svg, std::vector<NamedEnd> ends, const Axis& x, const Axis& y);

}  // namespace hearth::perf
