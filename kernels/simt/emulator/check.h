// Everything that the emulator can find, in one call: several schedules, both landings, races, and equal results from all of them.
#pragma once

#include <functional>

#include "kernels/simt/emulator/emulator.h"

namespace hearth::simt {

/// `body` uploads, launches and synchronizes on the emulator that it is given; it is called once for each way to run, and must give the
/// same values to each. Returns what all of the runs found. Buffers whose bytes differ between two runs are a finding of the line that
/// wrote them last: results must depend on no order.
Report check_everywhere(const std::function<void(Emulator&)>& body);

}  // namespace hearth::simt
