// What `sample` says of a row besides its token: log-probabilities.
#pragma once

#include "kernels/ops.h"

namespace hearth::reference {

/// Writes the outputs log_probabilities, top_ids and top_log_probabilities of row s, as far as there are any. `id`: the row's token, or -1,
/// where there are no log-probabilities.
void write_log_probabilities(const SampleArgs& a, int64_t s, int32_t id);

}  // namespace hearth::reference
