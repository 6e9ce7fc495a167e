#include "kernels/simt/emulator/checks/dependent.h"

#include <algorithm>

#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {
namespace {

EarlyShadow& shadow_of(Region& region) {
    if (region.early == nullptr) region.early = std::make_unique<EarlyShadow>();
    EarlyShadow& shadow = *region.early;
    if (shadow.chain != current->chain) {
        shadow.chain = current->chain;
        shadow.toucher.assign(region.size, 0);
        shadow.writer.assign(region.size, 0);
    }
    return shadow;
}

/// The launch `later` touched these bytes before the current thread, of an earlier launch, did.
void report_early(Machine& machine, const Access& access, const EarlyShadow& shadow, unsigned later) {
    const EarlyShadow::Touch& touch = shadow.last[later];
    Finding finding;
    finding.kind = Kind::kEarlyTouch;
    finding.kernel = machine.launch_of_chain(later - 1).name;
    finding.block = touch.block;
    finding.thread = touch.thread;
    finding.where = touch.where;
    finding.text = access.region->name + " is touched before kernel " + current->block->launch->name +
                   (access.use == Use::kLoad ? ", which reads it at line " : ", which writes it at line ") +
                   std::to_string(access.where.line) + ", has ended: grid_wait() comes first";
    machine.report().add(finding);
}

}  // namespace

void check_order_of_launches(Machine& machine, const Access& access) {
    if (machine.launches_in_chain() < 2) return;
    const unsigned self = current->block->launch->index + 1;
    EarlyShadow& shadow = shadow_of(*access.region);
    const uint64_t first = access.address - access.region->base;
    for (uint64_t b = first; b < first + access.bytes; ++b) {
        const unsigned writer = shadow.writer[b], toucher = shadow.toucher[b];
        if (writer > self) {
            report_early(machine, access, shadow, writer);
        } else if (access.use != Use::kLoad && toucher > self) {
            report_early(machine, access, shadow, toucher);
        } else if (writer != 0 && writer < self && (current->ordered_launches >> (writer - 1) & 1) == 0) {
            machine.find(Kind::kEarlyTouch, access.where,
                         access.region->name + " was written by kernel " + machine.launch_of_chain(writer - 1).name +
                             ", and this thread has not passed a grid_wait() of its own, or the kernels between did not");
        }
        shadow.toucher[b] = static_cast<uint8_t>(std::max(toucher, self));
        if (access.use != Use::kLoad) shadow.writer[b] = static_cast<uint8_t>(std::max(writer, self));
    }
    shadow.last[self] = {.where = access.where, .block = current->block->id, .thread = current->index};
}

}  // namespace hearth::simt
