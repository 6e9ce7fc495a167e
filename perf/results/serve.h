// Runs of perf_serve as results.
#pragma once

#include "perf/results/fields.h"
#include "perf/results/results.h"

namespace hearth::perf {

/// Whether a document is what `perf_serve -o json` writes.
bool is_serve_run(const Json& document);

/// One result for each metric, named by the load and not by who answered, so that two servers compare; `out.serve` is what a plot draws.
/// A metric without a value (no answers at all) is left out. Throws Error naming `name` and the place.
void read_serve_run(const Json& document, const std::string& name, ResultFile& out);

}  // namespace hearth::perf
