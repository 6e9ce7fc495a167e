#include "kernels/weight.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/checked.h"
#include "base/error.h"

namespace hearth {
namespace {

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
            if (count > 0) std::memcpy(line, rows[r] + begin * static_cast<int64_t>(sizeof(Unit)), static_cast<size_t>(count) * sizeof(Unit));
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

}  // namespace

std::string_view name_of(WeightFormat format) {
    switch (format) {
        case WeightFormat::kF32: return "f32";
        case WeightFormat::kF16: return "f16";
        case WeightFormat::kBf16: return "bf16";
    }
    return "?";
}

std::string_view name_of(WeightLayout layout) { return layout == WeightLayout::kRows ? "rows" : "panels of 16"; }

Weight plan_weight(std::span<const HostMatrix> parts, WeightUse use) {
    HEARTH_CHECK(!parts.empty());
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

void pack_panels(std::span<const HostMatrix> parts, const Weight& weight, int64_t first_panel, int64_t last_panel, void* storage) {
    auto* out = static_cast<std::byte*>(storage);
    const int64_t size = element_bytes(weight.format);
    for (int64_t panel = first_panel; panel < last_panel; ++panel) {
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
    const DType type = weight.format == WeightFormat::kF32 ? DType::kF32 : weight.format == WeightFormat::kF16 ? DType::kF16 : DType::kBf16;
    if (weight.layout == WeightLayout::kRows) {
        for (int64_t i = 0; i < weight.k; ++i) out[i] = load_float(weight.data, type, row * weight.k + i);
        return;
    }
    const int64_t v = interleave(weight.format), base = row / kPanelRows * kPanelRows * round_up(weight.k, kPanelDepth), lane = row % kPanelRows;
    for (int64_t i = 0; i < weight.k; ++i) out[i] = load_float(weight.data, type, base + (i / v * kPanelRows + lane) * v + i % v);
}

}  // namespace hearth
