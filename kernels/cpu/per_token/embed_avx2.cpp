// embed/avx2: see embed.h.
#include "kernels/cpu/per_token/embed.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<EmbedArgs> kEmbedAvx2{
    "embed/avx2", [](const EmbedArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx2 && embed_fits(a); },
    [](const EmbedArgs&, const Device&) -> size_t { return 0; }, run_embed<Avx2>};

}  // namespace hearth::cpu
