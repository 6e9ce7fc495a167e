// Prompts from a file of JSON lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/serve/load/prompts.h"

namespace hearth::perf {

constexpr int64_t kMostPromptFileBytes = int64_t{256} << 20;

/// One conversation a line: "text", {"prompt": "text"} or {"messages": [{"role", "content"}]}; empty lines are left out. With `turns` of 1
/// messages are sent as they stand, in one turn. With more, each message of a user ends a turn, at most `turns` of them are kept, and what
/// the file has as the assistant's is left out, because the server answers. Throws Error naming the file and the line.
std::vector<std::vector<std::vector<Message>>> read_prompts(const std::string& path, int64_t turns);

/// The same from text; `name` stands for the file in errors.
std::vector<std::vector<std::vector<Message>>> parse_prompts(const std::string& text, const std::string& name, int64_t turns);

}  // namespace hearth::perf
