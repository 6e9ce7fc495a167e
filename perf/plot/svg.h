// Scalable Vector Graphics by hand: one self-contained file, legible on light and on dark pages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::perf {

struct Point {
    double x = 0, y = 0;  // pixels, y downwards
};

constexpr int kSeriesStyles = 8;  // colours, each with a marker of its own, so that nobody needs to tell colours apart

/// Collects shapes and writes them. Styles are names: "axis", "grid", "roof"; a series is its number.
class Svg {
public:
    Svg(double width, double height, std::string_view title);

    void line(Point from, Point to, std::string_view style);
    void path(const std::vector<Point>& points, int series);
    /// A marker of the series; `tooltip` is shown where a mouse rests on it.
    void marker(Point at, int series, std::string_view tooltip);
    /// `anchor`: start, middle or end. `style`: "title", "label", "tick", "note".
    void text(Point at, std::string_view text, std::string_view anchor, std::string_view style, int series = -1);
    void upright_text(Point at, std::string_view text);  // read from below, centred

    std::string finish() const;

private:
    double width_, height_;
    std::string title_, body_;
};

/// About how wide `text` is in the size of labels.
double text_width(std::string_view text);

}  // namespace hearth::perf
