// The words of a command line on their way to CLI11, and what CLI11 finds wrong with them in our words.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace hearth::tool {

/// The command line in the reverse order that CLI11 takes. Long options with one dash ("-pg") get the second where there is such an option.
/// Throws UsageError: "-ngl" that is no option of `app` (nor "-n gl"), a flag with a value.
std::vector<std::string> words(int argc, char** argv, const CLI::App& app);

/// What is wrong with a command line, with the option that was probably meant.
std::string explain(const CLI::ParseError& error, const CLI::App& app);

}  // namespace hearth::tool
