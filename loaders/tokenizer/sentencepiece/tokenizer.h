// SentencePiece models through the sentencepiece library.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "loaders/tokenizer/tokenizer_config.h"
#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

/// Throws Error naming `file`.
std::shared_ptr<const VocabularyTokenizer> load_sentencepiece(std::string_view bytes, const std::string& file,
                                                              const TokenizerConfig& config);

}  // namespace hearth
