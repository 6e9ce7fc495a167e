#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace hearth {

std::string without_nul(std::string message) {
    for (size_t at = message.find('\0'); at != std::string::npos; at = message.find('\0', at)) message.replace(at, 1, "\\x00");
    return message;
}

void check_failed(std::string_view what, const char* file, int line) noexcept {
    std::fprintf(stderr, "hearth: internal error: %.*s does not hold (%s:%d)\n", static_cast<int>(what.size()), what.data(), file, line);
    std::abort();
}

}  // namespace hearth
