#include "perf/serve/load/prompts.h"

#include <algorithm>

#include "base/error.h"
#include "perf/serve/load/prompt_file.h"
#include "perf/serve/load/random.h"
#include "perf/serve/load/words.h"

namespace hearth::perf {

Prompts::Prompts(const LoadOptions& options) : options_(options) {
    HEARTH_CHECK(options.turns >= 1 && options.prefix_groups >= 1);
    if (options.prompts != "random") lines_ = read_prompts(options.prompts, options.turns);
    for (int64_t group = 0; options.shared_prefix > 0 && group < options.prefix_groups; ++group) {
        Random random(options.seed, Stream::kPrefix, static_cast<uint64_t>(group));
        prefixes_.push_back(random_words(random, options.shared_prefix) + "\n");
    }
}

Conversation Prompts::random_conversation(int64_t index) const {
    Conversation out;
    Random random(options_.seed, Stream::kPrompt, static_cast<uint64_t>(index));
    for (int64_t turn = 0; turn < options_.turns; ++turn) {
        const int64_t words = random.whole(options_.prompt_words.low, options_.prompt_words.high);
        out.turns.push_back({{"user", random_words(random, words)}});
    }
    return out;
}

Conversation Prompts::conversation(int64_t index) const {
    Conversation out;
    if (lines_.empty()) {
        out = random_conversation(index);
    } else {
        out.turns = lines_[static_cast<size_t>(index) % lines_.size()];
    }
    if (!prefixes_.empty()) {
        std::string& first = out.turns.front().front().text;
        first = prefixes_[static_cast<size_t>(index) % prefixes_.size()] + first;
    }
    Random random(options_.seed, Stream::kLength, static_cast<uint64_t>(index));
    for (size_t turn = 0; turn < out.turns.size(); ++turn)
        out.answer_tokens.push_back(random.whole(options_.answer_tokens.low, options_.answer_tokens.high));
    return out;
}

}  // namespace hearth::perf
