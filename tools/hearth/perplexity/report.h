// What `hearth perplexity` prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/limits.h"
#include "tools/hearth/perplexity/divergence.h"
#include "tools/hearth/perplexity/kl_file.h"
#include "tools/hearth/perplexity/scoring.h"

namespace hearth::tool {

struct PerplexityReport {
    Tally tally;
    Windows windows;
    int64_t tokens = 0;            // of the text
    std::optional<Limits> limits;  // of this machine, measured in this run

    // with --kl-base
    std::string kl_path;
    std::optional<KlHeader> base;  // of the file that was read
    std::optional<DivergenceSummary> divergence;
    bool kl_written = false;
};

std::string as_text(const PerplexityReport& report);
std::string as_json(const PerplexityReport& report);

}  // namespace hearth::tool
