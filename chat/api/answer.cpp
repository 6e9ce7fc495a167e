#include "chat/api/answer.h"

#include <random>

#include "base/text.h"
#include "chat/api/api_error.h"

namespace hearth {
namespace {

SampleParams sampling_of(const LoadedModel& model, const ChatRequest& request) {
    SampleParams out = model.default_sampling();
    out.temperature = request.temperature.value_or(out.temperature);
    out.top_k = request.top_k.value_or(out.top_k);
    out.top_p = request.top_p.value_or(out.top_p);
    out.min_p = request.min_p.value_or(out.min_p);
    out.repetition_penalty = request.repetition_penalty.value_or(out.repetition_penalty);
    out.frequency_penalty = request.frequency_penalty.value_or(out.frequency_penalty);
    out.presence_penalty = request.presence_penalty.value_or(out.presence_penalty);
    if (request.seed) {
        out.seed = *request.seed;
    } else {
        std::random_device random;
        out.seed = (uint64_t{random()} << 32) | random();
    }
    return out;
}

std::shared_ptr<TokenStream> submit(LoadedModel& model, const ChatRequest& request) {
    Request out;
    try {
        out.prompt = model.encode_chat(request.messages);
    } catch (const Error& e) {
        throw ApiError(400, cat("the model's chat template refuses this conversation: ", e.what()), "messages", "template_error");
    }
    const int64_t context = model.engine().options().context;
    const auto prompt = static_cast<int64_t>(out.prompt.size());
    if (prompt >= context) {
        throw ApiError(400, cat("This model's maximum context length is ", context, " tokens, but the messages have ", prompt, " tokens."),
                       "messages", "context_length_exceeded");
    }
    out.sampling = sampling_of(model, request);
    out.max_tokens = request.max_tokens;
    if (!request.ignore_eos) out.stop_tokens = model.stop_tokens();
    Admission admission = model.engine().submit(std::move(out));
    if (admission.refusal) throw ApiError(503, admission.refusal->message, {}, "overloaded").retry_after(admission.refusal->retry_after_s);
    return std::move(admission.stream);
}

}  // namespace

Answer::Answer(LoadedModel& model, const ChatRequest& request) : Answer(model.tokenizer(), request.stop, submit(model, request)) {}

Answer::Answer(const Tokenizer& tokenizer, const std::vector<std::string>& stop, std::shared_ptr<TokenStream> stream)
    : decoder_(tokenizer), stops_(stop), stream_(std::move(stream)) {}

std::string Answer::next(int timeout_ms) {
    if (finish_) return {};
    const auto event = stream_->next(timeout_ms);
    if (!event) return {};
    begun_ = true;
    if (event->finish) return end(*event);
    ++taken_;
    decode_ms_ = event->decode_ms;
    std::string out = stops_.push(decoder_.push(event->token.id));
    if (stops_.hit()) {
        stream_->cancel();
        finish_ = FinishReason::kStop;
    }
    return out;
}

std::string Answer::end(const TokenEvent& event) {
    std::string out = stops_.push(decoder_.finish());
    finish_ = finish_of(*event.finish, stops_.hit());
    context_full_ = event.context_full && finish_ == FinishReason::kLength;
    error_ = event.error;
    return out + stops_.finish();
}

RequestStats Answer::stats() const {
    RequestStats out = stream_->stats();
    out.generated_tokens = taken_;
    out.decode_ms = decode_ms_;
    return out;
}

}  // namespace hearth
