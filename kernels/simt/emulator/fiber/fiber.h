// A stack and the place where it stopped: one per CUDA thread.
//
// A switch saves the six registers that a callee must keep (System V ABI for x86-64) and changes the stack pointer. It neither asks the
// kernel nor saves floating-point control words, which no kernel changes. Address and thread sanitizer are told of every switch.
#pragma once

#include <cstddef>

namespace hearth::simt {

struct Fiber {
    void* stack_pointer = nullptr;
    char* stack = nullptr;  // lowest address; null for the stack of the OS thread itself
    size_t stack_bytes = 0;
    void* fake_stack = nullptr;  // of the address sanitizer
    void* tsan = nullptr;        // of the thread sanitizer
};

/// Makes `fiber`, whose stack is set, begin in `entry` at the first switch to it. `entry` must call fiber_entered() first and never return.
void prepare_fiber(Fiber& fiber, void (*entry)());

/// Readies the OS thread's own stack to be switched from.
void adopt_os_thread(Fiber& fiber);

/// Stops `from` here and goes on where `to` stopped. `from_ends`: it will never be switched to again.
void switch_fiber(Fiber& from, Fiber& to, bool from_ends = false);

/// For sanitizers: first thing in an entry function.
void fiber_entered(Fiber& self);

/// For sanitizers: a fiber that is dropped, at its end or in its middle.
void drop_fiber(Fiber& fiber);

}  // namespace hearth::simt
