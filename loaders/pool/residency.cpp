#include "loaders/pool/residency.h"

#include <algorithm>

#include "base/text.h"

namespace hearth {
namespace {

/// A copy that shares nothing with `error`: the strings of two copies of an exception are one, and each ticket is another thread's.
Error own_copy(const Error& error) { return {error.kind(), std::string(error.what())}; }

}  // namespace

Residency::Slot* Residency::resident(const std::string& key) {
    const auto at = slots_.find(key);
    return at != slots_.end() && at->second.state == State::kResident ? &at->second : nullptr;
}

bool Residency::waits(const std::string& key) const {
    return std::ranges::any_of(queue_, [&](const auto& ticket) { return ticket->key == key; });
}

bool Residency::is_wanted(const std::string& key) const { return !stopped_ && (queue_.empty() || waits(key)); }

const std::string& Residency::next_key() const {
    static const std::string kNone;
    return job_ ? job_->key : kNone;
}

int64_t Residency::used_bytes() const {
    int64_t out = 0;
    for (const auto& [key, slot] : slots_) out += slot.bytes;
    return out;
}

void Residency::grant(Ticket& ticket, Slot& slot) {
    ticket.granted = true;
    slot.leases += ticket.takes_lease;
    slot.last_use = ++uses_;
}

std::shared_ptr<Residency::Ticket> Residency::ask(const std::string& key, bool takes_lease, std::optional<Milliseconds> keep_alive,
                                                  Time now) {
    const auto ticket = std::make_shared<Ticket>(Ticket{.key = key, .takes_lease = takes_lease, .keep_alive = keep_alive});
    if (stopped_) {
        ticket->error = own_copy(*stopped_);
        return ticket;
    }
    Slot* slot = resident(key);
    if (slot) slot->keep_alive = keep_alive;
    if (slot && !slot->draining) {
        grant(*ticket, *slot);
        if (slot->leases == 0) slot->idle_since = now;
        return ticket;
    }
    queue_.push_back(ticket);
    return ticket;
}

void Residency::leave(const std::shared_ptr<Ticket>& ticket, Time now) {
    if (ticket->granted && ticket->takes_lease) release(ticket->key, now);
    queue_.remove(ticket);
}

bool Residency::hold(const std::string& key) {
    Slot* slot = resident(key);
    if (slot) ++slot->leases;
    return slot != nullptr;
}

void Residency::end_hold(const std::string& key) {
    Slot* slot = resident(key);
    HEARTH_CHECK(slot && slot->leases > 0);
    --slot->leases;
}

void Residency::release(const std::string& key, Time now) {
    Slot* slot = resident(key);
    HEARTH_CHECK(slot && slot->leases > 0);
    slot->last_use = ++uses_;
    if (--slot->leases == 0) slot->idle_since = now;
}

void Residency::grant_waiting(Time now) {
    std::erase_if(queue_, [&](const std::shared_ptr<Ticket>& ticket) {
        Slot* slot = resident(ticket->key);
        if (!slot || slot->draining) return false;
        grant(*ticket, *slot);
        if (slot->leases == 0) slot->idle_since = now;
        return true;
    });
}

void Residency::end_job(Time now) {
    job_.reset();
    for (auto& [key, slot] : slots_) slot.draining = false;
    grant_waiting(now);
}

void Residency::end_tickets(const std::string& key, const Error& error) {
    std::erase_if(queue_, [&](const std::shared_ptr<Ticket>& ticket) {
        if (ticket->key != key) return false;
        ticket->error = own_copy(error);
        return true;
    });
}

void Residency::take_keep_alive(const std::string& key, Slot& slot) const {
    for (const auto& ticket : queue_) {
        if (ticket->key == key) slot.keep_alive = ticket->keep_alive;
    }
}

std::optional<std::string> Residency::expired(Time now) const {
    for (const auto& [key, slot] : slots_) {
        const bool idle = slot.state == State::kResident && slot.leases == 0 && !waits(key);
        if (idle && slot.keep_alive && now - slot.idle_since >= *slot.keep_alive) return key;
    }
    return std::nullopt;
}

std::optional<Residency::Time> Residency::next_expiry() const {
    std::optional<Time> out;
    for (const auto& [key, slot] : slots_) {
        if (slot.state != State::kResident || slot.leases > 0 || !slot.keep_alive || waits(key)) continue;
        const Time end = slot.idle_since + *slot.keep_alive;
        out = out ? std::min(*out, end) : end;
    }
    return out;
}

Residency::Action Residency::unload(const std::string& key) {
    Slot& slot = slots_.at(key);
    HEARTH_CHECK(slot.state == State::kResident && slot.leases == 0);
    slot.state = State::kUnloading;
    return {.kind = Action::Kind::kUnload, .key = key, .until = {}, .error = {}};
}

Residency::Action Residency::next(Time now) {
    if (stopped_) return {};
    if (const auto key = expired(now)) return unload(*key);
    while (job_ || !queue_.empty()) {
        if (!job_) {
            job_ = Job{.key = queue_.front()->key, .bytes = std::nullopt, .drained_by = std::nullopt};
            return {.kind = Action::Kind::kPlan, .key = job_->key, .until = {}, .error = {}};
        }
        if (!waits(job_->key)) {
            end_job(now);
            continue;
        }
        HEARTH_CHECK(job_->bytes);
        const int64_t bytes = *job_->bytes;
        if (bytes > options_.budget_bytes - used_bytes()) return make_room(now);
        const std::string key = job_->key;
        take_keep_alive(key, slots_[key] = Slot{.state = State::kLoading, .bytes = bytes});
        end_job(now);
        return {.kind = Action::Kind::kLoad, .key = key, .until = {}, .error = {}};
    }
    return {.kind = Action::Kind::kWait, .key = {}, .until = next_expiry(), .error = {}};
}

std::vector<std::map<std::string, Residency::Slot>::iterator> Residency::by_last_use(bool idle) {
    std::vector<std::map<std::string, Slot>::iterator> out;
    for (auto at = slots_.begin(); at != slots_.end(); ++at) {
        if (at->second.state == State::kResident && (at->second.leases == 0) == idle) out.push_back(at);
    }
    std::ranges::sort(out, {}, [](const auto& at) { return at->second.last_use; });
    return out;
}

/// Unloads one that nobody uses, or waits for those that are used; ends the job where that took too long.
Residency::Action Residency::make_room(Time now) {
    const int64_t lacking = *job_->bytes - (options_.budget_bytes - used_bytes());
    int64_t gain = 0;
    const auto idle = by_last_use(true);
    for (const auto& at : idle) gain += at->second.bytes;
    if (gain >= lacking) return unload(idle.front()->first);
    const auto busy = by_last_use(false);
    for (const auto& at : busy) gain += at->second.draining ? at->second.bytes : 0;
    for (const auto& at : busy) {
        if (gain >= lacking) break;
        if (at->second.draining) continue;
        at->second.draining = true;
        gain += at->second.bytes;
    }
    if (!job_->drained_by) job_->drained_by = now + options_.drain_wait;
    if (now < *job_->drained_by) {
        const auto expiry = next_expiry();
        const Time until = expiry ? std::min(*expiry, *job_->drained_by) : *job_->drained_by;
        return {.kind = Action::Kind::kWait, .key = {}, .until = until, .error = {}};
    }
    return refuse(now);
}

Residency::Action Residency::refuse(Time now) {
    const std::string key = job_->key;
    const Error error(ErrorKind::kNoResources, cat("no memory became free within ", options_.drain_wait.count() / 1000,
                                                   " s: ", human_bytes(*job_->bytes), " are needed of ", human_bytes(options_.budget_bytes),
                                                   ", and the models there are still answering; try again later"));
    end_tickets(key, error);
    end_job(now);
    return {.kind = Action::Kind::kRefused, .key = key, .until = {}, .error = error};
}

void Residency::planned(const std::string& key, int64_t bytes) {
    HEARTH_CHECK(bytes >= 0 && bytes <= options_.budget_bytes);
    if (job_ && job_->key == key) job_->bytes = bytes;  // else it was stopped meanwhile
}

void Residency::loaded(const std::string& key, Time now) {
    Slot& slot = slots_.at(key);
    HEARTH_CHECK(slot.state == State::kLoading);
    slot.state = State::kResident;
    slot.idle_since = now;
    slot.last_use = ++uses_;
    take_keep_alive(key, slot);
    grant_waiting(now);
}

void Residency::failed(const std::string& key, const Error& error, Time now) {
    if (const auto at = slots_.find(key); at != slots_.end() && at->second.state == State::kLoading) slots_.erase(at);
    end_tickets(key, error);
    if (job_ && job_->key == key) end_job(now);
}

void Residency::given_up(const std::string& key, Time now) {
    const auto at = slots_.find(key);
    HEARTH_CHECK(at != slots_.end() && at->second.state == State::kLoading);
    slots_.erase(at);
    grant_waiting(now);
}

void Residency::unloaded(const std::string& key) {
    HEARTH_CHECK(slots_.at(key).state == State::kUnloading);
    slots_.erase(key);
}

void Residency::stop(const Error& error) {
    stopped_ = error;
    job_.reset();
    for (const auto& ticket : queue_) ticket->error = own_copy(error);
    queue_.clear();
    for (auto& [key, slot] : slots_) slot.draining = false;
}

}  // namespace hearth
