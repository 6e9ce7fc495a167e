// Between our requests and answers and those of cpp-httplib.
#pragma once

#include <httplib.h>

#include <string>

#include "chat/http/message.h"

namespace hearth {

/// What a connection's thread has to know of the request that it serves, and the library does not hand on.
struct Exchange {
    bool refused_by_library = false;  // the answer is the library's own refusal
    HttpEnd end;                      // filled while the answer is written
};

/// This thread's.
Exchange& this_exchange();

/// Without the body. `client_gone` asks the library's request, which must outlive it.
HttpRequest to_request(const httplib::Request& from);

/// Fills the library's answer. A body that is still to be written is written while the library sends it.
void give(HttpResponse from, const httplib::Request& request, httplib::Response& to);

/// "/v1/models/*" as a pattern of the library's router. Paths are ours: letters, digits, '/', '_', '-'.
std::string pattern_of(const std::string& path);

}  // namespace hearth
