#include "perf/serve/client/transfers.h"

#include <curl/curl.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "perf/serve/client/reply.h"

namespace hearth::perf {

namespace {

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList make_headers(const Endpoint& endpoint) {
    std::vector<std::string> lines = {"Content-Type: application/json", "Accept: text/event-stream", "Expect:"};
    if (!endpoint.key.empty()) lines.push_back("Authorization: Bearer " + endpoint.key);
    lines.insert(lines.end(), endpoint.headers.begin(), endpoint.headers.end());
    HeaderList out;
    for (const std::string& line : lines) {
        curl_slist* longer = curl_slist_append(out.get(), line.c_str());
        if (longer == nullptr) throw Error(ErrorKind::kNoResources, "no memory for a request's headers");
        static_cast<void>(out.release());
        out.reset(longer);
    }
    return out;
}

void check_url(const std::string& url) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        throw Error(ErrorKind::kBadInput, cat("expected a URL, found \"", printable(url, 80), "\""));
}

Transport transport_of(CURLcode code) {
    switch (code) {
        case CURLE_OK: return Transport::kComplete;
        case CURLE_COULDNT_CONNECT:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION: return Transport::kNotConnected;
        case CURLE_OPERATION_TIMEDOUT: return Transport::kTimedOut;
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE: return Transport::kClosed;
        default: return Transport::kMalformed;
    }
}

}  // namespace

struct Transfers::Transfer {
    Transfer(Reply its_reply, std::string its_body, const Clock& its_clock)
        : reply(std::move(its_reply)), body(std::move(its_body)), clock(its_clock) {}

    static size_t on_header(char* bytes, size_t, size_t count, void* self) {
        return static_cast<Transfer*>(self)->reply.header_line({bytes, count}) ? count : 0;
    }
    static size_t on_body(char* bytes, size_t, size_t count, void* self) {
        auto* transfer = static_cast<Transfer*>(self);
        return transfer->reply.body({bytes, count}, transfer->clock()) ? count : 0;
    }

    Reply reply;
    std::string body;
    const Clock& clock;
    std::unique_ptr<CURL, FreeEasy> easy;
};

struct Transfers::State {
    Endpoint endpoint;
    Clock clock;
    HeaderList headers;
    std::unique_ptr<CURLM, FreeMulti> multi;
    std::map<CURL*, std::unique_ptr<Transfer>> open;

    Outcome end(CURL* easy, Transport transport, const char* message) {
        const auto at = open.find(easy);
        HEARTH_CHECK(at != open.end());
        Outcome out = at->second->reply.finish(transport, message, clock());
        curl_multi_remove_handle(multi.get(), easy);
        open.erase(at);
        return out;
    }
};

Transfers::Transfers(Endpoint endpoint, Clock clock) : state_(std::make_unique<State>()) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) throw Error(ErrorKind::kNoResources, cat("libcurl does not start: ", curl_easy_strerror(started)));
    check_url(endpoint.url);
    state_->endpoint = std::move(endpoint);
    state_->clock = std::move(clock);
    state_->headers = make_headers(state_->endpoint);
    state_->multi.reset(curl_multi_init());
    if (!state_->multi) throw Error(ErrorKind::kNoResources, "no memory for connections");
}

Transfers::~Transfers() { abort(); }

void Transfers::start(int64_t id, std::string body, int64_t most_tokens, double late) {
    auto transfer = std::make_unique<Transfer>(Reply(id, most_tokens, state_->clock(), late), std::move(body), state_->clock);
    CURL* easy = curl_easy_init();
    if (easy == nullptr) throw Error(ErrorKind::kNoResources, "no memory for a connection");
    transfer->easy.reset(easy);
    const auto set = [&](CURLoption option, auto value) {
        const CURLcode code = curl_easy_setopt(easy, option, value);
        if (code != CURLE_OK) throw Error(ErrorKind::kNoResources, cat("libcurl: ", curl_easy_strerror(code)));
    };
    set(CURLOPT_URL, state_->endpoint.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");  // also none of the environment's
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max(1.0, state_->endpoint.timeout_ms)));
    set(CURLOPT_HTTPHEADER, state_->headers.get());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer->body.size()));
    set(CURLOPT_POSTFIELDS, transfer->body.data());
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(transfer.get()));
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(transfer.get()));
    state_->open.emplace(easy, std::move(transfer));
    const CURLMcode added = curl_multi_add_handle(state_->multi.get(), easy);
    if (added != CURLM_OK) throw Error(ErrorKind::kNoResources, cat("libcurl: ", curl_multi_strerror(added)));
}

std::vector<Outcome> Transfers::poll(double wait_ms) {
    CURLM* multi = state_->multi.get();
    int running = 0;
    const auto check = [](CURLMcode code) {
        if (code != CURLM_OK) throw Error(ErrorKind::kIo, cat("libcurl: ", curl_multi_strerror(code)));
    };
    check(curl_multi_perform(multi, &running));
    if (running == static_cast<int>(state_->open.size()) && wait_ms >= 1) {
        check(curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(wait_ms, 1000.0)), nullptr));
        check(curl_multi_perform(multi, &running));
    }
    std::vector<Outcome> out;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;  // `message` is gone once its handle is removed
        out.push_back(state_->end(message->easy_handle, transport_of(code), curl_easy_strerror(code)));
    }
    return out;
}

std::vector<Outcome> Transfers::abort() {
    std::vector<Outcome> out;
    while (!state_->open.empty()) out.push_back(state_->end(state_->open.begin()->first, Transport::kInterrupted, "interrupted"));
    return out;
}

int64_t Transfers::open() const { return std::ssize(state_->open); }

}  // namespace hearth::perf
