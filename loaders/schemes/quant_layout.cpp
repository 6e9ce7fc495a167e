#include "loaders/schemes/quant_layout.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

constexpr int64_t kRowsPerTask = 64;                    // a multiple of 8: AWQ's words hold 8 rows
constexpr int kAwqOrder[8] = {0, 4, 1, 5, 2, 6, 3, 7};  // the field that row r % 8 has in a word

uint32_t word_at(const std::byte* data, int64_t i) {
    uint32_t word;
    std::memcpy(&word, data + 4 * i, 4);
    return word;
}

uint32_t field(uint32_t word, int64_t i, int bits) { return word >> static_cast<uint32_t>(i * bits) & ((1u << bits) - 1); }

float scale_at(const QuantLayout& layout, const QuantBytes& bytes, int64_t i) {
    const DType type = *layout.scales->tensor->type->dtype;
    const std::byte* at = bytes.scales.data() + i * bytes_of(type);
    if (type == DType::kU8) return layout.scale_factor * std::ldexp(1.0f, static_cast<int>(*at) - 127);
    return layout.scale_factor * load_float(at, type, 0);
}

int64_t scale_place(const QuantLayout& layout, int64_t row, int64_t group) {
    return layout.scales_by_group ? group * layout.n + row : row / layout.scale_rows * layout.groups() + group;
}

/// -128 to 127 in every order: a field of b bits less 2^(b - 1), or an int8.
int zero_at(const QuantLayout& layout, const QuantBytes& bytes, int64_t row, int64_t group) {
    const std::byte* data = bytes.zeros.data();
    const int64_t per_word = 32 / layout.bits();
    switch (layout.zero_order) {
        case ZeroOrder::kNone: return 0;
        case ZeroOrder::kAsScales: return layout.zero_offset + static_cast<int8_t>(data[scale_place(layout, row, group)]);
        case ZeroOrder::kDownRows:
            return layout.zero_offset +
                   static_cast<int>(field(word_at(data, row / per_word * layout.groups() + group), row % per_word, layout.bits()));
        case ZeroOrder::kAlong:
            return layout.zero_offset +
                   static_cast<int>(field(word_at(data, group * (layout.n / per_word) + row / per_word) + layout.zero_word_offset,
                                          row % per_word, layout.bits()));
        case ZeroOrder::kAwq:
            return layout.zero_offset + static_cast<int>(field(word_at(data, group * (layout.n / 8) + row / 8), kAwqOrder[row % 8], 4));
    }
    return 0;
}

[[noreturn]] void refuse(const Checkpoint::Entry& entry, ErrorKind kind, const std::string& what) {
    throw Error(kind, cat(entry.file->file().name(), ": tensor \"", printable(entry.tensor->name), "\" ", what));
}

/// Columns sorted by group; in order within a group. Empty where they are in order already.
std::vector<int32_t> sorted_columns(const QuantLayout& layout, const QuantBytes& bytes) {
    std::vector<int32_t> group(static_cast<size_t>(layout.k));
    for (int64_t c = 0; c < layout.k; ++c) {
        const auto g = static_cast<int32_t>(word_at(bytes.g_idx.data(), c));
        if (g < 0 || g >= layout.groups())
            refuse(*layout.g_idx, ErrorKind::kBadInput, cat("puts column ", c, " into group ", g, ", expected 0 to ", layout.groups() - 1));
        group[static_cast<size_t>(c)] = g;
    }
    std::vector<int32_t> columns;
    if (std::ranges::is_sorted(group)) {
        bool plain = true;
        for (int64_t c = 0; c < layout.k; ++c) plain &= group[static_cast<size_t>(c)] == c / layout.scale_columns;
        if (plain) return columns;
    }
    columns.resize(group.size());
    for (size_t c = 0; c < columns.size(); ++c) columns[c] = static_cast<int32_t>(c);
    std::ranges::stable_sort(columns, {}, [&](int32_t c) { return group[static_cast<size_t>(c)]; });
    return columns;
}

/// The stored group of each 32 columns. Throws when a group ends within one.
std::vector<int32_t> groups_of_32(const QuantLayout& layout, const QuantBytes& bytes, const std::vector<int32_t>& columns) {
    std::vector<int32_t> groups(static_cast<size_t>(ceil_div(layout.k, kQuantGroup)));
    for (int64_t i = 0; i < layout.k; ++i) {
        int32_t& group = groups[static_cast<size_t>(i / kQuantGroup)];
        const auto own = columns.empty() ? static_cast<int32_t>(i / layout.scale_columns)
                                         : static_cast<int32_t>(word_at(bytes.g_idx.data(), columns[static_cast<size_t>(i)]));
        if (i % kQuantGroup == 0) group = own;
        if (group != own) {
            refuse(columns.empty() ? *layout.scales : *layout.g_idx, ErrorKind::kUnsupported,
                   cat("has a group that ends at column ", i, "; supported: groups of ", kQuantGroup, " columns or a multiple of it"));
        }
    }
    return groups;
}

