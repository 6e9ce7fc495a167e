// Small loads and answers that several tests share.
#pragma once

#include "perf/serve/load/load_options.h"
#include "tests/perf/serve/scripted_server.h"

namespace hearth::perf {

inline const std::atomic<bool> kNever{false};

inline LoadOptions load(const std::string& url, int64_t requests, int64_t concurrency = 1) {
    LoadOptions options;
    options.url = url, options.requests = requests, options.concurrency = concurrency;
    options.prompt_words = {4, 4}, options.answer_tokens = {8, 8};
    return options;
}

inline void answer_two_tokens(const testing::Request&, testing::Line& line) {
    using namespace ::hearth::testing;
    line.begin_stream();
    line.send(text_event("") + text_event("a") + text_event("b") + end_events(10, 2, 6));
}

}  // namespace hearth::perf
