// The file of --kl-base during a run: written where there is none, compared with where there is one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/model.h"
#include "tools/hearth/perplexity/kl_file.h"
#include "tools/hearth/perplexity/report.h"

namespace hearth::tool {

KlHeader kl_header(const Model& model, const std::string& name, std::span<const int32_t> tokens, const Windows& windows);

/// One run's. One thread.
class KlBase {
public:
    /// Throws as KlReader, KlWriter and check_comparable do. `tokens` outlive it.
    KlBase(const std::string& path, const KlHeader& run, std::span<const int32_t> tokens);

    /// Which of the two it will be, for people.
    std::string note() const;

    /// All scored rows, in order.
    void take(const ScoredRows& rows);

    /// After the last one: the file is complete, or `report` has the divergence.
    void finish(PerplexityReport& report);

private:
    void compare(std::span<const float> expected, int32_t token);

    std::string path_;
    std::span<const int32_t> tokens_;
    std::unique_ptr<KlReader> reader_;
    std::unique_ptr<KlWriter> writer_;  // one of the two
    std::vector<TokenComparison> comparisons_;
};

}  // namespace hearth::tool
