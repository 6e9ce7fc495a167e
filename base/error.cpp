#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace hearth {

void check_failed(std::string_view what, const char* file, int line) noexcept {
    std::fprintf(stderr, "hearth: internal error: %.*s does not hold (%s:%d)\n", static_cast<int>(what.size()), what.data(), file, line);
    std::abort();
}

}  // namespace hearth
