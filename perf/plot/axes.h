// Scales, ticks and the frame of a chart.
#pragma once

#include <string>
#include <vector>

#include "perf/plot/svg.h"

namespace hearth::perf {

/// One direction of a chart: values low to high over pixels begin to end.
struct Axis {
    double low = 0, high = 1;
    bool logarithmic = false;
    std::string label = {};  // with its unit
    double begin = 0, end = 1;

    double at(double value) const;  // pixel of a value
};

struct Tick {
    double value = 0;
    std::string text;
};

/// Round numbers within the axis: about `count` of them; of a logarithmic axis 1, 2 and 5 of each decade, or only 1 where there are many.
std::vector<Tick> ticks_of(const Axis& axis, int count = 6);

/// `axis` stretched to round numbers around low to high (both above 0 where logarithmic).
Axis rounded(Axis axis);

/// Lines, ticks and labels around and within x.begin..x.end, y.begin (below) to y.end (above).
void draw_frame(Svg& svg, const Axis& x, const Axis& y);

}  // namespace hearth::perf
