// embed/avx512: see embed.h.
#include "kernels/cpu/per_token/embed.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<EmbedArgs> kEmbedAvx512{
    "embed/avx512", [](const EmbedArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx512 && embed_fits(a); },
    [](const EmbedArgs&, const Device&) -> size_t { return 0; }, run_embed<Avx512>};

}  // namespace hearth::cpu
