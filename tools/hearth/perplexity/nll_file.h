// The negative log-likelihood (NLL) of each token of a text, one line a token.
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

#include "loaders/tokenizer/tokenizer.h"
#include "runtime/score.h"

namespace hearth::tool {

/// A file of lines "index TAB id TAB nll TAB text", with a line of names first. `index` counts from the text's start; NLL is in nats; in
/// `text` control characters are escaped. Throws Error{kIo}: FILE exists already (nothing is overwritten), or cannot be written.
class NllFile {
public:
    /// `tokenizer` and `tokens` outlive the file.
    NllFile(const std::string& path, const Tokenizer& tokenizer, std::span<const int32_t> tokens);
    ~NllFile();  // takes an unfinished file away
    NllFile(const NllFile&) = delete;
    NllFile& operator=(const NllFile&) = delete;

    void take(const ScoredRows& rows);
    void finish();

private:
    void fail() const;

    const std::string path_;
    const Tokenizer& tokenizer_;
    std::span<const int32_t> tokens_;
    std::ofstream out_;
    bool finished_ = false;
};

}  // namespace hearth::tool