bool has_zeros(const QuantLayout& layout, const QuantBytes& bytes) {
    if (!layout.zeros) return false;
    for (int64_t g = 0; g < layout.groups(); ++g) {
        for (int64_t r = 0; r < layout.n; ++r) {
            if (zero_at(layout, bytes, r, g) != 0) return true;
        }
    }
    return false;
}

/// f16 has 11 bits between 6e-5 and 65504 and fewer below. A row of very small numbers beside larger ones may lose bits: its error is small
/// beside theirs. What is lost must stay below a rounding of the scale itself or 2^-14 of the largest scale of the matrix.
bool fits_f16(const QuantLayout& layout, const QuantBytes& bytes) {
    if (layout.kind == QuantKind::kF8 || *layout.scales->tensor->type->dtype == DType::kF16) return true;
    const int64_t count = layout.scales->tensor->numel();
    float largest = 0;
    for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(scale_at(layout, bytes, i)));
    for (int64_t i = 0; i < count; ++i) {
        const float scale = scale_at(layout, bytes, i), error = std::abs(to_float(to_f16(scale)) - scale);
        if (!(error <= std::max(0x1p-11f * std::abs(scale), 0x1p-14f * largest))) return false;  // also NaN
    }
    return true;
}

/// Codes of `count` rows from `first` on as one byte each, in stored order of the columns: tile[count][k].
void fill_tile(const QuantLayout& layout, const QuantBytes& bytes, int64_t first, int64_t count, uint8_t* tile) {
    const std::byte* data = bytes.codes.data();
    const int64_t k = layout.k;
    if (layout.order == CodeOrder::kRows) {
        for (int64_t r = 0; r < count; ++r) {
            const auto* row = reinterpret_cast<const uint8_t*>(data) + (first + r) * layout.row_bytes;
            for (int64_t c = 0; c < k; ++c)
                tile[r * k + c] = static_cast<uint8_t>(layout.kind == QuantKind::kQ4 ? row[c / 2] >> 4 * (c % 2) & 15 : row[c]);
        }
    } else if (layout.order == CodeOrder::kDown) {
        const int64_t per_word = 32 / layout.bits();
        for (int64_t w = 0; w < k / per_word; ++w) {
            for (int64_t r = 0; r < count; ++r) {
                const uint32_t word = word_at(data, w * layout.n + first + r);
                for (int64_t i = 0; i < per_word; ++i) tile[r * k + w * per_word + i] = static_cast<uint8_t>(field(word, i, layout.bits()));
            }
        }
    } else {
        for (int64_t c = 0; c < k; ++c) {
            for (int64_t r = 0; r < count; r += 8) {
                const uint32_t word = word_at(data, c * (layout.n / 8) + (first + r) / 8);
                for (int64_t i = 0; i < 8; ++i) tile[(r + i) * k + c] = static_cast<uint8_t>(field(word, kAwqOrder[i], 4));
            }
        }
    }
}

/// The stored rows are rows that kernels pack.
bool in_place(const QuantLayout& layout, const QuantPlan& plan) {
    return layout.order == CodeOrder::kRows && !layout.unsigned_codes && plan.columns.empty() &&
           layout.row_bytes == code_bytes(layout.kind, layout.k);
}

void read_codes(const QuantLayout& layout, const QuantBytes& bytes, const QuantPlan& plan, Stream& stream, std::vector<uint8_t>& out) {
    const int64_t k = layout.k, row_bytes = code_bytes(layout.kind, k);
    out.assign(static_cast<size_t>(layout.n * row_bytes), 0);
    stream.parallel_for(ceil_div(layout.n, kRowsPerTask), [&](int64_t task) {
        const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, layout.n - first);
        std::vector<uint8_t> tile(static_cast<size_t>(count * k));
        fill_tile(layout, bytes, first, count, tile.data());
        const auto flip = static_cast<uint8_t>(layout.unsigned_codes ? 0x80 : 0);
        for (int64_t r = 0; r < count; ++r) {
            const uint8_t* from = tile.data() + r * k;
            uint8_t* to = out.data() + (first + r) * row_bytes;
            for (int64_t i = 0; i < k; ++i) {
                const uint8_t code = from[plan.columns.empty() ? i : plan.columns[static_cast<size_t>(i)]];
                if (layout.kind == QuantKind::kQ4) {
                    to[i / 2] |= static_cast<uint8_t>(code << 4 * (i % 2));
                } else {
                    to[i] = code ^ flip;
                }
            }
        }
    });
}

