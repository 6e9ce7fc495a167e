// The pages of keys and values, on the device. Which sequence uses which page is BlockPool's business.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/backend.h"
#include "runtime/model_config.h"

namespace hearth {

/// How people call what a cache holds: "bf16", "f32"; "q8" for codes of int8 with a scale for each token and head.
constexpr std::string_view cache_type_name(DType type) { return type == DType::kI8 ? "q8" : name_of(type); }

/// All layers' pages: num_blocks blocks of kBlockTokens tokens under the ids 0 to num_blocks - 1.
class KvCache {
public:
    /// `dtype`: kBf16, kF32, or kI8. Throws Error{kNoResources} with the bytes that were asked for.
    KvCache(const ModelConfig& config, const Backend& backend, int64_t num_blocks, DType dtype);

    const KvPages& layer(int64_t i) const { return layers_[static_cast<size_t>(i)]; }
    int64_t num_blocks() const { return num_blocks_; }
    int64_t bytes() const { return num_blocks_ * bytes_per_block_; }

    /// Of one block in all layers.
    static int64_t bytes_per_block(const ModelConfig& config, DType dtype);

private:
    std::vector<KvPages> layers_;
    DeviceBytes memory_;
    int64_t num_blocks_ = 0, bytes_per_block_ = 0;
};

}  // namespace hearth
