// Which commit this program was built from. Defined in a file that cmake/BuildCommit.cmake writes at each build.
#pragma once

#include <string_view>

namespace hearth::tool {

/// "7f7af17a1c2d", with "-dirty" where the tree had changes; "unknown" without a git work tree.
std::string_view build_commit();

}  // namespace hearth::tool
