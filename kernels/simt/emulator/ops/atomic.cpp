#include "kernels/simt/emulator/ops/atomic.h"

#include "kernels/simt/emulator/checks/clock.h"
#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {

void acquire_counter(uintptr_t address) {
    if (current->clock != nullptr) acquire_from_counter(*current, current->machine->clock_of_counter(address));
}

void release_counter(uintptr_t address, bool keeps_earlier) {
    if (current->clock == nullptr) return;
    auto& clock = current->machine->clock_of_counter(address);
    if (!keeps_earlier) clock = nullptr;  // a plain store ends the release sequence of those before it
    release_to_counter(*current, clock);
}

void poll_until(bool (*holds)(void*), void* argument, Where where) { current->machine->poll(holds, argument, where); }

}  // namespace hearth::simt
