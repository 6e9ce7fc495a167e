// Recognises what a failed download leaves in the place of a file, such as a pointer of Git LFS or a web page.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

/// So many bytes of a file are enough to tell.
constexpr size_t kPlaceholderBytes = 1024;

/// Throws Error{kBadInput} naming `file` where its first bytes are those of a Git LFS pointer, a web page or a server's refusal: files of a
/// model begin with none of these.
void refuse_placeholder(std::string_view begin, const std::string& file);

}  // namespace hearth
