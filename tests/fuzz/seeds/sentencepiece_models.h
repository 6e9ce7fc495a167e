// Small SentencePiece models to begin with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::fuzz {

/// Unigram and BPE, with and without byte pieces, with a charsmap of one rule, with user-defined pieces.
std::vector<std::string> small_sentencepiece_models();

/// `file` with its first `count` pieces and everything that is no piece (the trainer's and the normaliser's settings). "" where it is no
/// such file.
std::string first_pieces(std::string_view file, size_t count);

}  // namespace hearth::fuzz
