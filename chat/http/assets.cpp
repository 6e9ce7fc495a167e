#include "chat/http/assets.h"

#include "base/text.h"
#include "chat/http/routes.h"

namespace hearth {
namespace {

constexpr std::string_view kFolder = "/assets/";

std::string_view content_type(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "application/octet-stream";
}

}  // namespace

HttpResponse get_asset(Services&, const HttpRequest& request) {
    const std::string_view path = request.path;
    const std::string_view name = path == "/" ? "index.html" : path.substr(kFolder.size());
    for (const Asset& asset : assets()) {
        if (asset.name != name) continue;
        HttpResponse out;
        out.headers = security_headers();
        const std::string tag = cat('"', asset.hash, '"');
        out.headers.emplace_back("Content-Type", content_type(name));
        out.headers.emplace_back("Cache-Control", "no-cache");  // ask each time: a new program may have a new page
        out.headers.emplace_back("ETag", tag);
        if (request.header("if-none-match") == tag) {
            out.status = 304;
        } else {
            out.body = asset.body;
        }
        return out;
    }
    return error_response(404, "there is nothing at this path", "not_found");
}

}  // namespace hearth
