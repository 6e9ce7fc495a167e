#include "kernels/weights/weight.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/weights/quant_panels.h"

namespace hearth {
namespace {

WeightFormat format_of(QuantKind kind) {
    return kind == QuantKind::kQ8 ? WeightFormat::kQ8 : kind == QuantKind::kQ4 ? WeightFormat::kQ4 : WeightFormat::kF8;
}

WeightFormat format_of(DType type) {
    switch (type) {
        case DType::kBf16: return WeightFormat::kBf16;
        case DType::kF16: return WeightFormat::kF16;
        default: return WeightFormat::kF32;
    }
}

int64_t element_bytes(WeightFormat format) { return format == WeightFormat::kF32 ? 4 : 2; }

/// Numbers of one output that lie side by side in a panel.
int64_t interleave(WeightFormat format) { return format == WeightFormat::kBf16 ? 2 : 1; }

/// Row `row` of the stacked parts, in its stored type.
struct RowRef {
    const std::byte* data = nullptr;
    DType dtype = DType::kF32;
};

RowRef row_of(std::span<const HostMatrix> parts, int64_t row) {
    for (const HostMatrix& part : parts) {
        if (row < part.n) return {static_cast<const std::byte*>(part.data) + row * part.k * bytes_of(part.dtype), part.dtype};
        row -= part.n;
    }
    return {};
}

float element(const RowRef& row, int64_t i) {
    if (row.dtype == DType::kF32) {
        float value;
        std::memcpy(&value, row.data + 4 * i, 4);
        return value;
    }
    uint16_t bits;
    std::memcpy(&bits, row.data + 2 * i, 2);
    return row.dtype == DType::kBf16 ? to_float(Bf16{bits}) : to_float(F16{bits});
}

void copy_row(const RowRef& row, WeightFormat format, int64_t k, std::byte* out) {
    if (format == format_of(row.dtype)) {
        std::memcpy(out, row.data, static_cast<size_t>(k * element_bytes(format)));
        return;
    }
    for (int64_t i = 0; i < k; ++i) {  // mixed parts: the weight is f32
        const float value = element(row, i);
        std::memcpy(out + 4 * i, &value, 4);
    }
}

/// 16 rows into one panel whose numbers are `Unit`s of `v` elements: unit (k, r) at [k][r].
template <class Unit>
void interleave_rows(const std::byte* const rows[kPanelRows], int64_t units, int64_t padded_units, Unit* out) {
    constexpr int64_t kStep = 16;  // so that a cache line of each row is used up before the next
    for (int64_t begin = 0; begin < padded_units; begin += kStep) {
        for (int64_t r = 0; r < kPanelRows; ++r) {
            Unit line[kStep] = {};
            const int64_t count = rows[r] ? std::clamp<int64_t>(units - begin, 0, kStep) : 0;
            if (count > 0)
                std::memcpy(line, rows[r] + begin * static_cast<int64_t>(sizeof(Unit)), static_cast<size_t>(count) * sizeof(Unit));
            for (int64_t i = 0; i < kStep && begin + i < padded_units; ++i) out[(begin + i) * kPanelRows + r] = line[i];
        }
    }
}

void pack_panel(std::span<const HostMatrix> parts, const Weight& weight, int64_t panel, std::byte* out) {
    const int64_t size = element_bytes(weight.format), v = interleave(weight.format), padded_k = round_up(weight.k, kPanelDepth);
    const std::byte* rows[kPanelRows] = {};
    std::byte odd_row[kPanelRows][4] = {};  // the last unit of a row whose k is odd
    std::vector<std::byte> converted;
    const bool uniform = std::ranges::all_of(parts, [&](const HostMatrix& p) { return format_of(p.dtype) == weight.format; });
    if (!uniform) converted.resize(static_cast<size_t>(kPanelRows * weight.k * size));
    const int64_t first = panel * kPanelRows, count = std::min(kPanelRows, weight.n - first);
    for (int64_t r = 0; r < count; ++r) {
        const RowRef row = row_of(parts, first + r);
        rows[r] = row.data;
        if (!uniform) {
            rows[r] = converted.data() + r * weight.k * size;
            copy_row(row, weight.format, weight.k, converted.data() + r * weight.k * size);
        }
    }
    if (v == 1 && size == 4) {
        interleave_rows(rows, weight.k, padded_k, reinterpret_cast<uint32_t*>(out));
    } else if (v == 1) {
        interleave_rows(rows, weight.k, padded_k, reinterpret_cast<uint16_t*>(out));
    } else {
        interleave_rows(rows, weight.k / 2, padded_k / 2, reinterpret_cast<uint32_t*>(out));
        if (weight.k % 2 == 0) return;
        for (int64_t r = 0; r < count; ++r) {
            std::memcpy(odd_row[r], rows[r] + (weight.k - 1) * 2, 2);
            std::memcpy(out + ((weight.k / 2) * kPanelRows + r) * 4, odd_row[r], 4);
        }
    }
}

/// The part that has row `row`, and which of its rows that is.
struct PartRow {
    const HostMatrix* part = nullptr;
    int64_t row = 0;
};

PartRow find_row(std::span<const HostMatrix> parts, int64_t row) {
    for (const HostMatrix& part : parts) {
        if (row < part.n) return {&part, row};
        row -= part.n;
    }
    return {};
}

/// One panel of a quantised weight: rows that are quantised already as they are, others quantised here.
void pack_quantized_panel(std::span<const HostMatrix> parts, const Weight& weight, int64_t panel, std::byte* out, RowQuantizer quantize) {
    const QuantKind kind = quant_kind(weight.format);
    const int64_t groups = ceil_div(weight.k, kQuantGroup), row_codes = code_bytes(kind, weight.k);
    std::vector<uint8_t> codes(static_cast<size_t>(kPanelRows * row_codes));
    std::vector<F16> scales(static_cast<size_t>(kPanelRows * groups));
    std::vector<float> values(static_cast<size_t>(weight.k));
    PanelRow rows[kPanelRows];
    for (int64_t r = 0; r < std::min(kPanelRows, weight.n - panel * kPanelRows); ++r) {
        const auto [part, row] = find_row(parts, panel * kPanelRows + r);
        if (const QuantRows* from = part->rows) {
            const auto at = [offset = row * groups](auto* v) { return v ? v + offset : nullptr; };
            rows[r] = {from->codes + row * row_codes, at(from->scales), at(from->wide_scales), at(from->zeros)};
            continue;
        }
        const RowRef ref = row_of(parts, panel * kPanelRows + r);
        for (int64_t i = 0; i < weight.k; ++i) values[static_cast<size_t>(i)] = element(ref, i);
        const std::span row_of_codes(codes.data() + r * row_codes, static_cast<size_t>(row_codes));
        const std::span row_of_scales(scales.data() + r * groups, static_cast<size_t>(groups));
        quantize(kind, values, part->importance, {row_of_codes, row_of_scales});
        rows[r] = {row_of_codes.data(), row_of_scales.data(), nullptr, nullptr};
    }
    write_panel(weight, rows, out);
}

/// plan_weight for parts that are or become quantised.
Weight plan_quantized(std::span<const HostMatrix> parts) {
    const auto kind_of = [](const HostMatrix& part) { return part.rows ? part.rows->kind : part.quantize.value(); };
    Weight weight;
    weight.format = format_of(kind_of(parts[0]));
    weight.layout = WeightLayout::kPanels;
    weight.k = parts[0].k;
    bool permuted = false;
    for (const HostMatrix& part : parts) {
        HEARTH_CHECK(part.k == weight.k && format_of(kind_of(part)) == weight.format);
        weight.n += part.n;
        if (!part.rows) continue;
        weight.has_zeros |= part.rows->zeros != nullptr;
        weight.levels = part.rows->levels;
        permuted |= part.rows->columns != nullptr;
    }
    const int64_t panels = ceil_div(weight.n, kPanelRows) * panel_bytes(weight.format, weight.has_zeros, weight.k);
    weight.bytes = panels + (permuted ? weight.k * static_cast<int64_t>(sizeof(int32_t)) : 0);
    return weight;
}

}  // namespace

const int32_t* packed_columns(std::span<const HostMatrix> parts, const Weight& weight, void* storage) {
    const QuantRows* rows = parts[0].rows;
    if (!rows || !rows->columns) return nullptr;
    const auto bytes = weight.k * static_cast<int64_t>(sizeof(int32_t));
    auto* columns = reinterpret_cast<int32_t*>(static_cast<std::byte*>(storage) + weight.bytes - bytes);
    std::memcpy(columns, rows->columns, static_cast<size_t>(bytes));
    return columns;
}

std::string_view name_of(WeightFormat format) {
    switch (format) {
        case WeightFormat::kF32: return "f32";
        case WeightFormat::kF16: return "f16";
        case WeightFormat::kBf16: return "bf16";
        case WeightFormat::kQ8: return "q8";
        case WeightFormat::kQ4: return "q4";
        case WeightFormat::kF8: return "f8";
    }
    return "?";
}

std::string_view name_of(WeightLayout layout) { return layout == WeightLayout::kRows ? "rows" : "panels of 16"; }

Weight plan_weight(std::span<const HostMatrix> parts, WeightUse use) {
    HEARTH_CHECK(!parts.empty());
    if (parts[0].rows || parts[0].quantize) return plan_quantized(parts);
    Weight weight;
    weight.format = format_of(parts[0].dtype);
    weight.layout = use == WeightUse::kLookup ? WeightLayout::kRows : WeightLayout::kPanels;
    weight.k = parts[0].k;
    for (const HostMatrix& part : parts) {
        HEARTH_CHECK(part.k == weight.k);
        if (format_of(part.dtype) != weight.format) weight.format = WeightFormat::kF32;
        weight.n += part.n;
    }
    const bool panels = weight.layout == WeightLayout::kPanels;
    const int64_t rows = panels ? round_up(weight.n, kPanelRows) : weight.n;
    weight.bytes = rows * (panels ? round_up(weight.k, kPanelDepth) : weight.k) * element_bytes(weight.format);
    return weight;
}

void pack_panels(std::span<const HostMatrix> parts, const Weight& weight, int64_t first_panel, int64_t last_panel, void* storage,
                 RowQuantizer quantize) {
    auto* out = static_cast<std::byte*>(storage);
    const int64_t size = element_bytes(weight.format);
    for (int64_t panel = first_panel; panel < last_panel; ++panel) {
        if (is_quantized(weight.format)) {
            pack_quantized_panel(parts, weight, panel, out + panel * panel_bytes(weight.format, weight.has_zeros, weight.k), quantize);
            continue;
        }
        if (weight.layout == WeightLayout::kPanels) {
            pack_panel(parts, weight, panel, out + panel * kPanelRows * round_up(weight.k, kPanelDepth) * size);
            continue;
        }
        for (int64_t row = panel * kPanelRows; row < std::min(weight.n, (panel + 1) * kPanelRows); ++row) {
            copy_row(row_of(parts, row), weight.format, weight.k, out + row * weight.k * size);
        }
    }
}

void unpack_row(const Weight& weight, int64_t row, float* out) {
    HEARTH_CHECK(row >= 0 && row < weight.n);
    if (is_quantized(weight.format)) return unpack_quantized_row(weight, row, out);
    const DType type = weight.format == WeightFormat::kF32 ? DType::kF32 : weight.format == WeightFormat::kF16 ? DType::kF16 : DType::kBf16;
    if (weight.layout == WeightLayout::kRows) {
        for (int64_t i = 0; i < weight.k; ++i) out[i] = load_float(weight.data, type, row * weight.k + i);
        return;
    }
    const int64_t v = interleave(weight.format), base = row / kPanelRows * kPanelRows * round_up(weight.k, kPanelDepth),
                  lane = row % kPanelRows;
    for (int64_t i = 0; i < weight.k; ++i) out[i] = load_float(weight.data, type, base + (i / v * kPanelRows + lane) * v + i % v);
}

}  // namespace hearth
