// Every tensor that a model needs, said once: checking, planning, loading and inventing weights all walk this list.
#pragma once

#include <string>
#include <vector>

#include "loaders/families/families.h"
#include "runtime/model_config.h"
#include "runtime/weights.h"

namespace hearth {

/// One tensor of a checkpoint: a matrix [n, k], or a vector [n] where k is 0.
struct NeededTensor {
    std::string name;
    int64_t n = 0, k = 0;
};

/// How a checkpoint spells the names.
struct TensorNames {
    std::string prefix = "model.";                    // of everything but lm_head; "" where a bare LlamaModel was saved
    std::string embed = "model.embed_tokens.weight";  // the table when embeddings are tied, whatever its name
    const Family* family = nullptr;                   // may be null for a dense model
};

/// Does one thing with each weight. May throw, which ends the walk.
class WeightVisitor {
public:
    virtual ~WeightVisitor() = default;
    /// The rows of `parts` one after the other are one weight, which belongs into `out`.
    virtual void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight& out) = 0;
    /// The same for a vector of float32.
    virtual void vector(const std::vector<NeededTensor>& parts, DeviceVector& out) = 0;
};

/// Walks in the order in which a model uses its weights. The result holds what the visitor filled in.
Weights visit_weights(const ModelConfig& config, const TensorNames& names, WeightVisitor& visitor);

/// How many positions a model gets: `wanted`, or its own where that is 0. Throws Error{kTooLarge} when the table of rotations alone
/// would take gigabytes: config.json may claim any number.
int64_t checked_context(const ModelConfig& config, int64_t wanted);

}  // namespace hearth
