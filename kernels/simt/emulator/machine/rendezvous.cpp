#include "kernels/simt/emulator/machine/rendezvous.h"

#include <string>
#include <string_view>

#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {
namespace {

void check_mask(const char* operation, uint32_t mask, Where where) {
    const Warp& warp = *current->warp;
    if ((mask >> current->lane & 1) == 0) {
        current->machine->fail(Kind::kDivergentWarp, where, std::string(operation) + ": the mask does not name the lane that calls");
    }
    if ((mask & ~warp.exists) != 0 || (mask & warp.exited) != 0) {
        current->machine->fail(Kind::kDivergentWarp, where,
                               std::string(operation) + ": the mask names lanes that do not exist or have ended");
    }
}

/// The meeting of these lanes that is under way, or a new one.
Rendezvous& find_or_open(const char* operation, uint32_t mask, bool aligned, Where where) {
    Warp& warp = *current->warp;
    for (Rendezvous& open : warp.open) {
        const bool same = open.mask == mask && std::string_view(open.operation) == operation && (!aligned || open.where == where);
        if (same) return open;
        // Lanes that this one would wait for already wait for it, elsewhere.
        if ((open.mask >> current->lane & 1) && (open.arrived & mask)) {
            current->machine->fail(Kind::kDivergentWarp, where,
                                   std::string("at ") + operation + " while other lanes of its mask are at " + open.operation +
                                       " of line " + std::to_string(open.where.line) + (open.mask == mask ? "" : " under another mask"));
        }
    }
    Rendezvous& opened = warp.open.emplace_back();
    opened.mask = mask;
    opened.operation = operation;
    opened.where = where;
    return opened;
}

}  // namespace

void meet(const char* operation, uint32_t mask, void* operand, Combine combine, bool aligned, Where where) {
    Thread* self = current;
    Warp& warp = *self->warp;
    check_mask(operation, mask, where);
    Rendezvous& met = find_or_open(operation, mask, aligned, where);
    met.operands[self->lane] = operand;
    met.arrived |= 1u << self->lane;
    if (met.arrived != mask) {
        self->machine->scheduler().park(Wait::kWarp, where);
        return;
    }
    const Rendezvous all = met;
    warp.open.erase(warp.open.begin() + (&met - warp.open.data()));
    if (Counters* counters = self->machine->counters()) counters->operation(operation);
    combine(all, warp);
    std::vector<Thread*>& others = self->machine->lanes_to_wake();
    for (unsigned l = 0; l < 32; ++l) {
        if ((mask >> l & 1) == 0) continue;
        ++warp.lanes[l]->syncs;
        if (l != self->lane) others.push_back(warp.lanes[l]);
    }
    self->machine->scheduler().ready_all(others);
}

}  // namespace hearth::simt
