// The command line of perf_serve.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "perf/serve/load/load_options.h"

namespace hearth::perf {

/// Reads the words after the program's name; the key is read from the environment variable that --key-env names. Throws Error that names
/// the option, what was expected and what was found: also where nothing bounds the run, or what was given does not fit together.
LoadOptions parse_load_options(const std::vector<std::string_view>& words);

/// The text of --help.
std::string load_help();

}  // namespace hearth::perf
