#include "loaders/families/families.h"

#include <algorithm>

namespace hearth {

extern const Family kLlama, kMistral, kMixtral, kQwen2, kQwen3;

namespace {
constexpr const Family* kFamilies[] = {&kLlama, &kMistral, &kMixtral, &kQwen2, &kQwen3};
}

std::span<const Family* const> families() { return kFamilies; }

const Family* find_family(std::string_view model_type) {
    const auto* found =
        std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Family* f) { return f->model_type == model_type; });
    return found == std::end(kFamilies) ? nullptr : *found;
}

void read_window(const ConfigFields& fields, int64_t fallback, ModelConfig& config) {
    const int64_t window = fields.mentions("sliding_window") ? fields.integer("sliding_window", 0, int64_t{1} << 30, 0) : fallback;
    config.windows.assign(static_cast<size_t>(config.layers), window);
}

}  // namespace hearth
