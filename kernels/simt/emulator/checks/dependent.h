#pragma once
#include "kernels/simt/emulator/memory/hook.h"
namespace hearth::simt {
class EarlyShadow {};
inline void check_order_of_launches(Machine&, const Access&) {}
}  // namespace hearth::simt
