#include "kernels/reference/math.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

void run(const NormArgs& a, Stream&) noexcept {
    for (int64_t t = 0; t < a.x.extent[0]; ++t) reference::norm_row(a.x.row(t), a.weight, a.eps, a.x.extent[1], a.y.row(t));
}

}  // namespace

const Variant<NormArgs> kNormReference{"norm/reference", [](const NormArgs&, const Device&) { return true; },
                                       [](const NormArgs&, const Device&) -> size_t { return 0; }, run};

}  // namespace hearth
