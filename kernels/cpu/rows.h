// All rows of the CPU, each defined in the file that its comment names.
#pragma once

#include "kernels/backend.h"

namespace hearth::cpu {

extern const Variant<MatmulArgs> kMatmulBf16Amx;       // matmul/matmul_amx.cpp
extern const Variant<MatmulArgs> kMatmulBf16Avx512;    // matmul/matmul_dot_avx512.cpp
extern const Variant<MatmulArgs> kMatmulFmaAvx512;     // matmul/matmul_fma_avx512.cpp
extern const Variant<MatmulArgs> kMatmulFmaAvx2;       // matmul/matmul_fma_avx2.cpp
extern const Variant<MatmulArgs> kMatmulBf16OneDnn;    // matmul/matmul_onednn.cpp
extern const Variant<MatmulArgs> kMatmulQAmx;          // matmul/matmul_q_amx.cpp
extern const Variant<MatmulArgs> kMatmulQAvx512;       // matmul/matmul_q_avx512.cpp
extern const Variant<MatmulArgs> kMatmulQAvx2;         // matmul/matmul_q_avx2.cpp
extern const Variant<MatmulArgs> kMatmulF8Avx512;      // matmul/matmul_f8_avx512.cpp
extern const Variant<MatmulArgs> kMatmulF8Avx2;        // matmul/matmul_f8_avx2.cpp
extern const Variant<MatmulArgs> kMatmulSplitAvx512;   // matmul/matmul_split_avx512.cpp
extern const Variant<MatmulArgs> kMatmulSplitAvx2;     // matmul/matmul_split_avx2.cpp
extern const Variant<AttentionArgs> kAttentionAmx;     // attention/attention_amx.cpp
extern const Variant<AttentionArgs> kAttentionAvx512;  // attention/attention_avx512.cpp
extern const Variant<AttentionArgs> kAttentionAvx2;    // attention/attention_avx2.cpp
extern const Variant<NormArgs> kNormAvx512;            // rows/norm_avx512.cpp
extern const Variant<NormArgs> kNormAvx2;              // rows/norm_avx2.cpp
extern const Variant<RopeAppendArgs> kRopeAppendAvx512;
extern const Variant<RopeAppendArgs> kRopeAppendAvx2;
extern const Variant<EmbedArgs> kEmbedAvx512;
extern const Variant<EmbedArgs> kEmbedAvx2;
extern const Variant<SampleArgs> kSampleAvx512;
extern const Variant<SampleArgs> kSampleAvx2;

}  // namespace hearth::cpu
