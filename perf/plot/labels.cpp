#include "perf/plot/labels.h"

#include <cmath>

namespace hearth::perf {

bool LabelPlacer::is_free(const Box& box) const {
    if (box.left < area_.left || box.right > area_.right || box.top < area_.top || box.bottom > area_.bottom) return false;
    for (const Box& other : taken_) {
        if (box.meets(other)) return false;
    }
    return true;
}

void LabelPlacer::place(Svg& svg, Point at, const std::string& text, int series) {
    constexpr double kHeight = 13, kGap = 8;
    constexpr int kDirections = 12;
    const double width = text_width(text);
    const auto box_at = [&](double angle, double distance) {  // the box that touches the ray's end
        const Point end{at.x + distance * std::cos(angle), at.y + distance * std::sin(angle)};
        const double left = end.x - width * (1 - std::cos(angle)) / 2, top = end.y - kHeight * (1 - std::sin(angle)) / 2;
        return Box{left, top, left + width, top + kHeight};
    };
    Box box = box_at(0, kGap);
    const bool beside = is_free(box);
    bool found = beside;
    for (double distance = kGap; !found && distance < 240; distance += 6) {
        for (int i = 0; i < kDirections && !found; ++i) {
            const Box tried = box_at((i % 2 == 0 ? i : -i - 1) / 2 * (2 * 3.14159265 / kDirections), distance);
            if (is_free(tried)) box = tried, found = true;
        }
    }
    if (!beside) {
        const Point end{std::min(std::max(at.x, box.left), box.right), std::min(std::max(at.y, box.top), box.bottom)};
        svg.line(at, end, "leader");
    }
    taken_.push_back(box);
    svg.text({box.left, box.bottom - 3}, text, "start", "note", series);
}

}  // namespace hearth::perf
