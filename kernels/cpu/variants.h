// Every variant of the CPU, by stage and in order of preference. Declarations (here) and tables (cpu_backend.cpp) are both made from these
// lists, so a new variant is one file, which the comment names, and one row.
#pragma once

#include "kernels/backend.h"

#define HEARTH_CPU_MATMUL(ROW)                                   \
    ROW(kMatmulBf16Amx)     /* matmul/matmul_amx.cpp */          \
    ROW(kMatmulBf16Avx512)  /* matmul/matmul_dot_avx512.cpp */   \
    ROW(kMatmulFmaAvx512)   /* matmul/matmul_fma_avx512.cpp */   \
    ROW(kMatmulFmaAvx2)     /* matmul/matmul_fma_avx2.cpp */     \
    ROW(kMatmulQAmx)        /* matmul/matmul_q_amx.cpp */        \
    ROW(kMatmulQAvx512)     /* matmul/matmul_q_avx512.cpp */     \
    ROW(kMatmulQAvx2)       /* matmul/matmul_q_avx2.cpp */       \
    ROW(kMatmulF8Avx512)    /* matmul/matmul_f8_avx512.cpp */    \
    ROW(kMatmulF8Avx2)      /* matmul/matmul_f8_avx2.cpp */      \
    ROW(kMatmulSplitAvx512) /* matmul/matmul_split_avx512.cpp */ \
    ROW(kMatmulSplitAvx2)   /* matmul/matmul_split_avx2.cpp */

#define HEARTH_CPU_ATTENTION(ROW)                              \
    ROW(kAttentionAmx)    /* attention/attention_amx.cpp */    \
    ROW(kAttentionAvx512) /* attention/attention_avx512.cpp */ \
    ROW(kAttentionAvx2)   /* attention/attention_avx2.cpp */

#define HEARTH_CPU_NORM(ROW)                    \
    ROW(kNormAvx512) /* rows/norm_avx512.cpp */ \
    ROW(kNormAvx2)   /* rows/norm_avx2.cpp */

#define HEARTH_CPU_ROPE_APPEND(ROW)                          \
    ROW(kRopeAppendAvx512) /* rows/rope_append_avx512.cpp */ \
    ROW(kRopeAppendAvx2)   /* rows/rope_append_avx2.cpp */

#define HEARTH_CPU_EMBED(ROW)                     \
    ROW(kEmbedAvx512) /* rows/embed_avx512.cpp */ \
    ROW(kEmbedAvx2)   /* rows/embed_avx2.cpp */

#define HEARTH_CPU_SAMPLE(ROW)                      \
    ROW(kSampleAvx512) /* rows/sample_avx512.cpp */ \
    ROW(kSampleAvx2)   /* rows/sample_avx2.cpp */

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
