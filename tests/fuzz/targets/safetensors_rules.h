// The rules of the safetensors format, read a second time.
#pragma once

#include <cstdint>
#include <string_view>

namespace hearth::fuzz {

/// Ends the process unless the format allows a file with this header and `data_bytes` bytes behind it. Written from the format's
/// description over a parsed tree, and so without a line in common with the loader, which reads event by event.
void require_safetensors_rules(std::string_view header, int64_t data_bytes);

}  // namespace hearth::fuzz
