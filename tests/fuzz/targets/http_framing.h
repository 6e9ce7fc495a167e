// HTTP/1.1's frames, read by rules of our own: what the client meant as requests, and what the server sent as answers.
#pragma once

#include <cstddef>
#include <string_view>

namespace hearth::fuzz {

/// How many requests `bytes` can be: heads up to an empty line, each with the body that one plain Content-Length says. Behind a head whose
/// body nobody can be sure of (two lengths, one that is no number, a transfer encoding) there is none.
size_t requests_in(std::string_view bytes);

/// How many final answers `bytes` holds. Ends the process unless each is a status line, printable headers with Content-Length and as many
/// bytes as that says; no status is 5xx but 503 and 505; and what says "Connection: close" is the last.
size_t require_answers(std::string_view bytes);

}  // namespace hearth::fuzz
