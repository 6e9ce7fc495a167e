// The HTTP server: the page, the API, and the models behind them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chat/loaded_model.h"

namespace hearth {

struct ServerOptions {
    std::string host = "127.0.0.1";          // an address or name of this machine to listen at
    int port = 8080;                         // 0: any free port
    std::vector<std::string> allowed_hosts;  // names that requests may have as Host, beside localhost and addresses
    bool insecure_no_auth = false;           // listen where other machines reach it although nobody has to show a key

    /// What to begin with, and how it is loaded. Its context (as the most), formats and sequences serve models without a preset too, its
    /// template and draft do not. Its memory_bytes is what all models together may take.
    OpenOptions model;
    Presets presets;              // further names, and how their models are loaded (loaders/pool/presets.h)
    bool keep_quantized = true;   // copies of what is quantised are kept beside the model directory
    int drain_wait_ms = 120'000;  // how long answers may go on whose model's memory is wanted, before the one who wants it gets 503
    ModelPool::Planner plan;      // empty: models of folders; tests have scripts in their place

    std::function<void(const std::string&)> request_log;  // takes a line for each request that failed, see RequestLog; from any thread
    bool log_all_requests = false;                        // a line for those that went well, too
    std::function<void(const std::string&)> log;  // one line for people (never what anybody wrote); may be empty; called from any thread
};

/// Serves until stop(). The page answers at once, while the first model still loads.
///
/// Thread-safe. A model that cannot be opened does not end the server: the page and the API say why, and another can be chosen.
class Server {
public:
    /// Nothing happens yet. Throws Error{kBadInput} for an empty host, for one that is not this machine's loopback without
    /// insecure_no_auth, and for an allowed host that is no name; Error{kNotFound} when the model to begin with is not there.
    explicit Server(ServerOptions options);
    ~Server();  // stop() and wait()

    /// Binds, and answers from now on. Throws Error{kNoResources} naming host and port when the port is taken (never the next free one in
    /// silence), Error{kBadInput} when the host is no address of this machine.
    void start();

    int port() const;         // the real one, after start()
    std::string url() const;  // "http://127.0.0.1:8080/"

    /// No new requests; answers that run may go on for `drain_ms`, then they are cancelled. Returns at once; wait() waits. Not for signal
    /// handlers: call it from a thread that waits for the signal.
    void stop(int drain_ms = 5000);

    /// Until stop() was called and everything has ended.
    void wait();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
