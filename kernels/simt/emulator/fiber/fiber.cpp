#include "kernels/simt/emulator/fiber/fiber.h"

#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define HEARTH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEARTH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define HEARTH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HEARTH_TSAN 1
#endif
#endif

#ifdef HEARTH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HEARTH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#if !defined(__x86_64__)
#error "the emulator's fiber switch is written for x86-64"
#endif

extern "C" void hearth_simt_switch(void** save, void* load);

asm(R"(
.text
.p2align 4
.globl hearth_simt_switch
.hidden hearth_simt_switch
.type hearth_simt_switch, @function
hearth_simt_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size hearth_simt_switch, .-hearth_simt_switch
)");

namespace hearth::simt {

void prepare_fiber(Fiber& fiber, void (*entry)()) {
    // What the switch pops: six registers, then `entry` as the return address. A function begins with the stack 8 past a multiple of 16.
    auto top = reinterpret_cast<uintptr_t>(fiber.stack + fiber.stack_bytes) & ~uintptr_t{15};
    auto* frame = reinterpret_cast<void**>(top) - 2;  // [0] entry, [1] a null return address of entry
    frame[0] = reinterpret_cast<void*>(entry);
    frame[1] = nullptr;
    for (int r = 1; r <= 6; ++r) frame[-r] = nullptr;
    fiber.stack_pointer = frame - 6;
    fiber.fake_stack = nullptr;
#ifdef HEARTH_TSAN
    fiber.tsan = __tsan_create_fiber(0);
#endif
}

void adopt_os_thread(Fiber& fiber) {
#ifdef HEARTH_TSAN
    fiber.tsan = __tsan_get_current_fiber();
#else
    fiber.tsan = nullptr;
#endif
}

namespace {
#ifdef HEARTH_ASAN
thread_local Fiber* left = nullptr;  // the fiber that was switched from last: its stack becomes known at the first arrival elsewhere
void arrived(Fiber& self) {
    const void* bottom = nullptr;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(self.fake_stack, &bottom, &bytes);
    if (left != nullptr && left->stack == nullptr) {
        left->stack = static_cast<char*>(const_cast<void*>(bottom));
        left->stack_bytes = bytes;
    }
}
#else
void arrived(Fiber&) {}
#endif
}  // namespace

void switch_fiber(Fiber& from, Fiber& to, [[maybe_unused]] bool from_ends) {
#ifdef HEARTH_ASAN
    left = &from;
    __sanitizer_start_switch_fiber(from_ends ? nullptr : &from.fake_stack, to.stack, to.stack_bytes);
#endif
#ifdef HEARTH_TSAN
    __tsan_switch_to_fiber(to.tsan, 0);
#endif
    hearth_simt_switch(&from.stack_pointer, to.stack_pointer);
    arrived(from);
}

void fiber_entered(Fiber& self) { arrived(self); }

void drop_fiber([[maybe_unused]] Fiber& fiber) {
#ifdef HEARTH_ASAN
    __asan_unpoison_memory_region(fiber.stack, fiber.stack_bytes);
#endif
#ifdef HEARTH_TSAN
    if (fiber.tsan != nullptr) __tsan_destroy_fiber(fiber.tsan);
    fiber.tsan = nullptr;
#endif
}

}  // namespace hearth::simt