template <class T, class F>
void read_each(const QuantLayout& layout, const QuantPlan& plan, std::vector<T>& out, F&& value) {
    out.clear();
    out.reserve(static_cast<size_t>(layout.n) * plan.groups.size());
    for (int64_t r = 0; r < layout.n; ++r) {
        for (const int32_t g : plan.groups) out.push_back(value(r, g));
    }
}

}  // namespace

std::vector<const Checkpoint::Entry*> QuantLayout::entries() const {
    std::vector<const Checkpoint::Entry*> out{codes, scales};
    if (zeros) out.push_back(zeros);
    if (g_idx) out.push_back(g_idx);
    return out;
}

QuantPlan plan_rows(const QuantLayout& layout, QuantBytes& bytes) {
    layout.scales->read(bytes.scales);
    if (layout.zeros) layout.zeros->read(bytes.zeros);
    if (layout.g_idx) layout.g_idx->read(bytes.g_idx);
    QuantPlan plan;
    if (layout.g_idx) plan.columns = sorted_columns(layout, bytes);
    plan.groups = groups_of_32(layout, bytes, plan.columns);
    plan.zeros = has_zeros(layout, bytes);
    plan.f16_scales = fits_f16(layout, bytes);
    return plan;
}

void read_rows(const QuantLayout& layout, QuantBytes& bytes, const QuantPlan& plan, Stream& stream, QuantBuffers& out) {
    layout.codes->read(bytes.codes, &stream);
    QuantRows& rows = out.rows;
    rows = {};
    rows.kind = layout.kind;
    rows.levels = layout.levels;
    const auto scale = [&](int64_t r, int64_t g) { return scale_at(layout, bytes, scale_place(layout, r, g)); };
    if (layout.kind == QuantKind::kF8) {
        read_each(layout, plan, out.wide_scales, scale);
        rows.wide_scales = out.wide_scales.data();
    } else {
        read_each(layout, plan, out.scales, [&](int64_t r, int64_t g) { return to_f16(scale(r, g)); });
        rows.scales = out.scales.data();
    }
    if (plan.zeros) {
        read_each(layout, plan, out.zeros, [&](int64_t r, int64_t g) { return static_cast<int8_t>(zero_at(layout, bytes, r, g)); });
        rows.zeros = out.zeros.data();
    }
    if (in_place(layout, plan)) {
        rows.codes = reinterpret_cast<const uint8_t*>(bytes.codes.data());
    } else {
        read_codes(layout, bytes, plan, stream, out.codes);
        rows.codes = out.codes.data();
    }
    if (!plan.columns.empty()) rows.columns = plan.columns.data();
}

void read_floats(const QuantLayout& layout, QuantBytes& bytes, const QuantPlan& plan, Stream& stream, std::vector<float>& out) {
    layout.codes->read(bytes.codes, &stream);
    const int64_t k = layout.k;
    out.resize(static_cast<size_t>(layout.n * k));
    stream.parallel_for(ceil_div(layout.n, kRowsPerTask), [&](int64_t task) {
        const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, layout.n - first);
        std::vector<uint8_t> tile(static_cast<size_t>(count * k));
        fill_tile(layout, bytes, first, count, tile.data());
        for (int64_t r = 0; r < count; ++r) {
            for (int64_t i = 0; i < k; ++i) {
                const int64_t c = plan.columns.empty() ? i : plan.columns[static_cast<size_t>(i)],
                              g = plan.groups[static_cast<size_t>(i / kQuantGroup)];
                const uint8_t code = tile[static_cast<size_t>(r * k + c)];
                const float scale = scale_at(layout, bytes, scale_place(layout, first + r, g));
                float level = e4m3_to_float(code);
                if (layout.kind == QuantKind::kQ4) level = layout.levels[code & 15];
                if (layout.kind == QuantKind::kQ8)
                    level = layout.unsigned_codes ? static_cast<float>(code) - 128 : static_cast<int8_t>(code);
                const int zero = plan.zeros ? zero_at(layout, bytes, first + r, g) : 0;
                out[static_cast<size_t>((first + r) * k + c)] = (level - static_cast<float>(zero)) * scale;
            }
        }
    });
}

}  // namespace hearth
