// A matrix as kernels read it, and how a checkpoint's rows become one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernels/dtype.h"
#include "kernels/weights/quant.h"

namespace hearth {

/// What one number of a weight is.
enum class WeightFormat : uint8_t { kF32, kF16, kBf16, kQ8, kQ4, kF8 };  // the last three: kernels/weights/quant.h

/// In which order the numbers lie.
enum class WeightLayout : uint8_t {
    /// [N, K], as on disk: for tables that are looked up by row.
    kRows,
    /// Panels of 16 outputs: [ceil(N/16)][K'/v][16][v] with v = 2 for bf16, 1 for f16 and f32, and K' = K rounded up to 32.
    /// Numbers past N and K are zero. A kernel streams a panel from its first byte to its last; 16 k-pairs of bf16 (1 KiB) are one
    /// AMX tile, one k-pair is one AVX-512 register, half of one an AVX2 register. oneDNN calls it BA16a16b2a (bf16).
    ///
    /// Quantised formats: [ceil(N/16)][ceil(K/64)] blocks of 16 outputs times 64 k (kernels/weights/quant_panels.h), so that the codes,
    /// scales and zero points that a kernel works on come in one stream.
    kPanels,
};

constexpr int64_t kPanelRows = 16;   // outputs in a panel
constexpr int64_t kPanelDepth = 32;  // K is padded to a multiple of this

/// A weight matrix y = W x over borrowed memory; rows are outputs. `data` is null where a model has no such weight.
struct Weight {
    WeightFormat format = WeightFormat::kF32;
    WeightLayout layout = WeightLayout::kRows;
    const void* data = nullptr;        // in `layout`
    int64_t n = 0, k = 0;              // [N, K]
    int64_t bytes = 0;                 // of data, padding included: what a pass over the whole weight reads
    bool has_zeros = false;            // quantised: group blocks hold zero points
    Levels levels = kNormalLevels;     // of q4
    const int32_t* columns = nullptr;  // quantised: [k], stored column i multiplies x[columns[i]]; null: in order. Lies behind the panels

    explicit operator bool() const { return data != nullptr; }
};

/// What a weight will be used for; decides its layout.
enum class WeightUse : uint8_t { kMatmul, kLookup };

/// A row-major [n, k] matrix of a checkpoint: kF32, kF16 or kBf16, not necessarily aligned to its element; or quantised rows.
struct HostMatrix {
    DType dtype = DType::kF32;
    const void* data = nullptr;  // [n, k]
    int64_t n = 0, k = 0;
    const QuantRows* rows = nullptr;                   // quantised already: instead of dtype and data
    std::optional<QuantKind> quantize = std::nullopt;  // to be quantised while it is packed: kQ8 or kQ4
    const float* importance = nullptr;                 // [k], for that: see quantize_row; or null
};

std::string_view name_of(WeightFormat format);
std::string_view name_of(WeightLayout layout);

/// The weight that holds the rows of `parts` (equal k) one part after the other, with data still null and bytes set.
/// Format: that of the parts; f32 where floats differ. Quantised parts are of one kind, with the same levels and columns. Lookup tables of
/// quantised rows lie in panels as well: unpack_row reads them.
Weight plan_weight(std::span<const HostMatrix> parts, WeightUse use);

/// Writes panels [first_panel, last_panel) of `weight` (planned from `parts`) to `storage` (weight.bytes bytes, 64-byte aligned). For
/// kRows a panel is 16 rows. Ranges may be written by several threads at once. `quantize`: for parts that are to be quantised.
void pack_panels(std::span<const HostMatrix> parts, const Weight& weight, int64_t first_panel, int64_t last_panel, void* storage,
                 RowQuantizer quantize = quantize_row);

/// Writes the permutation of the columns, where the parts have one, behind the panels; where it lies, or null.
const int32_t* packed_columns(std::span<const HostMatrix> parts, const Weight& weight, void* storage);

/// Row `row` of any weight as float32: out[k]. For the reference, for embeddings tied to a packed head, for tests.
void unpack_row(const Weight& weight, int64_t row, float* out);

}  // namespace hearth
