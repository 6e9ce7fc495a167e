// A summary for people, and for perf_compare and perf_plot.
#pragma once

#include <string>

#include "perf/serve/report/summary.h"

namespace hearth::perf {

/// Some twenty lines.
std::string report_table(const Summary& summary, const LoadOptions& options);

/// Where and when it ran.
struct RunPlace {
    std::string machine;  // of this program; the server may run elsewhere
    std::string time;     // ISO 8601, UTC
};

/// One object, as perf/results/serve.h reads it; perf/README.md tells its keys. Holds neither the key nor the values of headers.
std::string report_json(const Summary& summary, const LoadOptions& options, const RunPlace& place);

}  // namespace hearth::perf
