#include "loaders/weights/matrix_source.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {
namespace {

using Layouts = std::vector<std::optional<QuantLayout>>;

/// The parts can be one quantised weight.
bool agree(const Layouts& layouts, const std::vector<QuantPlan>& plans) {
    for (size_t i = 0; i < layouts.size(); ++i) {
        if (!layouts[i] || !plans[i].f16_scales || layouts[i]->kind != layouts[0]->kind || plans[i].columns != plans[0].columns)
            return false;
        if (layouts[i]->kind == QuantKind::kQ4 && layouts[i]->levels != layouts[0]->levels) return false;
    }
    return true;
}

/// Stands for zero points where only their being there matters.
constexpr int8_t kSomeZeros[1] = {};

}  // namespace

std::optional<QuantLayout> find_layout(const Checkpoint& checkpoint, const Scheme* scheme, const NeededTensor& part) {
    constexpr std::string_view kWeight = ".weight";
    if (!scheme || !part.name.ends_with(kWeight)) return std::nullopt;
    return scheme->find(checkpoint, part.name.substr(0, part.name.size() - kWeight.size()), part.n, part.k);
}

std::optional<QuantLayout> MatrixSource::layout_of(const NeededTensor& part) const { return find_layout(checkpoint_, scheme_, part); }

std::vector<const Checkpoint::Entry*> MatrixSource::tensors(const NeededTensor& part) const {
    if (const auto layout = layout_of(part)) return layout->entries();
    return {checkpoint_.find(part.name)};
}

MatrixParts MatrixSource::plan(const std::vector<NeededTensor>& parts, WeightUse use) const {
    MatrixParts out;
    make(parts, use, nullptr, out);
    return out;
}

void MatrixSource::read(const std::vector<NeededTensor>& parts, WeightUse use, Stream& stream, MatrixParts& out) const {
    make(parts, use, &stream, out);
}

void MatrixSource::make(const std::vector<NeededTensor>& parts, WeightUse use, Stream* stream, MatrixParts& out) const {
    const size_t count = parts.size(), room = std::max(count, out.plain.size());
    out.matrices.clear();
    out.plain.resize(room);
    out.stored.resize(room);
    out.buffers.resize(room);
    out.floats.resize(room);
    out.plans.assign(count, {});
    Layouts layouts;
    for (size_t i = 0; i < count; ++i) {
        layouts.push_back(layout_of(parts[i]));
        if (layouts[i]) out.plans[i] = plan_rows(*layouts[i], out.stored[i]);
    }
    const bool plain = std::ranges::none_of(layouts, [](const auto&layout) { return layout.has_value(); }),
               whole = agree(layouts, out.plans);
    const auto kind = plain ? rules_.kind_of(parts, use) : std::nullopt;
    for (size_t i = 0; i < count; ++i) {
        HostMatrix matrix{.dtype = DType::kF32, .data = nullptr, .n = parts[i].n, .k = parts[i].k};
        if (!layouts[i]) {
            const Checkpoint::Entry* entry = checkpoint_.find(parts[i].name);
            HEARTH_CHECK(entry);
            matrix.dtype = *entry->tensor->type->dtype;
            if (stream) {
                entry->read(out.plain[i], stream);
                matrix.data = out.plain[i].data();
            }
            matrix.quantize = kind;
        } else if (!whole) {
            if (stream) read_floats(*layouts[i], out.stored[i], out.plans[i], *stream, out.floats[i]);
            matrix.data = stream ? out.floats[i].data() : nullptr;
        } else {
            QuantBuffers& buffers = out.buffers[i];
            if (stream) {
                read_rows(*layouts[i], out.stored[i], out.plans[i], *stream, buffers);
            } else {
                buffers.rows = {};
                buffers.rows.kind = layouts[i]->kind;
                buffers.rows.levels = layouts[i]->levels;
                buffers.rows.zeros = out.plans[i].zeros ? kSomeZeros : nullptr;
                buffers.rows.columns = out.plans[i].columns.empty() ? nullptr : out.plans[i].columns.data();
            }
            matrix.rows = &buffers.rows;
        }
        out.matrices.push_back(matrix);
    }
}

}  // namespace hearth
