#include "perf/plot/svg.h"

#include <array>

#include "base/text.h"
#include "base/utf8.h"

namespace hearth::perf {

namespace {

/// Colours that stay apart for most eyes, for a light and for a dark page.
constexpr std::array<std::pair<const char*, const char*>, kSeriesStyles> kColours = {{{"#0060a8", "#6cb4ee"},
                                                                                      {"#b5470b", "#f0995c"},
                                                                                      {"#00755a", "#4cc9a4"},
                                                                                      {"#9b3580", "#e39ccd"},
                                                                                      {"#7a6000", "#d9bd4a"},
                                                                                      {"#3f51b5", "#a5b1f2"},
                                                                                      {"#a52a2a", "#ef8a8a"},
                                                                                      {"#4d5961", "#b6c2ca"}}};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : printable(text, 200)) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string pixels(double value) { return fixed(value, 1); }

std::string sheet() {
    std::string light, dark;
    for (size_t i = 0; i < kColours.size(); ++i) {
        light += cat(".s", i, "{--c:", kColours[i].first, "}");
        dark += cat(".s", i, "{--c:", kColours[i].second, "}");
    }
    return cat("svg{--paper:#fff;--ink:#1f2428;--soft:#5b646b;--grid:#dfe3e6}", light,
               "@media(prefers-color-scheme:dark){svg{--paper:#14181b;--ink:#e8ecef;--soft:#a4afb6;--grid:#2e363b}", dark,
               "}text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:var(--ink)}.paper{fill:var(--paper)}"
               ".title{font-size:15px;font-weight:600}.label{font-size:12px}.tick,.note{font-size:11px;fill:var(--soft)}text[class*=' "
               "s']{fill:var(--c)}"
               ".axis{stroke:var(--soft);stroke-width:1}.grid{stroke:var(--grid);stroke-width:1}.roof{stroke:var(--ink);stroke-width:1.6}"
               ".ceiling{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4}.leader{stroke:var(--soft);stroke-width:.7}"
               ".path{fill:none;stroke:var(--c);stroke-width:2}.whisker{stroke:var(--soft);stroke-width:1}"
               ".marker{fill:var(--c);stroke:var(--paper);stroke-width:1}");
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title) : width_(width), height_(height), title_(title) {}

void Svg::line(Point from, Point to, std::string_view style) {
    body_ += cat("<line class=\"", style, "\" x1=\"", pixels(from.x), "\" y1=\"", pixels(from.y), "\" x2=\"", pixels(to.x), "\" y2=\"",
                 pixels(to.y), "\"/>\n");
}

void Svg::path(const std::vector<Point>& points, int series) {
    body_ += cat("<polyline class=\"path s", series % kSeriesStyles, "\" points=\"");
    for (const Point& p : points) body_ += cat(pixels(p.x), ",", pixels(p.y), " ");
    body_ += "\"/>\n";
}

void Svg::marker(Point at, int series, std::string_view tooltip) {
    constexpr std::array<const char*, 4> kShapes = {"M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0z", "M-4,-4h8v8h-8z",
                                                    "M0,-5.5L5.2,4H-5.2z", "M0,-5.8L5.8,0L0,5.8L-5.8,0z"};
    body_ += cat("<path class=\"marker s", series % kSeriesStyles, "\" transform=\"translate(", pixels(at.x), ",", pixels(at.y), ")\" d=\"",
                 kShapes[static_cast<size_t>(series) % kShapes.size()], "\"><title>", escaped(tooltip), "</title></path>\n");
}

void Svg::text(Point at, std::string_view text, std::string_view anchor, std::string_view style, int series) {
    body_ += cat("<text class=\"", style, series >= 0 ? cat(" s", series % kSeriesStyles) : "", "\" x=\"", pixels(at.x), "\" y=\"",
                 pixels(at.y), "\" text-anchor=\"", anchor, "\">", escaped(text), "</text>\n");
}

void Svg::upright_text(Point at, std::string_view text) {
    body_ += cat("<text class=\"label\" transform=\"translate(", pixels(at.x), ",", pixels(at.y), ") rotate(-90)\" text-anchor=\"middle\">",
                 escaped(text), "</text>\n");
}

std::string Svg::finish() const {
    const std::string size = cat(fixed(width_, 0), " ", fixed(height_, 0));
    return cat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", size, "\" width=\"", fixed(width_, 0), "\" height=\"",
               fixed(height_, 0), "\" role=\"img\">\n<title>", escaped(title_), "</title>\n<style>", sheet(),
               "</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n", body_, "</svg>\n");
}

double text_width(std::string_view text) {
    double width = 0;
    while (!text.empty()) {
        text.remove_prefix(next_utf8(text).length);
        width += 6.4;
    }
    return width;
}

}  // namespace hearth::perf
