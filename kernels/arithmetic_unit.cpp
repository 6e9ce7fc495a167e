#include "kernels/arithmetic_unit.h"

namespace hearth {

Unit unit_of(std::string_view variant) {
    const std::string_view what = variant.substr(variant.find('/') + 1);  // all of it where there is no '/'
    const bool integer = what.starts_with('q') || what.starts_with("int8"), bf16 = what.starts_with("bf16");
    if (what.ends_with("amx")) return integer ? Unit::kAmxInt8 : Unit::kAmxBf16;
    if (what.ends_with("onednn")) return Unit::kAmxBf16;
    if (what.ends_with("avx512")) return integer ? Unit::kInt8Dot : bf16 ? Unit::kBf16Dot : Unit::kF32Fma;
    return what.ends_with("avx2") && !integer && !bf16 ? Unit::kF32Fma : Unit::kNone;
}

std::string_view name_of(Unit unit) {
    switch (unit) {
        case Unit::kF32Fma: return "f32 FMA";
        case Unit::kBf16Dot: return "bf16 dot";
        case Unit::kInt8Dot: return "int8 dot";
        case Unit::kAmxBf16: return "AMX bf16";
        case Unit::kAmxInt8: return "AMX int8";
        case Unit::kNone: break;
    }
    return "";
}

double peak_of(const Limits& limits, Unit unit) {
    switch (unit) {
        case Unit::kF32Fma: return limits.fma_f32_gflops;
        case Unit::kBf16Dot: return limits.dot_bf16_gflops;
        case Unit::kInt8Dot: return limits.dot_int8_gops;
        case Unit::kAmxBf16: return limits.amx_bf16_gflops;
        case Unit::kAmxInt8: return limits.amx_int8_gops;
        case Unit::kNone: break;
    }
    return 0;
}

}  // namespace hearth
