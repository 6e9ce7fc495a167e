#include <array>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"
#include "loaders/tokenizer/agreement.h"
#include "loaders/tokenizer/bpe/ranks.h"
#include "loaders/tokenizer/huggingface/tokenizer_json.h"
#include "loaders/tokenizer/sentencepiece/model_file.h"
#include "loaders/tokenizer/sentencepiece/tokenizer.h"
#include "loaders/tokenizer/tokenizer.h"

namespace hearth {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxFileBytes = 256 << 20;
constexpr std::array kFiles = {"tokenizer.json", "tekken.json",
                               "tokenizer.model"};  // the first that is there encodes, the others must agree

std::shared_ptr<const VocabularyTokenizer> load_file(const fs::path& path, const TokenizerConfig& config) {
    const std::string bytes = read_small_file(path, kMaxFileBytes);
    const std::string file = path.string();
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && bytes[first] == '{') {
        // Both are JSON objects; only tekken.json has "config" and a list as "vocab", and says so within its first lines or not at all.
        if (path.filename().string().starts_with("tekken") || bytes.find("\"token_bytes\"") < 65'536)
            return load_tekken(bytes, file, config);
        return load_tokenizer_json(bytes, file, config);
    }
    if (is_tiktoken(bytes)) return load_tiktoken(bytes, file, config);
    if (is_sentencepiece(bytes)) return load_sentencepiece(bytes, file, config);
    throw Error(ErrorKind::kBadInput,
                cat(file, ": neither a tokenizer.json, a tekken.json, a SentencePiece model nor tiktoken ranks; it begins \"",
                    printable(std::string_view(bytes).substr(0, 16)), "\""));
}

/// A second file, to be compared; null with a notice where it cannot be read: it would not encode anything.
std::shared_ptr<const VocabularyTokenizer> load_second(const fs::path& path, std::vector<std::string>* notices) {
    try {
        return load_file(path, {});
    } catch (const Error& error) {
        if (notices) notices->push_back(cat(path.filename().string(), " is left aside: ", error.what()));
        return nullptr;
    }
}

}  // namespace

std::shared_ptr<const Tokenizer> open_tokenizer(const fs::path& folder, std::vector<std::string>* notices) {
    TokenizerConfig config;
    std::shared_ptr<const VocabularyTokenizer> chosen;
    std::string chosen_file;
    for (const char* name : kFiles) {
        const fs::path path = folder / name;
        if (!model_file_exists(path)) continue;
        if (!chosen) {
            config = read_tokenizer_config(folder);
            chosen = load_file(path, config);
            chosen_file = path.string();
        } else {
            const auto second = load_second(path, notices);
            if (second) check_agreement(chosen->vocabulary(), chosen_file, second->vocabulary(), path.string());
        }
    }
    if (!chosen)
        throw Error(ErrorKind::kNotFound, cat(folder.string(), ": no tokenizer; looked for ", join({kFiles.begin(), kFiles.end()}, ", ")));
    return chosen;
}

std::shared_ptr<const Tokenizer> open_tokenizer_file(const fs::path& file) { return load_file(file, {}); }

}  // namespace hearth
