#include "kernels/reference/reference.h"

namespace hearth {
namespace {

void run(const EmbedArgs& a, Stream&) noexcept {
    for (int64_t t = 0; t < a.ids.extent[0]; ++t) unpack_row(a.table, a.ids(t), a.y.row(t));
}

}  // namespace

const Variant<EmbedArgs> kEmbedReference{"embed/reference", [](const EmbedArgs&, const Device&) { return true; },
                                         [](const EmbedArgs&, const Device&) -> size_t { return 0; }, run};

}  // namespace hearth
