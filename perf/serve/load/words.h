// Text that means nothing, of common words.
#pragma once

#include <cstdint>
#include <string>

#include "perf/serve/load/random.h"

namespace hearth::perf {

/// `count` words with single spaces between them.
std::string random_words(Random& random, int64_t count);

}  // namespace hearth::perf
