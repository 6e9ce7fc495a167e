#include "loaders/io/placeholder.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

bool begins_like(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char found) {
               return want == (found >= 'A' && found <= 'Z' ? static_cast<char>(found - 'A' + 'a') : found);
           });
}

}  // namespace

void refuse_placeholder(std::string_view begin, const std::string& file) {
    const auto refuse = [&](const std::string& what) { throw Error(ErrorKind::kBadInput, cat(file, ": this is ", what)); };
    begin = begin.substr(0, kPlaceholderBytes);
    if (begin.starts_with("version https://") && begin.find("\noid sha256:") != std::string_view::npos)
        refuse("a pointer of Git LFS, fetch the file itself (git lfs pull)");
    if (begin.starts_with("\xEF\xBB\xBF")) begin.remove_prefix(3);
    begin.remove_prefix(std::min(begin.find_first_not_of(" \t\r\n"), begin.size()));
    if (begins_like(begin, "<!doctype html") || begins_like(begin, "<html"))
        refuse("a web page: the address that it was fetched from shows the file, or asks to log in; fetch the file itself");
    for (const char* answer : {"entry not found", "repository not found", "invalid username or password", "access to model", "<?xml"}) {
        if (begins_like(begin, answer))
            refuse(cat("a server's answer, \"", printable(begin.substr(0, begin.find('\n')), 80),
                       "\", in the place of the file; fetch the file itself"));
    }
}

}  // namespace hearth
