#include "chat/http/transport/translate.h"

#include <utility>

namespace hearth {
namespace {

/// A body that the handler writes, through the library's sink.
class SinkWriter : public BodyWriter {
public:
    explicit SinkWriter(httplib::DataSink& sink) : sink_(sink) {}
    bool write(std::string_view data) override { return data.empty() || sink_.write(data.data(), data.size()); }
    bool client_gone() override { return !sink_.is_writable(); }
    void failed(int status) override { this_exchange().end.status = status; }

private:
    httplib::DataSink& sink_;
};

}  // namespace

Exchange& this_exchange() {
    thread_local Exchange exchange;
    return exchange;
}

HttpRequest to_request(const httplib::Request& from) {
    HttpRequest out;
    out.method = from.method;
    out.path = from.path;
    for (const auto& [name, value] : from.headers) {
        std::string key = name;
        for (char& c : key) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        out.headers.emplace_back(std::move(key), value);
    }
    out.client_gone = [&from] { return from.progress && !from.progress(0, 0); };  // see Impl::serve
    return out;
}

void give(HttpResponse from, const httplib::Request& request, httplib::Response& to) {
    to.status = from.status;
    std::string type = "text/plain";
    for (auto& [name, value] : from.headers) {
        if (name == "Content-Type") {
            type = value;
        } else {
            to.set_header(name, value);
        }
    }
    if (!from.stream) {
        to.set_content(std::move(from.body), type);
        return;
    }
    auto provider = [stream = std::move(from.stream)](size_t, httplib::DataSink& sink) {
        SinkWriter writer(sink);
        stream(writer);
        const bool whole = sink.is_writable();
        if (whole) sink.done();
        return whole;
    };
    if (request.version == "HTTP/1.0") {
        to.set_content_provider(type, std::move(provider));  // ends with the connection
    } else {
        to.set_chunked_content_provider(type, std::move(provider));
    }
}

std::string pattern_of(const std::string& path) {
    return path.ends_with("/*") ? path.substr(0, path.size() - 1) + ".+" : path == "/" ? path : path + "/?";
}

}  // namespace hearth
