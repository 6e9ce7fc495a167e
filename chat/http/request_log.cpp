#include "chat/http/request_log.h"

#include <ctime>

#include "base/text.h"
#include "chat/http/routes.h"

namespace hearth {
namespace {

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

}  // namespace

void RequestLog::ended(const HttpEnd& end) const {
    if (!sink_ || (end.status < 400 && !all_)) return;
    const std::string route = end.path.empty() ? std::string("unread") : route_name(end.method, end.path);
    sink_(cat(utc_now(), ' ', end.status, ' ', route, ' ', end.time.count(), " ms"));
}

}  // namespace hearth
