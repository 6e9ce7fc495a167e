// Many requests at once on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perf/serve/client/outcome.h"

namespace hearth::perf {

/// Where requests go and what goes with each of them.
struct Endpoint {
    std::string url;                   // whole, with the path
    std::vector<std::string> headers;  // "Name: value", besides the content's type
    std::string key;                   // Authorization: Bearer; empty: none
    double timeout_ms = 120'000;       // of one request, connecting included
};

/// Requests of one thread, over libcurl. Each has a connection of its own, since libcurl sends a request again by itself where one that it
/// kept was closed meanwhile. No proxy, no redirect, no retry.
class Transfers {
public:
    using Clock = std::function<double()>;  // milliseconds since the start of the run; never goes back

    /// Throws Error{kBadInput} for what is no URL, kNoResources where libcurl does not start.
    Transfers(Endpoint endpoint, Clock clock);
    ~Transfers();
    Transfers(const Transfers&) = delete;
    Transfers& operator=(const Transfers&) = delete;

    /// Begins a POST. `late`: how many ms after its planned time.
    void start(int64_t id, std::string body, int64_t most_tokens, double late);

    /// Sends and receives; waits up to `wait_ms` (less than a millisecond: not at all) while nothing comes. Returns the requests that
    /// ended.
    std::vector<Outcome> poll(double wait_ms);

    /// Ends all that are open, as interrupted.
    std::vector<Outcome> abort();

    int64_t open() const;

private:
    struct Transfer;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hearth::perf
