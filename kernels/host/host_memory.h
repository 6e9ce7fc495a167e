// Memory of the host for weights, caches and scratch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace hearth {

/// Zeroed, 64-byte-aligned host memory. It lies on huge pages where the system has them (a decode reads a third of its lines through pages
/// of 4 KB otherwise), also where single weights are smaller than one: what is asked for in turn lies side by side in stretches of the
/// address space, of which only what is touched takes memory. Goes back to the system, by whole pages of 4 KB, when the pointer goes.
/// Any thread. Throws Error{kNoResources} with the size.
std::shared_ptr<std::byte> allocate_host(int64_t bytes);

}  // namespace hearth
