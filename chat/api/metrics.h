// What a server says of itself to who watches it.
#pragma once

#include <string>

#include "loaders/pool/model_pool.h"

namespace hearth {

/// In Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): sums over all models. Counters count
/// since the program began; times are in seconds.
std::string metrics_text(const EngineStats& stats, const LoadCounts& loads);

}  // namespace hearth
