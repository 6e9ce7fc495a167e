#include "kernels/select.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

std::string_view name_of(CpuLevel level) {
    switch (level) {
        case CpuLevel::kPortable: return "portable";
        case CpuLevel::kAvx2: return "avx2";
        case CpuLevel::kAvx512: return "avx512";
        case CpuLevel::kAmx: return "amx";
    }
    return "?";
}

bool allowed(std::string_view name, const std::vector<std::string>& forced) {
    const std::string_view stage = name.substr(0, name.find('/') + 1);
    bool any = false;
    for (const std::string_view wanted : forced) {
        if (wanted == name) return true;
        any |= wanted.starts_with(stage);
    }
    return !any;
}

bool is_reference(std::string_view name) { return name.ends_with("/reference"); }

bool forced_by_name(std::string_view name, const std::vector<std::string>& forced) {
    return std::ranges::find(forced, name) != forced.end();
}

void no_variant(std::string_view stage, const std::vector<std::string>& forced) {
    if (forced.empty())
        throw Error(ErrorKind::kUnsupported, cat("no kernel of ", stage, " supports these weights and shapes on this device"));
    std::vector<std::string> of_stage;
    for (const std::string& name : forced) {
        if (name.starts_with(cat(stage, '/'))) of_stage.push_back(name);
    }
    if (!of_stage.empty())
        throw Error(ErrorKind::kUnsupported,
                    cat("HEARTH_FORCE: ", join(of_stage, ", "), " does not support these weights, shapes or this machine"));
    throw Error(ErrorKind::kUnsupported,
                cat("HEARTH_FORCE: ", join(forced, ", "), " leaves ", stage,
                    " without a fast kernel for these weights, shapes or this machine; add one that supports them, or ", stage,
                    "/reference if that is wanted"));
}

}  // namespace hearth
