// Every stage and primitive, naive, in float32: the oracle of all tests and the last variant of every table.
//
// Each variant reads one thing after the other with plain loops and sums in order of k in float32 (attention and norms in double), so that
// what it computes can be checked by reading it. Weights are unpacked row by row, whatever their layout.
#pragma once

#include <memory>

#include "kernels/make_backend.h"

namespace hearth {

extern const Variant<EmbedArgs> kEmbedReference;
extern const Variant<QkvArgs> kQkvReference;
extern const Variant<AttentionArgs> kAttentionReference;
extern const Variant<ProjectArgs> kProjectReference;
extern const Variant<GateUpArgs> kGateUpReference;
extern const Variant<ExpertsArgs> kExpertsReference;
extern const Variant<HeadArgs> kHeadReference;
extern const Variant<MatmulArgs> kMatmulReference;
extern const Variant<NormArgs> kNormReference;
extern const Variant<RopeAppendArgs> kRopeAppendReference;
extern const Variant<SampleArgs> kSampleReference;

/// Tables of nothing but these variants.
const Tables& reference_tables();

/// The backend "reference": one thread, any machine. For tests and for doubting the fast ones.
std::shared_ptr<const Backend> make_reference_backend(const BackendOptions& options);

}  // namespace hearth
