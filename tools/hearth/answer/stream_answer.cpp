#include "tools/hearth/answer/stream_answer.h"

#include "base/text.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

StreamedAnswer stream_answer(LoadedModel& model, Request request, bool begins_text, Interrupts& interrupts,
                             const std::function<void(std::string_view)>& show) {
    constexpr int64_t kSignalPoll_ms = 50;  // how long a signal may go unnoticed
    StreamedAnswer answer;
    TextDecoder decoder(model.tokenizer(), false, begins_text);
    const auto emit = [&](const std::string& piece) {
        if (piece.empty()) return;
        answer.text += piece;
        show(piece);
    };
    const auto stream = submit_or_throw(model.engine(), std::move(request));
    while (true) {
        const auto event = stream->next(kSignalPoll_ms);
        if (!answer.signal) {
            answer.signal = interrupts.take();
            if (answer.signal) stream->cancel();
        }
        if (!event) continue;
        if (event->token.id >= 0 && !answer.signal) {  // what comes after Ctrl-C is not wanted
            answer.ids.push_back(event->token.id);
            emit(decoder.push(event->token.id));
        }
        if (!event->finish) continue;
        emit(decoder.finish());
        answer.finish = *event->finish;
        answer.context_full = event->context_full;
        answer.error = event->error;
        answer.stats = stream->stats();
        return answer;
    }
}

double decode_rate(const RequestStats& stats) {
    return stats.decode_ms > 0 && stats.generated_tokens > 1 ? static_cast<double>(stats.generated_tokens - 1) * 1000 / stats.decode_ms : 0;
}

double prefill_rate(const RequestStats& stats) {
    return stats.prefill_ms > 0 ? static_cast<double>(stats.prompt_tokens - stats.cached_tokens) * 1000 / stats.prefill_ms : 0;
}

std::string speed_line(const RequestStats& stats) {
    const auto tokens = [](int64_t n) { return cat(grouped(n), n == 1 ? " token" : " tokens"); };
    std::string line = tokens(stats.generated_tokens);
    if (const double rate = decode_rate(stats); rate > 0) line += cat(", ", fixed(rate, 1), " tokens/s");
    line += cat("; prompt ", tokens(stats.prompt_tokens));
    if (stats.cached_tokens > 0) line += cat(" (", grouped(stats.cached_tokens), " cached)");
    return line + cat(", first token after ", fixed((stats.queued_ms + stats.prefill_ms) / 1000, 2), " s");
}

std::string ending_note(const StreamedAnswer& answer, int64_t context) {
    switch (answer.finish) {
        case FinishReason::kStop: return "";
        case FinishReason::kLength:
            return answer.context_full ? cat("length: the context of ", grouped(context), " tokens is full")
                                       : "length: --max-tokens reached";
        case FinishReason::kCancelled: return "stopped";
        case FinishReason::kNumericError: return cat("numeric error: ", answer.error);
        case FinishReason::kTimeout:
        case FinishReason::kError: return answer.error;
    }
    return "";
}

}  // namespace hearth::tool
