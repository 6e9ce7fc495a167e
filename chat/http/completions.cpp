// POST /v1/chat/completions.
#include <chrono>
#include <memory>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "chat/api/answer.h"
#include "chat/api/api_error.h"
#include "chat/api/chat_response.h"
#include "chat/api/json_body.h"
#include "chat/http/routes.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWaitMs = 100;  // between two looks at the client and the server's end
constexpr auto kKeepAlive = std::chrono::seconds(15);

/// An answer, the model that gives it, and everything that may end it early.
struct Turn {
    std::shared_ptr<LoadedModel> model;
    std::unique_ptr<Answer> answer;  // refers to the model: below it, so that it goes first
    ChatResponse response;
    const ShutdownSignal& shutdown;
    bool include_usage;

    /// The answer must end now although nobody's client left.
    bool interrupted() const { return shutdown.cancelled(); }

    /// What went wrong, once the answer is over or interrupted; nothing for an answer that ended well.
    std::optional<ApiError> failure() const {
        if (!answer->over()) return ApiError(503, "the server is stopping", {}, "interrupted");
        switch (answer->finish()) {
            case FinishReason::kStop:
            case FinishReason::kLength: return std::nullopt;
            case FinishReason::kCancelled: return ApiError(503, "the answer was cancelled", {}, "interrupted");
            case FinishReason::kTimeout: return ApiError(503, answer->error(), {}, "timeout");
            case FinishReason::kNumericError:
                return ApiError(500,
                                cat("the model computed numbers that are not finite", answer->error().empty() ? "" : ": ", answer->error()),
                                {}, "numeric_error");
            case FinishReason::kError: break;
        }
        return ApiError(500, answer->error(), {}, "engine_error");
    }
};

std::shared_ptr<LoadedModel> acquire(Services& services, const ChatRequest& chat, const HttpRequest& request) {
    try {
        return services.models.acquire(chat.model, {.gone = [&] { return request.client_gone() || services.shutdown.cancelled(); }});
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::kNotFound) throw ApiError(404, e.what(), "model", "model_not_found");
        throw ApiError(e.kind() == ErrorKind::kNoResources ? 503 : 500, cat("the model cannot be loaded: ", e.what()), "model",
                       "model_not_loaded");
    }
}

/// The rest of a stream whose head was sent: `text` came already.
void write_stream(Turn& turn, std::string text, BodyWriter& out) {
    if (!out.write(turn.response.first_event())) return;
    auto last_sign = Clock::now();
    for (;;) {
        if (!text.empty()) {
            if (!out.write(turn.response.text_event(text))) return;  // letting go of the answer cancels it
            last_sign = Clock::now();
        }
        if (turn.answer->over() || turn.interrupted()) break;
        if (out.client_gone()) return;
        if (Clock::now() - last_sign > kKeepAlive) {
            if (!out.write(ChatResponse::keep_alive())) return;
            last_sign = Clock::now();
        }
        text = turn.answer->next(kWaitMs);
    }
    if (const auto failure = turn.failure()) {
        out.failed(failure->status());
        out.write(ChatResponse::error_event(failure->body()));
        return;
    }
    out.write(turn.response.last_event(*turn.answer));
    if (turn.include_usage) out.write(turn.response.usage_event(*turn.answer));
    out.write(ChatResponse::done_event());
}

HttpResponse stream_response(std::shared_ptr<Turn> turn, std::string text) {
    HttpResponse out;
    out.headers = security_headers();
    out.headers.emplace_back("Content-Type", "text/event-stream");
    out.headers.emplace_back("Cache-Control", "no-cache");
    out.headers.emplace_back("X-Accel-Buffering", "no");
    out.stream = [turn = std::move(turn), text = std::move(text)](BodyWriter& writer) { write_stream(*turn, text, writer); };
    return out;
}

}  // namespace

HttpResponse post_chat_completions(Services& services, const HttpRequest& request) {
    const ChatRequest chat = parse_chat_request(parse_json_body(request.body));
    auto model = acquire(services, chat, request);
    if (!model) return error_response(503, "nobody waits for this answer any more", "interrupted");
    const std::string name = model->name();
    auto answer = std::make_unique<Answer>(*model, chat);
    const auto turn = std::shared_ptr<Turn>(new Turn{.model = std::move(model),
                                                     .answer = std::move(answer),
                                                     .response = ChatResponse(name),
                                                     .shutdown = services.shutdown,
                                                     .include_usage = chat.include_usage});
    // Until the first token, what goes wrong can still be told by the status of the answer.
    std::string text;
    const auto patience = Clock::now() + kKeepAlive;
    while (!turn->answer->over() && !turn->interrupted()) {
        if (chat.stream && (turn->answer->begun() || Clock::now() > patience)) break;
        if (request.client_gone()) return error_response(503, "nobody waits for this answer any more", "interrupted");
        text += turn->answer->next(kWaitMs);
    }
    const bool ended = turn->answer->over() || turn->interrupted();
    if (ended) {
        if (const auto failure = turn->failure()) throw *failure;
    }
    if (chat.stream) return stream_response(turn, std::move(text));
    return json_response(200, turn->response.whole(*turn->answer, text));
}

}  // namespace hearth
