// What became of one request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perf/serve/client/chunk.h"

namespace hearth::perf {

enum class Ending {
    kAnswered,          // 200, and the stream came to its end
    kRefused,           // 429 or 503
    kHttpError,         // any other status but 200
    kErrorInStream,     // 200, and then an event that tells of an error
    kNotConnected,      // nobody listens, or the name is unknown
    kClosedUnanswered,  // connected, and closed before a byte of an answer
    kCutShort,          // closed in the middle of an answer
    kTimedOut,
    kMalformed,    // an answer that is none, or over a limit
    kInterrupted,  // this program was told to end
};

constexpr Ending kEndings[] = {Ending::kAnswered,     Ending::kRefused,          Ending::kHttpError, Ending::kErrorInStream,
                               Ending::kNotConnected, Ending::kClosedUnanswered, Ending::kCutShort,  Ending::kTimedOut,
                               Ending::kMalformed,    Ending::kInterrupted};

/// "answered", "closed_unanswered": the keys of the JSON.
std::string_view name_of(Ending ending);

/// Times are milliseconds; `sent` and `planned` count from the start of the run, the others from `sent`.
struct Outcome {
    int64_t id = 0;
    Ending ending = Ending::kInterrupted;
    int status = 0;       // 0: no head of an answer came
    std::string message;  // of an error, for people
    double sent = 0;
    double late = 0;              // behind the plan of a rate
    double whole = 0;             // to the last event of an answer, else to its end
    std::optional<double> first;  // to the first token; none where none came
    double last = 0;              // to the last token
    std::vector<float> gaps;      // between chunks with tokens
    int64_t chunks = 0;           // with tokens
    Usage usage;                  // as the server counted, where it did
    bool has_retry_after = false;
    std::optional<double> retry_after;  // seconds; none where the header made no sense
    std::string text;                   // of the answer

    /// By the server's count, else one for each chunk.
    double tokens() const { return static_cast<double>(usage.completion.value_or(chunks)); }

    /// The mean time from one token to the next; none with fewer than two.
    std::optional<double> per_token() const {
        if (!first || tokens() < 2) return std::nullopt;
        return (last - *first) / (tokens() - 1);
    }
};

}  // namespace hearth::perf
