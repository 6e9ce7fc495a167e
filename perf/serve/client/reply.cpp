#include "perf/serve/client/reply.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/error.h"
#include "base/text.h"

namespace hearth::perf {

namespace {

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

/// 200 of "HTTP/1.1 200 OK"; 0 of anything else.
int status_of(std::string_view line) {
    const size_t space = line.find(' ');
    int status = 0;
    if (space != std::string_view::npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
    return status >= 100 && status <= 999 ? status : 0;
}

}  // namespace

std::string_view name_of(Ending ending) {
    switch (ending) {
        case Ending::kAnswered: return "answered";
        case Ending::kRefused: return "refused";
        case Ending::kHttpError: return "http_error";
        case Ending::kErrorInStream: return "error_in_stream";
        case Ending::kNotConnected: return "not_connected";
        case Ending::kClosedUnanswered: return "closed_unanswered";
        case Ending::kCutShort: return "cut_short";
        case Ending::kTimedOut: return "timed_out";
        case Ending::kMalformed: return "malformed";
        case Ending::kInterrupted: return "interrupted";
    }
    return "?";
}

std::optional<double> retry_after_seconds(std::string_view value, int64_t now) {
    int64_t seconds = 0;
    const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (problem == std::errc() && end == value.data() + value.size()) {
        return seconds >= 0 ? std::optional(static_cast<double>(seconds)) : std::nullopt;
    }
    if (value.find(',') == std::string_view::npos) return std::nullopt;  // a date of HTTP has one behind its day
    const time_t date = curl_getdate(std::string(value).c_str(), nullptr);
    if (date < 0) return std::nullopt;
    return static_cast<double>(std::max<int64_t>(date - now, 0));
}

Reply::Reply(int64_t id, int64_t most_tokens, double sent, double late) : most_chunks_(2 * most_tokens + 16) {
    out_.id = id;
    out_.sent = sent;
    out_.late = late;
}

bool Reply::fail(std::string message) {
    if (malformed_.empty()) malformed_ = std::move(message);
    return false;
}

bool Reply::header_line(std::string_view line) {
    head_bytes_ += line.size();
    if (head_bytes_ > kMostHeadBytes) return fail(cat("expected a head of at most ", kMostHeadBytes, " bytes, found more"));
    line = trim(line);
    if (line.starts_with("HTTP/")) {  // anew after 100 Continue
        out_.status = status_of(line);
        content_type_.clear();
        out_.has_retry_after = false;
        out_.retry_after.reset();
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    const std::string_view name = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (same_name(name, "content-type")) content_type_ = printable(value, 100);
    if (same_name(name, "retry-after")) {
        out_.has_retry_after = true;
        out_.retry_after = retry_after_seconds(value, std::time(nullptr));
    }
    is_stream_ = out_.status == 200 && same_name(std::string_view(content_type_).substr(0, 17), "text/event-stream");
    return true;
}

bool Reply::body(std::string_view bytes, double now) {
    body_bytes_ += bytes.size();
    if (body_bytes_ > kMostReplyBytes) return fail(cat("expected an answer of at most ", kMostReplyBytes, " bytes, found more"));
    if (!is_stream_) {
        error_body_ += bytes.substr(0, kMostErrorBytes - error_body_.size());
        return true;
    }
    try {
        parser_.feed(bytes, [&](const SseEvent& each) { event(each, now); });
        return true;
    } catch (const std::exception& error) {
        return fail(error.what());
    }
}

void Reply::event(const SseEvent& event, double now) {
    Chunk chunk = read_chunk(event);
    if (chunk.error) {
        has_error_event_ = true;
        out_.message = *chunk.error;
    }
    last_event_ = now;
    ended_ = ended_ || chunk.done || chunk.finished;
    if (chunk.usage.prompt) out_.usage.prompt = chunk.usage.prompt;
    if (chunk.usage.completion) out_.usage.completion = chunk.usage.completion;
    if (chunk.usage.cached) out_.usage.cached = chunk.usage.cached;
    out_.text += chunk.text;
    if (!chunk.has_content) return;
    if (++out_.chunks > most_chunks_)
        throw Error(ErrorKind::kTooLarge, cat("expected at most ", most_chunks_, " chunks for the tokens asked for, found more"));
    if (out_.first) {
        out_.gaps.push_back(static_cast<float>(now - out_.sent - out_.last));
    } else {
        out_.first = now - out_.sent;
    }
    out_.last = now - out_.sent;
}

Ending Reply::ending(Transport transport) const {
    if (!malformed_.empty() || transport == Transport::kMalformed) return Ending::kMalformed;
    if (has_error_event_) return Ending::kErrorInStream;
    if (is_stream_ && ended_) return Ending::kAnswered;  // also where a server never closes behind its last word
    switch (transport) {
        case Transport::kNotConnected: return Ending::kNotConnected;
        case Transport::kTimedOut: return Ending::kTimedOut;
        case Transport::kInterrupted: return Ending::kInterrupted;
        case Transport::kClosed: return out_.status == 0 ? Ending::kClosedUnanswered : Ending::kCutShort;
        default: break;
    }
    if (out_.status == 429 || out_.status == 503) return Ending::kRefused;
    if (out_.status != 200) return Ending::kHttpError;
    return is_stream_ ? Ending::kCutShort : Ending::kMalformed;
}

Outcome Reply::finish(Transport transport, const std::string& message, double now) {
    out_.ending = ending(transport);
    out_.whole = (out_.ending == Ending::kAnswered ? last_event_ : now) - out_.sent;
    if (!malformed_.empty()) {
        out_.message = printable(malformed_, 200);
    } else if (out_.ending == Ending::kRefused || out_.ending == Ending::kHttpError) {
        out_.message = error_text(error_body_);
    } else if (out_.ending == Ending::kMalformed && out_.status == 200) {
        out_.message = cat("expected text/event-stream, found ", content_type_.empty() ? "no type" : content_type_);
    } else if (out_.ending == Ending::kCutShort && transport == Transport::kComplete) {
        out_.message = "the stream ended without a finish_reason or [DONE]";
    } else if (out_.ending != Ending::kAnswered && out_.message.empty()) {
        out_.message = message;
    }
    return std::move(out_);
}

}  // namespace hearth::perf
