// Which matrices of a plain checkpoint become q8 or q4, and which stay as they are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loaders/quantize/options.h"
#include "loaders/weights/weight_list.h"

namespace hearth {

/// The options and the defaults: with q4 the head and the embedding are q8 (a word's probability
/// hangs on single rows of them, and they are looked up more than multiplied), the router of a
/// mixture always stays as it is (it is small, and a near tie of two experts turns on its last bits).
class QuantizeRules {
public:
    QuantizeRules(const QuantizeOptions& options, const TensorNames& names);

    /// What the matrix that is stacked from `parts` becomes; nothing: it stays. Throws Error{kBadInput} where the parts would differ.
    std::optional<QuantKind> kind_of(const std::vector<NeededTensor>& parts, WeightUse use) const;

private:
    bool fits(const KeepRule& rule, const NeededTensor& tensor, WeightUse use) const;
    std::optional<QuantKind> kind_of(const NeededTensor& tensor, WeightUse use) const;

    friend void check_rules(const ModelConfig&, const TensorNames&, const QuantizeOptions&);
    QuantizeOptions options_;
    std::string router_;  // the name of a mixture's router below its layer; or empty
};

/// Throws Error{kBadInput} for a rule that fits no matrix of the model, or is given while nothing is quantised.
void check_rules(const ModelConfig& config, const TensorNames& names, const QuantizeOptions& options);

}  // namespace hearth
