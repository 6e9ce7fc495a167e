#include "tools/hearth/support/weight_formats.h"

#include <set>

#include "base/text.h"

namespace hearth::tool {

namespace {

void add(std::vector<WeightLine>& lines, const std::string& name, const Weight& weight) {
    if (weight.n == 0) return;
    const std::string format(name_of(weight.format)), layout(name_of(weight.layout));
    if (!lines.empty() && lines.back().name == name && lines.back().format == format && lines.back().layout == layout) {
        ++lines.back().count;
        lines.back().bytes += weight.bytes;
        return;
    }
    lines.push_back({.name = name, .format = format, .layout = layout, .count = 1, .bytes = weight.bytes});
}

}  // namespace

std::vector<WeightLine> weight_lines(const Weights& weights) {
    std::vector<WeightLine> out;
    add(out, "embed", weights.embed.weight);
    for (size_t i = 0; i < weights.layers.size(); ++i) {
        const LayerWeights& layer = weights.layers[i];
        const std::string at = cat("layers.", i, ".");
        add(out, at + "qkv", layer.qkv.weight);
        add(out, at + "out", layer.out.weight);
        add(out, at + "gate", layer.gate.weight);
        add(out, at + "up", layer.up.weight);
        add(out, at + "down", layer.down.weight);
        add(out, at + "router", layer.router.weight);
        for (const Weight& weight : layer.expert_gate) add(out, at + "experts.gate", weight);
        for (const Weight& weight : layer.expert_up) add(out, at + "experts.up", weight);
        for (const Weight& weight : layer.expert_down) add(out, at + "experts.down", weight);
    }
    add(out, "head", weights.head.weight);
    return out;
}

std::string formats_of(const Weights& weights) {
    std::set<std::string> formats;
    for (const WeightLine& line : weight_lines(weights)) formats.insert(line.format);
    return join(std::vector<std::string>(formats.begin(), formats.end()), "+");
}

}  // namespace hearth::tool
