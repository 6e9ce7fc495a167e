// Cutting text into the pieces that byte pair encoding works on: nothing merges across them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loaders/tokenizer/bpe/regex.h"

namespace hearth {

/// A text and where its pieces end: ascending, none empty, the last is the size of the text.
struct Pieces {
    std::string text;
    std::vector<size_t> ends;
};

/// What becomes of the matches of a Split.
enum class SplitBehavior : uint8_t { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// When a prefix is put in front of a text.
enum class PrependScheme : uint8_t { kNever, kFirst, kAlways };

/// One step of a pre-tokenizer. Immutable.
class PreTokenizerStep {
public:
    virtual ~PreTokenizerStep() = default;
    /// Changes `pieces`. `at_start`: nothing stands before the text.
    virtual void apply(Pieces& pieces, bool at_start) const = 0;
    /// The pattern, if all that the step does is to cut before and after each match.
    virtual const Regex* isolating_pattern() const { return nullptr; }
};

/// Cuts at the matches of a pattern, or, `invert`ed, at what lies between them.
class SplitStep : public PreTokenizerStep {
public:
    SplitStep(Regex pattern, SplitBehavior behavior, bool invert) : regex_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
    void apply(Pieces& pieces, bool at_start) const override;
    const Regex* isolating_pattern() const override { return behavior_ == SplitBehavior::kIsolated ? &regex_ : nullptr; }

private:
    Regex regex_;
    SplitBehavior behavior_;
    bool invert_;
};

/// Spaces become `replacement` (U+2581), one more is put in front, and each begins a piece if `split`.
class MetaspaceStep : public PreTokenizerStep {
public:
    MetaspaceStep(std::string replacement, PrependScheme scheme, bool split)
        : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}
    void apply(Pieces& pieces, bool at_start) const override;

private:
    std::string replacement_;
    PrependScheme scheme_;
    bool split_;
};

/// A space goes in front of every piece that has none (GPT-2's add_prefix_space).
class PrefixSpaceStep : public PreTokenizerStep {
public:
    void apply(Pieces& pieces, bool at_start) const override;
};

/// Steps one after the other. Immutable.
class PreTokenizer {
public:
    void add(std::unique_ptr<const PreTokenizerStep> step) { steps_.push_back(std::move(step)); }
    size_t size() const { return steps_.size(); }

    using Sink = std::function<void(std::string_view text, const std::vector<size_t>& ends)>;

    /// Gives `sink` all pieces of `text`, not empty, from left to right, some at a time: a long text's pieces do not all exist at once.
    /// What the steps make of a text stays within its growth_limit, else Error{kTooLarge}.
    void run(std::string_view text, bool at_start, const Sink& sink) const;

private:
    std::vector<std::unique_ptr<const PreTokenizerStep>> steps_;
};

/// The expression that ByteLevel uses unless told not to.
extern const char* const kGpt2Pattern;

/// A pattern that matches `text` itself.
std::string literal_pattern(std::string_view text);

}  // namespace hearth
