#include "perf/serve/run.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "perf/serve/client/request_body.h"
#include "perf/serve/client/transfers.h"
#include "perf/serve/load/arrivals.h"
#include "perf/serve/load/prompts.h"

namespace hearth::perf {

namespace {

constexpr double kLongestWait = 50;                // ms, after which `stop` is looked at
constexpr int64_t kWarmupFrom = int64_t{1} << 40;  // numbers of conversations that no run reaches

/// What a conversation has said so far.
struct Progress {
    Conversation conversation;
    std::vector<Message> said;
    size_t turn = 0;  // the one that is open
};

/// Sends and counts; which conversations begin when is the plan's affair.
class Runner {
public:
    Runner(const LoadOptions& options, const Prompts& prompts, const std::atomic<bool>& stop)
        : options_(options),
          prompts_(prompts),
          stop_(stop),
          transfers_({.url = options.url + request_path(options.api),
                      .headers = options.headers,
                      .key = options.key,
                      .timeout_ms = options.timeout * 1000},
                     [this] { return now(); }) {}

    /// Conversations numbered from `first`, by rate or concurrency, until a bound is reached and all are answered.
    RunResult run(int64_t first) {
        next_conversation_ = first;
        while (!stop_ && (may_send() || transfers_.open() > 0)) {
            if (may_send()) begin_due();
            for (Outcome& outcome : transfers_.poll(wait())) take(std::move(outcome));
        }
        for (Outcome& outcome : transfers_.abort()) take(std::move(outcome));
        if (stop_) result_.stopped_by = "interrupt";
        for (const Outcome& outcome : result_.outcomes) {
            first_sent_ = std::min(first_sent_, outcome.sent);
            result_.wall_ms = std::max(result_.wall_ms, outcome.sent + outcome.whole);
        }
        result_.wall_ms = result_.outcomes.empty() ? 0 : result_.wall_ms - first_sent_;
        return std::move(result_);
    }

private:
    double now() const { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin_).count(); }

    bool may_send() {
        if (!result_.stopped_by.empty()) return false;
        if (sent_ >= options_.requests)
            result_.stopped_by = "requests";
        else if (now() >= options_.seconds * 1000)
            result_.stopped_by = "seconds";
        else if (gaps_ >= kMostGaps)
            result_.stopped_by = "memory";
        return result_.stopped_by.empty();
    }

    void begin_due() {
        if (options_.rate == 0) {
            while (transfers_.open() < options_.concurrency && may_send()) begin(0);
            return;
        }
        while (due_ <= now() && transfers_.open() < kMostOpen && may_send()) {
            begin(now() - due_);
            due_ = arrivals_.next() * 1000;
        }
    }

    double wait() {
        if (options_.rate == 0 || !result_.stopped_by.empty() || transfers_.open() >= kMostOpen) return kLongestWait;
        return std::clamp(due_ - now(), 0.0, kLongestWait);
    }

    void begin(double late) {
        Progress progress{.conversation = prompts_.conversation(next_conversation_++), .said = {}, .turn = 0};
        send(std::move(progress), late);
    }

    void send(Progress progress, double late) {
        for (const Message& message : progress.conversation.turns[progress.turn]) progress.said.push_back(message);
        const int64_t tokens = progress.conversation.answer_tokens[progress.turn];
        transfers_.start(sent_, request_body(options_, progress.said, tokens), tokens, late);
        open_.emplace(sent_, std::move(progress));
        ++sent_;
    }

    void take(Outcome outcome) {
        auto node = open_.extract(outcome.id);
        Progress& progress = node.mapped();
        gaps_ += std::ssize(outcome.gaps);
        const bool goes_on = outcome.ending == Ending::kAnswered && progress.turn + 1 < progress.conversation.turns.size();
        if (goes_on && !stop_ && may_send()) {
            progress.said.push_back({"assistant", outcome.text});
            ++progress.turn;
            send(std::move(progress), 0);
        }
        outcome.text.clear();
        outcome.text.shrink_to_fit();
        result_.outcomes.push_back(std::move(outcome));
    }

    const LoadOptions& options_;
    const Prompts& prompts_;
    const std::atomic<bool>& stop_;
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    Transfers transfers_;
    Arrivals arrivals_{options_.rate, options_.burstiness, options_.seed};
    double due_ = options_.rate > 0 ? arrivals_.next() * 1000 : 0, first_sent_ = 1e300;
    int64_t next_conversation_ = 0, sent_ = 0, gaps_ = 0;
    std::map<int64_t, Progress> open_;
    RunResult result_;
};

}  // namespace

RunResult run_load(const LoadOptions& options, const std::atomic<bool>& stop) {
    const Prompts prompts(options);
    if (options.warmup > 0) {
        LoadOptions warmup = options;
        warmup.rate = 0;
        warmup.concurrency = 1;
        warmup.requests = options.warmup;
        Runner(warmup, prompts, stop).run(kWarmupFrom);
    }
    return Runner(options, prompts, stop).run(0);
}

}  // namespace hearth::perf
