// Who is in memory, who waits for what, and what the loader is to do next: bookkeeping alone, without threads, clocks and models.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace hearth {

/// Keeps the rules of ModelPool. Models are known by keys, requests by tickets; the time is told by the caller. Not thread-safe: whoever
/// holds the pool's mutex.
///
/// - The bytes of all models that are loading, resident or being unloaded are within the budget at every moment.
/// - Only a model without leases is unloaded, the least recently used first; what is being loaded never is.
/// - Tickets are served in the order in which they came, but a model that is in memory serves all that wait for it. Where those without
///   leases do not make enough room for the next ticket, the least recently used ones with leases are *draining*: they give no lease until
///   there was room, or `drain_wait` is over, which is an error for those who wait for the room.
/// - Each ticket ends: with a lease, with an error, or because its owner leaves.
class Residency {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Milliseconds = std::chrono::milliseconds;

    struct Options {
        int64_t budget_bytes = 0;
        Milliseconds drain_wait{120'000};
    };

    enum class State : uint8_t { kLoading, kResident, kUnloading };

    struct Slot {
        State state = State::kLoading;
        int64_t bytes = 0;
        int64_t leases = 0;
        bool draining = false;
        int64_t last_use = 0;                                   // larger: later
        Time idle_since{};                                      // without leases
        std::optional<Milliseconds> keep_alive = std::nullopt;  // how long it may be idle; nothing: until its room is wanted
    };

    /// One request for a model. Its owner reads it under the same mutex.
    struct Ticket {
        std::string key;
        bool takes_lease = true;                                // false: the model is to be in memory, no more
        std::optional<Milliseconds> keep_alive = std::nullopt;  // as in Slot
        bool granted = false;                                   // with a lease, where it takes one
        std::optional<Error> error = std::nullopt;
        bool done() const { return granted || error; }
    };

    /// What the loader does next. After kPlan it calls planned() or failed(); after kUnload unloaded(); after kLoad loaded(), failed() or
    /// given_up(); before it asks again. kRefused: `key` did not get its room in time, and who waited for it has been told so.
    struct Action {
        enum class Kind : uint8_t { kWait, kPlan, kUnload, kLoad, kRefused };
        Kind kind = Kind::kWait;
        std::string key;
        std::optional<Time> until = std::nullopt;   // kWait: no longer than this; nothing: until something changes
        std::optional<Error> error = std::nullopt;  // kRefused
    };

    explicit Residency(Options options) : options_(options) {}

    /// The last one who asks for a model says how long it stays when nobody uses it.
    std::shared_ptr<Ticket> ask(const std::string& key, bool takes_lease, std::optional<Milliseconds> keep_alive, Time now);

    /// The owner of a ticket waits no more; a lease that was granted is given back.
    void leave(const std::shared_ptr<Ticket>& ticket, Time now);

    /// A lease of one who looks and does not use: neither it nor its end counts as a use. False: `key` is not in memory.
    bool hold(const std::string& key);
    void end_hold(const std::string& key);

    /// A lease ends.
    void release(const std::string& key, Time now);

    // The loader's side.
    Action next(Time now);
    void planned(const std::string& key, int64_t bytes);  // at most the budget
    void loaded(const std::string& key, Time now);
    void failed(const std::string& key, const Error& error, Time now);
    void given_up(const std::string& key, Time now);
    void unloaded(const std::string& key);

    /// Whether loading it is to go on: somebody waits for it, or nobody waits for another.
    bool is_wanted(const std::string& key) const;

    /// Every ticket ends with `error`, those to come too. What is in memory stays there.
    void stop(const Error& error);

    // For whoever looks.
    const std::map<std::string, Slot>& slots() const { return slots_; }
    bool waits(const std::string& key) const;  // somebody waits for it
    int64_t tickets() const { return std::ssize(queue_); }
    const std::string& next_key() const;  // what room is made for; "": nothing
    int64_t used_bytes() const;
    int64_t budget_bytes() const { return options_.budget_bytes; }

private:
    struct Job {  // the next load, from its plan to its beginning
        std::string key;
        std::optional<int64_t> bytes;
        std::optional<Time> drained_by;
    };

    Slot* resident(const std::string& key);
    void grant(Ticket& ticket, Slot& slot);
    void grant_waiting(Time now);
    void end_job(Time now);
    void end_tickets(const std::string& key, const Error& error);
    void take_keep_alive(const std::string& key, Slot& slot) const;
    Action unload(const std::string& key);
    Action make_room(Time now);
    Action refuse(Time now);
    std::vector<std::map<std::string, Slot>::iterator> by_last_use(bool idle);
    std::optional<std::string> expired(Time now) const;
    std::optional<Time> next_expiry() const;

    const Options options_;
    std::map<std::string, Slot> slots_;
    std::list<std::shared_ptr<Ticket>> queue_;  // oldest first, none of them done
    std::optional<Job> job_;
    std::optional<Error> stopped_;
    int64_t uses_ = 0;
};

}  // namespace hearth
