// Which tokens a request leaves to be drawn.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/schedule/sequence.h"

namespace hearth {

/// Why none of the `vocab` ids may be the next token of `sequence`, which draws and has no drafts: what its constraint, bias and least
/// length rule out together. Empty where some id may. Throws what the constraint throws.
std::string why_nothing_is_allowed(const Sequence& sequence, int64_t vocab);

}  // namespace hearth
