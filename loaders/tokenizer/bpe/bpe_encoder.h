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
    /// Whether all that it does is to put a text in front.
    virtual bool prepends() const { return false; }
};
using Normalizer = std::vector<std::unique_ptr<const NormalizerStep>>;

/// Byte pair encoding with what comes before it.
class BpeEncoder : public TextEncoder {
public:
    /// `words`: added tokens that are ordinary words, to be found by their normalised text in the normalised text.
    BpeEncoder(Normalizer normalizer, PreTokenizer pre_tokenizer, BpeModel model, const std::vector<AddedToken>& words = {});

    void encode(std::string_view text, const TextPlace& place, std::vector<int32_t>& out) const override;

    /// The same, and says how many steps merging took.
    int64_t encode_counting(std::string_view text, const TextPlace& place, std::vector<int32_t>& out) const;

private:
    void normalize(std::string& text, bool with_prefix) const;
    std::string normalize_stretch(std::string_view text, const TextPlace& place) const;
    void encode_pieces(std::string_view text, bool at_start, MergeScratch& scratch, std::vector<int32_t>& out) const;
    static AddedTokens normalized_words(const BpeEncoder& encoder, const std::vector<AddedToken>& words);

    Normalizer normalizer_;
    PreTokenizer pre_tokenizer_;
    BpeModel model_;
    std::string prefix_;  // what the normaliser puts in front of every text
    AddedTokens words_;
};

}  // namespace hearth
