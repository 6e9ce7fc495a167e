#include "tools/hearth/perplexity/kl_base.h"

#include <filesystem>

#include "base/text.h"

namespace hearth::tool {

KlHeader kl_header(const Model& model, const std::string& name, std::span<const int32_t> tokens, const Windows& windows) {
    const auto count = static_cast<int64_t>(tokens.size());
    const Device& device = model.backend().device();
    const std::string backend(model.backend().name());
    return {.vocab = model.config().vocab,
            .context = windows.context,
            .stride = windows.stride,
            .skip = windows.skip,
            .tokens = count,
            .scored = windows.scored(count),
            .token_hash = hash_of(tokens),
            .model = cat(name, ", ", name_of(model.weights().layers.front().qkv.weight.format), ", ", backend,
                         backend == "cpu" ? cat(":", name_of(device.level)) : "")};
}

KlBase::KlBase(const std::string& path, const KlHeader& run, std::span<const int32_t> tokens) : path_(path), tokens_(tokens) {
    std::error_code unknown;
    if (std::filesystem::exists(path, unknown) || unknown) {
        reader_ = std::make_unique<KlReader>(path);
        check_comparable(path, reader_->header(), run);
    } else {
        writer_ = std::make_unique<KlWriter>(path, run);
    }
}

std::string KlBase::note() const {
    return reader_ ? cat("comparing with ", printable(path_, 300), ", written by ", printable(reader_->header().model))
                   : cat("writing ", printable(path_, 300), ", which later runs are compared with");
}

void KlBase::take(const ScoredRows& rows) {
    const auto vocab = static_cast<size_t>(rows.expected.extent[1]);
    for (int64_t i = 0; i < rows.expected.extent[0]; ++i) {
        const std::span<const float> expected(rows.expected.row(i), vocab);
        const int32_t token = tokens_[static_cast<size_t>(rows.first + i)];
        writer_ ? writer_->write(expected, token) : compare(expected, token);
    }
}

void KlBase::compare(std::span<const float> expected, int32_t token) {
    const KlReader::Record base = reader_->next();
    comparisons_.push_back({.divergence = divergence(base.expected, expected),
                            .base_nll = -double{base.own},
                            .own_nll = -double{expected[static_cast<size_t>(token)]},
                            .same_top = likeliest(expected) == base.likeliest});
}

void KlBase::finish(PerplexityReport& report) {
    report.kl_path = path_;
    if (writer_) {
        writer_->finish();
        report.kl_written = true;
        return;
    }
    report.base = reader_->header();
    report.divergence = summarize(comparisons_);
}

}  // namespace hearth::tool
