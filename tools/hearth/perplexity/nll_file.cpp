#include "tools/hearth/perplexity/nll_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"

namespace hearth::tool {

NllFile::NllFile(const std::string& path, const Tokenizer& tokenizer, std::span<const int32_t> tokens)
    : path_(path), tokenizer_(tokenizer), tokens_(tokens) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
        throw Error(ErrorKind::kIo, cat("--nll ", printable(path, 300), ": expected the name of a new file, found one that is there"));
    out_.open(path);
    if (!out_) fail();
    out_ << "index\tid\tnll\ttext\n";
}

NllFile::~NllFile() {
    if (finished_) return;
    out_.close();
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

void NllFile::take(const ScoredRows& rows) {
    for (int64_t i = 0; i < rows.expected.extent[0]; ++i) {
        const int64_t at = rows.first + i;
        const int32_t id = tokens_[static_cast<size_t>(at)];
        out_ << cat(at, "\t", id, "\t", fixed(-static_cast<double>(rows.expected.row(i)[id]), 6), "\t",
                    printable(tokenizer_.token_name(id)), "\n");
    }
    if (!out_) fail();
}

void NllFile::finish() {
    out_.close();
    if (!out_) fail();
    finished_ = true;
}

void NllFile::fail() const {
    throw Error(ErrorKind::kIo, cat("--nll ", printable(path_, 300), ": cannot be written: ", std::strerror(errno)));
}

}  // namespace hearth::tool
