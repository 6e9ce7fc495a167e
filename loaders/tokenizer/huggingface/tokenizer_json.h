// tokenizer.json of Hugging Face's tokenizers library.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "loaders/tokenizer/tokenizer_config.h"
#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

/// Throws Error naming `file` and the component or field.
std::shared_ptr<const VocabularyTokenizer> load_tokenizer_json(std::string_view text, const std::string& file,
                                                               const TokenizerConfig& config);

}  // namespace hearth
