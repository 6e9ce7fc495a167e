#include "kernels/cpu/matmul/split.h"

namespace hearth {

template const Variant<MatmulArgs>* find_variant(std::span<const Variant<MatmulArgs>>, const MatmulArgs&, const Device&);
template size_t workspace_of(std::span<const Variant<MatmulArgs>>, const MatmulArgs&, const Device&);
template void run_variant(std::span<const Variant<MatmulArgs>>, const MatmulArgs&, Stream&);

}  // namespace hearth
