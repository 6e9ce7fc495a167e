#include "tests/runtime/engine/requests.h"

#include "tests/runtime/test_backend.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {

WholeAnswer read_all(TokenStream& stream) {
    WholeAnswer out;
    while (true) {
        const auto event = stream.next();
        if (event->finish) return out.end = *event, out;
        out.tokens.push_back(event->token.id);
    }
}

Request request_number(int n, int64_t vocab) {
    Request r;
    for (int i = 0; i <= n * 7 % 50; ++i) r.prompt.push_back(static_cast<int32_t>((n * 31 + i * i + 3 * i) % vocab));
    r.max_tokens = 5 + n * 11 % 60;
    r.sampling.temperature = n % 3 == 0 ? 0.0f : 1.1f;
    r.sampling.seed = static_cast<uint64_t>(n) * 977;
    if (n % 4 == 1) r.sampling.repetition_penalty = 1.2f;
    if (n % 5 == 2) r.sampling.top_k = 12;
    return r;
}

Request short_request(std::vector<int32_t> prompt, int64_t max_tokens) {
    Request r;
    r.prompt = std::move(prompt);
    r.max_tokens = max_tokens;
    r.sampling.temperature = 0;
    return r;
}

std::shared_ptr<const Model> gated_model() { return tiny_model({}, make_test_backend({.gated = true, .refused_tokens = 0, .forced = {}})); }

}  // namespace hearth::testing
