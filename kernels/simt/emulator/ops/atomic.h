// Atomic operations at GPU scope. PTX ISA, "atom", "ld.acquire", "st.release", and "Memory Consistency Model".
//
// Integers only: a sum of floats in the order of arrival differs from run to run, so it is not in the vocabulary.
#pragma once

#include <type_traits>

#include "kernels/simt/emulator/memory/pointers.h"

namespace hearth::simt {

template <class T>
concept AtomicInteger = std::is_integral_v<T> &&(sizeof(T) == 4 || sizeof(T) == 8);

/// What an atomic operation orders for the current thread.
void acquire_counter(uintptr_t address);
void release_counter(uintptr_t address, bool keeps_earlier);
void poll_until(bool (*holds)(void*), void* argument, Where where);

template <AtomicInteger T, Space kSpace>
T exchange_with(Pointer<T, kSpace> pointer, long long i, T operand, bool adds, Where where) {
    const uintptr_t address = pointer.address() + static_cast<uintptr_t>(i * static_cast<long long>(sizeof(T)));
    const Access access{pointer.region(), address, sizeof(T), sizeof(T), Use::kAtomic, Path::kAtomicOp, where};
    if (!admit(access)) return T{};
    T old;
    std::memcpy(&old, reinterpret_cast<const void*>(address), sizeof(T));
    using Unsigned = std::make_unsigned_t<T>;
    const T now = adds ? static_cast<T>(static_cast<Unsigned>(old) + static_cast<Unsigned>(operand)) : operand;
    std::memcpy(reinterpret_cast<void*>(address), &now, sizeof(T));
    return old;
}

/// Adds, and returns what was there. Relaxed: it orders nothing.
template <AtomicInteger T, Space kSpace>
T atomic_add(Pointer<T, kSpace> pointer, long long i, std::type_identity_t<T> value, Where where = Where::here()) {
    return exchange_with(pointer, i, value, true, where);
}

/// Adds, and returns what was there; acquires and releases. The last of many arrivals sees what all did before theirs (after a barrier of
/// its block: its other threads too).
template <AtomicInteger T>
T atomic_add_acq_rel(GlobalPtr<T> pointer, long long i, std::type_identity_t<T> value, Where where = Where::here()) {
    const uintptr_t address = pointer.address() + static_cast<uintptr_t>(i * static_cast<long long>(sizeof(T)));
    const T old = exchange_with(pointer, i, value, true, where);
    acquire_counter(address);
    release_counter(address, true);
    return old;
}

/// Stores a counter; whoever acquires it sees what this thread did before.
template <AtomicInteger T>
void store_release(GlobalPtr<T> pointer, long long i, std::type_identity_t<T> value, Where where = Where::here()) {
    (void)exchange_with(pointer, i, value, false, where);
    release_counter(pointer.address() + static_cast<uintptr_t>(i * static_cast<long long>(sizeof(T))), false);
}

template <AtomicInteger T>
T load_acquire(GlobalPtr<T> pointer, long long i = 0, Where where = Where::here()) {
    const T value = exchange_with(pointer, i, T{0}, true, where);
    acquire_counter(pointer.address() + static_cast<uintptr_t>(i * static_cast<long long>(sizeof(T))));
    return value;
}

/// Spins until the counter is at least `value`, with acquire loads. Other blocks run, and start, meanwhile.
template <AtomicInteger T>
void wait_at_least(GlobalPtr<T> pointer, long long i, std::type_identity_t<T> value, Where where = Where::here()) {
    struct Poll {
        GlobalPtr<T> pointer;
        long long i;
        T value;
        Where where;
    } poll{pointer, i, value, where};
    poll_until(
        [](void* p) {
            auto& self = *static_cast<Poll*>(p);
            return load_acquire(self.pointer, self.i, self.where) >= self.value;
        },
        &poll, where);
}

}  // namespace hearth::simt
