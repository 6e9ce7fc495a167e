// Two vocabulary files of one checkpoint must say the same.
#pragma once

#include <string>

#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

/// Throws Error{kBadInput} naming both files and the first id on which they differ. Control tokens may have other names (fine-tunes rename
/// reserved ones in one file), and each may have tokens past the end of the other.
void check_agreement(const Vocabulary& a, const std::string& a_file, const Vocabulary& b, const std::string& b_file);

}  // namespace hearth
