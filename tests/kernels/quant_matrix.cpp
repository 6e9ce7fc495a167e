#include "tests/kernels/quant_matrix.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"

namespace hearth::testing {

QuantMatrix::QuantMatrix(const QuantFormat& format, int64_t n_, int64_t k_, uint32_t seed) : n(n_), k(k_) {
    std::mt19937 random(seed);
    const auto groups = static_cast<size_t>(n * ceil_div(k, kQuantGroup));
    codes.resize(static_cast<size_t>(n * code_bytes(format.kind, k)));
    for (uint8_t& code : codes) {
        code = static_cast<uint8_t>(random());
        if (format.kind == QuantKind::kF8 && (code & 0x7F) == 0x7F) code = 0x3C;  // not a number
    }
    scales.resize(groups);
    wide_scales.resize(groups);
    zeros.resize(groups);
    for (size_t i = 0; i < groups; ++i) {
        wide_scales[i] = 0.5f + static_cast<float>(random() % 1000) * 1e-3f;
        scales[i] = to_f16(wide_scales[i] * (i % 3 ? 0.01f : -0.01f));
        zeros[i] = static_cast<int8_t>(format.kind == QuantKind::kQ4 ? static_cast<int>(random() % 16) - 8
                                                                     : static_cast<int>(random() % 256) - 128);
    }
    columns.resize(static_cast<size_t>(k));
    std::iota(columns.begin(), columns.end(), 0);
    std::shuffle(columns.begin(), columns.end(), random);
    rows = {.kind = format.kind,
            .codes = codes.data(),
            .scales = scales.data(),
            .wide_scales = nullptr,
            .zeros = nullptr,
            .columns = nullptr,
            .levels = format.levels};
    if (format.kind == QuantKind::kF8) rows.scales = nullptr, rows.wide_scales = wide_scales.data();
    if (format.zeros) rows.zeros = zeros.data();
    if (format.columns) rows.columns = columns.data();
}

}  // namespace hearth::testing
