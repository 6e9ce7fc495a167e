#include "kernels/host/fast_quantize.h"

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/detect.h"
#include "kernels/cpu/quant/quantize_rows.h"

namespace hearth {
namespace {

/// Of this machine's widest vectors; null: it has none.
const cpu::GroupQuantizer* find_group_quantizer() {
    const CpuLevel level = detect_cpu().level;
    return level >= CpuLevel::kAvx512 ? &cpu::kGroupQuantizerAvx512 : level >= CpuLevel::kAvx2 ? &cpu::kGroupQuantizerAvx2 : nullptr;
}

/// Groups [begin, begin + count) of a row, the last perhaps short.
QuantRow part_of_row(QuantKind kind, const QuantRow& row, int64_t begin, int64_t count) {
    const auto codes = static_cast<size_t>(code_bytes(kind, begin * kQuantGroup)),
               all = static_cast<size_t>(code_bytes(kind, count * kQuantGroup));
    return {row.codes.subspan(codes, std::min(all, row.codes.size() - codes)),
            row.scales.subspan(static_cast<size_t>(begin), static_cast<size_t>(count))};
}

}  // namespace

void quantize_row_fast(QuantKind kind, std::span<const float> w, const float* importance, const QuantRow& out) {
    static const cpu::GroupQuantizer* const fast = find_group_quantizer();
    const int64_t groups = ceil_div(std::ssize(w), kQuantGroup), whole = fast ? std::ssize(w) / kQuantGroup : 0;
    for (int64_t g = 0; g < groups;) {
        const int64_t count = g < whole ? std::min(fast->lanes, whole - g) : groups - g, begin = g * kQuantGroup;
        const float* weights = importance ? importance + begin : nullptr;
        const QuantRow part = part_of_row(kind, out, g, count);
        if (g >= whole || !fast->run(kind, w.data() + begin, count, weights, part.codes.data(), part.scales.data())) {
            const int64_t end = std::min(std::ssize(w), begin + count * kQuantGroup);
            quantize_row(kind, w.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), weights, part);
        }
        g += count;
    }
}

}  // namespace hearth
