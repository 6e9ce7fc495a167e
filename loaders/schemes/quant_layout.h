// How the numbers of one quantised matrix lie in a checkpoint's tensors, and how they become rows that backends pack.
//
// Every scheme is described by the same few facts: in which order the codes lie, which columns and rows share a scale, how zero points are
// stored, which group a column belongs to. A scheme finds and checks the tensors; what follows is the same for all.
#pragma once

#include <vector>

#include "kernels/stream.h"
#include "kernels/weights/quant.h"
#include "loaders/checkpoint/checkpoint.h"

namespace hearth {

enum class CodeOrder : uint8_t {
    kRows,  // [n, bytes of a row]: as QuantRows has them, but for a sign bit perhaps (`unsigned_codes`)
    kDown,  // int32 [k * bits / 32, n]: fields of a word are consecutive columns of one row (GPTQ)
    kAwq,   // int32 [k, n / 8]: fields of a word are eight rows of one column, in AWQ's order
};

enum class ZeroOrder : uint8_t {
    kNone,
    kAsScales,  // int8, one for each scale and where the scale is
    kDownRows,  // int32 [n * bits / 32, groups]: fields of a word are consecutive rows of one group (compressed-tensors)
    kAlong,     // int32 [groups, n * bits / 32]: fields of a word are consecutive rows of one group (GPTQ)
    kAwq,       // the same with 4 bits in AWQ's order
};

/// Tensors of the checkpoint and how to read them. Borrows the entries; their dtypes and shapes have been checked.
struct QuantLayout {
    int64_t n = 0, k = 0;
    QuantKind kind = QuantKind::kQ4;
    Levels levels = kLinearLevels;  // of q4

    const Checkpoint::Entry* codes = nullptr;
    CodeOrder order = CodeOrder::kRows;
    bool unsigned_codes = false;  // q8 stored with 128 added
    int64_t row_bytes = 0;        // kRows: of one stored row

    const Checkpoint::Entry* scales = nullptr;  // BF16, F16 or F32; U8: the exponent of 2, with 127 added
    int64_t scale_rows = 1, scale_columns = 0;  // so many of each share a scale
    bool scales_by_group = false;               // [groups, n] in place of [n / scale_rows, groups]
    float scale_factor = 1;

    const Checkpoint::Entry* zeros = nullptr;
    ZeroOrder zero_order = ZeroOrder::kNone;
    uint32_t zero_word_offset = 0;  // kAlong: added to each stored word as a whole, carries and all, before a field is cut out
    int zero_offset = 0;            // added to a stored zero point

    const Checkpoint::Entry* g_idx = nullptr;  // int32 [k]: the group of each column; null: column / scale_columns

    int bits() const { return kind == QuantKind::kQ4 ? 4 : 8; }
    int64_t groups() const { return (k + scale_columns - 1) / scale_columns; }  // as stored
    std::vector<const Checkpoint::Entry*> entries() const;
};

/// The bytes of a layout's tensors, as they are stored.
struct QuantBytes {
    ByteBuffer codes, scales, zeros, g_idx;
};

/// What a layout comes to: found in its small tensors (scales, zero points, groups), without reading a code.
struct QuantPlan {
    std::vector<int32_t> columns;  // as QuantRows has it; empty: in order
    std::vector<int32_t> groups;   // [ceil(k / 32)]: whose scale and zero point each 32 stored columns have
    bool zeros = false;            // some zero point is not 0
    bool f16_scales = true;        // f16 holds every scale well enough; always so for f8, whose scales are float32
};

/// Throws Error: a group number out of range, groups that do not come in whole 32s.
/// Reads the small tensors into `bytes`.
QuantPlan plan_rows(const QuantLayout& layout, QuantBytes& bytes);

/// The rows of a matrix, and the memory under them where they do not lie in the file as they are.
struct QuantBuffers {
    QuantRows rows;  // over the vectors below, the stored codes, and plan.columns
    std::vector<uint8_t> codes;
    std::vector<F16> scales;
    std::vector<float> wide_scales;
    std::vector<int8_t> zeros;
};

/// Reads the codes into `bytes`, which plan_rows has filled, and the matrix as quantised rows, with the stream's threads. `bytes` and
/// `plan` outlive `out`.
void read_rows(const QuantLayout& layout, QuantBytes& bytes, const QuantPlan& plan, Stream& stream, QuantBuffers& out);

/// Reads it as float32 in the order of the inputs, every number as the format's formula gives it: out[n, k]. `bytes` as for read_rows.
void read_floats(const QuantLayout& layout, QuantBytes& bytes, const QuantPlan& plan, Stream& stream, std::vector<float>& out);

}  // namespace hearth
