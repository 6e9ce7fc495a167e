// Normalise, cut, merge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "loaders/tokenizer/bpe/bpe_model.h"
#include "loaders/tokenizer/bpe/pre_tokenizer.h"
#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

/// One step that rewrites text before it is cut. Immutable. `from`: bytes of the text that the first step was given; what it becomes stays
/// within growth_limit(from), else Error{kTooLarge}.
class NormalizerStep {
public:
    virtual ~NormalizerStep() = default;
    virtual void apply(std::string& text, size_t from) const = 0;
};
using Normalizer = std::vector<std::unique_ptr<const NormalizerStep>>;

/// Byte pair encoding with what comes before it.
class BpeEncoder : public TextEncoder {
public:
    BpeEncoder(Normalizer normalizer, PreTokenizer pre_tokenizer, BpeModel model);

    void encode(std::string_view text, bool at_start, std::vector<int32_t>& out) const override;

    /// The same, and says how many steps merging took.
    int64_t encode_counting(std::string_view text, bool at_start, std::vector<int32_t>& out) const;

private:
    Normalizer normalizer_;
    PreTokenizer pre_tokenizer_;
    BpeModel model_;
};

}  // namespace hearth
