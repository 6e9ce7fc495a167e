// Where labels of points go, so that they cover neither each other nor points.
#pragma once

#include <string>
#include <vector>

#include "perf/plot/svg.h"

namespace hearth::perf {

struct Box {
    double left = 0, top = 0, right = 0, bottom = 0;

    bool meets(const Box& other) const { return left < other.right && other.left < right && top < other.bottom && other.top < bottom; }
};

/// Places labels one after the other around their points, within `area`.
class LabelPlacer {
public:
    explicit LabelPlacer(Box area) : area_(area) {}

    void keep_free(Box box) { taken_.push_back(box); }

    /// Draws `text` to the right of `at`; where that is taken, elsewhere around it and with a thin line to it.
    void place(Svg& svg, Point at, const std::string& text, int series);

private:
    bool is_free(const Box& box) const;

    Box area_;
    std::vector<Box> taken_;
};

}  // namespace hearth::perf
