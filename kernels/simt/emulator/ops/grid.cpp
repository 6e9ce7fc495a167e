#include "kernels/simt/emulator/ops/grid.h"

#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {

void wait_for_grid(Where where) { current->machine->wait_grid(where); }

}  // namespace hearth::simt
