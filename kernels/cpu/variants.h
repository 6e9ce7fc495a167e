// Every variant of the CPU, by stage and in order of preference. Declarations (here) and tables (cpu_backend.cpp) are both made from these
// lists, so a new variant is one file, which the comment names, and one line.
#pragma once

#include "kernels/tables.h"

#define HEARTH_CPU_MATMUL(VARIANT)                                   \
    VARIANT(kMatmulBf16Amx)     /* matmul/matmul_amx.cpp */          \
    VARIANT(kMatmulBf16Avx512)  /* matmul/matmul_dot_avx512.cpp */   \
    VARIANT(kMatmulFmaAvx512)   /* matmul/matmul_fma_avx512.cpp */   \
    VARIANT(kMatmulFmaAvx2)     /* matmul/matmul_fma_avx2.cpp */     \
    VARIANT(kMatmulQAmx)        /* matmul/matmul_q_amx.cpp */        \
    VARIANT(kMatmulQAvx512)     /* matmul/matmul_q_avx512.cpp */     \
    VARIANT(kMatmulQAvx2)       /* matmul/matmul_q_avx2.cpp */       \
    VARIANT(kMatmulF8Avx512)    /* matmul/matmul_f8_avx512.cpp */    \
    VARIANT(kMatmulF8Avx2)      /* matmul/matmul_f8_avx2.cpp */      \
    VARIANT(kMatmulSplitAvx512) /* matmul/matmul_split_avx512.cpp */ \
    VARIANT(kMatmulSplitAvx2)   /* matmul/matmul_split_avx2.cpp */

#define HEARTH_CPU_ATTENTION(VARIANT)                              \
    VARIANT(kAttentionAmx)    /* attention/attention_amx.cpp */    \
    VARIANT(kAttentionAvx512) /* attention/attention_avx512.cpp */ \
    VARIANT(kAttentionAvx2)   /* attention/attention_avx2.cpp */

#define HEARTH_CPU_NORM(VARIANT)                         \
    VARIANT(kNormAvx512) /* per_token/norm_avx512.cpp */ \
    VARIANT(kNormAvx2)   /* per_token/norm_avx2.cpp */

#define HEARTH_CPU_ROPE_APPEND(VARIANT)                               \
    VARIANT(kRopeAppendAvx512) /* per_token/rope_append_avx512.cpp */ \
    VARIANT(kRopeAppendAvx2)   /* per_token/rope_append_avx2.cpp */

#define HEARTH_CPU_EMBED(VARIANT)                          \
    VARIANT(kEmbedAvx512) /* per_token/embed_avx512.cpp */ \
    VARIANT(kEmbedAvx2)   /* per_token/embed_avx2.cpp */

#define HEARTH_CPU_SAMPLE(VARIANT)                        \
    VARIANT(kSampleAvx512) /* sample/sample_avx512.cpp */ \
    VARIANT(kSampleAvx2)   /* sample/sample_avx2.cpp */

namespace hearth::cpu {

#define HEARTH_DECLARE(name) extern const Variant<MatmulArgs> name;
HEARTH_CPU_MATMUL(HEARTH_DECLARE)
#undef HEARTH_DECLARE

#define HEARTH_DECLARE(name) extern const Variant<AttentionArgs> name;
HEARTH_CPU_ATTENTION(HEARTH_DECLARE)
#undef HEARTH_DECLARE

#define HEARTH_DECLARE(name) extern const Variant<NormArgs> name;
HEARTH_CPU_NORM(HEARTH_DECLARE)
#undef HEARTH_DECLARE

#define HEARTH_DECLARE(name) extern const Variant<RopeAppendArgs> name;
HEARTH_CPU_ROPE_APPEND(HEARTH_DECLARE)
#undef HEARTH_DECLARE

#define HEARTH_DECLARE(name) extern const Variant<EmbedArgs> name;
HEARTH_CPU_EMBED(HEARTH_DECLARE)
#undef HEARTH_DECLARE

#define HEARTH_DECLARE(name) extern const Variant<SampleArgs> name;
HEARTH_CPU_SAMPLE(HEARTH_DECLARE)
#undef HEARTH_DECLARE

}  // namespace hearth::cpu
