// The bounds of one rendering of a chat template.
#pragma once

#include <cstdint>

namespace hearth {

/// What one rendering may take. Templates are untrusted code.
struct TemplateLimits {
    int64_t steps = 10'000'000;  // a template that looks through all messages for each of 1,000 takes 3 million
    int64_t output_bytes = 16 << 20;
    int64_t parse_depth = 128, call_depth = 64;
    int64_t range_items = 100'000;
    int64_t time_ms = 2'000;
    int64_t memory_bytes = 256 << 20;  // all values alive at one time
};

}  // namespace hearth
