// What a server says of itself to who watches it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"

namespace hearth {

/// One model in memory.
struct ModelMetrics {
    std::string name;
    EngineStats stats;
};

/// In Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Counters count since the model was
/// loaded; times are in seconds.
std::string metrics_text(const std::vector<ModelMetrics>& models, int64_t loads, int64_t failed_loads);

}  // namespace hearth
