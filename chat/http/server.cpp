#include "chat/http/server.h"

#include <chrono>

#include "base/error.h"
#include "base/text.h"
#include "chat/http/request_log.h"
#include "chat/http/routes.h"
#include "chat/http/transport/http_server.h"
#include "chat/leased_models.h"

namespace hearth {
namespace {

/// Refuses to listen where other machines reach a server that asks nobody for a key.
void check_host_option(const ServerOptions& options) {
    if (options.host.empty()) throw Error(ErrorKind::kBadInput, "--host: expected an address or a name of this machine, found \"\"");
    if (is_loopback(options.host) || options.insecure_no_auth) return;
    throw Error(ErrorKind::kBadInput, cat("--host ", printable(options.host),
                                          ": whoever reaches this address could use the models of this machine, and there are no keys "
                                          "yet; expected a loopback address, or --insecure-no-auth to listen there all the same"));
}

/// What the server answers to: the name it listens at, and those that it was given.
Gate make_gate(const ServerOptions& options) {
    std::vector<std::string> names = options.allowed_hosts;
    if (is_host_name(options.host)) names.push_back(options.host);
    return Gate(std::move(names));
}

/// A thread-safe front of a log that need not be one.
std::function<void(const std::string&)> guarded(std::function<void(const std::string&)> log) {
    if (!log) return [](const std::string&) {};
    const auto mutex = std::make_shared<std::mutex>();
    return [log = std::move(log), mutex](const std::string& line) {
        const std::lock_guard lock(*mutex);
        log(line);
    };
}

ModelPool::Options pool_options(const ServerOptions& options) {
    ModelPool::Options out;
    out.catalogue.first = options.model.model;
    out.catalogue.load = options.model.load;
    out.catalogue.chat_template = options.model.chat_template;
    out.catalogue.presets = options.presets;
    out.catalogue.keep_quantized = options.keep_quantized;
    out.memory_bytes = options.model.memory_bytes;
    out.profile = options.model.profile;
    out.drain_wait = std::chrono::milliseconds(options.drain_wait_ms);
    out.plan = options.plan;
    out.progress = options.model.progress;
    // A template that cannot be read is said before gigabytes of weights are.
    out.check = [](const ModelSpec& spec) { read_template(spec.preset.chat_template, spec.entry.folder, {}); };
    return out;
}

}  // namespace

class Server::Impl {
public:
    explicit Impl(ServerOptions options)
        : host_((check_host_option(options), options.host)),
          wanted_port_(options.port),
          gate_(make_gate(options)),
          log_(guarded(std::move(options.log))),
          requests_(guarded(std::move(options.request_log)), options.log_all_requests),
          warning_(options.model.warning ? guarded(options.model.warning) : log_),
          backend_(options.model.backend),
          pool_(pool_options(options)) {
        pool_.log = log_;
        const Catalogue catalogue(pool_.catalogue);  // what is not there should be said at once
    }

    void start() {
        HEARTH_CHECK(!listener_);
        // The port before the model: a taken one should be said before gigabytes are read.
        HttpHandler handler;
        for (const Route& route : routes()) handler.routes.emplace_back(route.method, route.path);
        handler.check = [this](const HttpRequest& request) { return router().check(request); };
        handler.handle = [this](const HttpRequest& request) { return router().handle(request); };
        handler.refuse = [](int status, const std::string& message) { return error_response(status, message); };
        handler.ended = [this](const HttpEnd& end) { requests_.ended(end); };
        auto listener = std::make_unique<HttpServer>(std::move(handler), ConnectionLimits{}, shutdown_);
        listener->bind(host_, wanted_port_);
        if (!is_loopback(host_)) log_(cat("listening at ", host_, ": whoever reaches this address can use the models of this machine"));
        pool_.backend = make_backend(backend_);
        models_ = std::make_unique<ModelPool>(std::move(pool_));
        leased_ = std::make_unique<LeasedModels>(*models_, warning_);
        readiness_ = std::make_unique<Readiness>(*models_);
        router_ = std::make_unique<Router>(Services{*models_, *leased_, *readiness_, shutdown_, log_}, gate_);
        listener->start();
        listener_ = std::move(listener);
    }

    int port() const { return listener_ ? listener_->port() : 0; }

    std::string url() const {
        const bool wildcard = host_ == "0.0.0.0" || host_ == "::";
        const std::string name = wildcard ? "127.0.0.1" : host_.find(':') == std::string::npos ? host_ : cat('[', host_, ']');
        return cat("http://", name, ':', port(), '/');
    }

    void stop(int drain_ms) { shutdown_.begin(drain_ms); }

    void wait() {
        if (!listener_) return;
        listener_->wait();
        models_->stop();
    }

private:
    Router& router() { return *router_; }

    const std::string host_;
    const int wanted_port_;
    const Gate gate_;
    const std::function<void(const std::string&)> log_;
    const RequestLog requests_;
    const std::function<void(const std::string&)> warning_;
    const BackendOptions backend_;
    ModelPool::Options pool_;  // until start()
    ShutdownSignal shutdown_;
    std::unique_ptr<ModelPool> models_;
    std::unique_ptr<LeasedModels> leased_;
    std::unique_ptr<Readiness> readiness_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<HttpServer> listener_;  // last: its threads use all of the above
};

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() {
    stop();
    wait();
}

void Server::start() { impl_->start(); }
int Server::port() const { return impl_->port(); }
std::string Server::url() const { return impl_->url(); }
void Server::stop(int drain_ms) { impl_->stop(drain_ms); }
void Server::wait() { impl_->wait(); }

}  // namespace hearth
