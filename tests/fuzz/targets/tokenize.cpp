// Any text through fixed tokenizers: Ember's tokenizer.json and tokenizer.model. Oracle: both give the same ids (the second
// are the sentencepiece library's), in time that is linear in the text, and the text comes back as each promises.
#include <memory>

#include "loaders/tokenizer/tokenizer.h"
#include "tests/fuzz/targets/all.h"
#include "tests/fuzz/targets/tokenizing.h"

namespace hearth::fuzz {

void run_tokenize(std::string_view input) {
    static const std::string ember = std::string(HEARTH_SOURCE_DIR) + "/tools/ember/";
    static const auto as_json = open_tokenizer_file(ember + "tokenizer.json");
    static const auto as_model = open_tokenizer_file(ember + "tokenizer.model");
    if (input.size() > 64 << 10) return;
    require(check_tokenizer(*as_json, input) == check_tokenizer(*as_model, input), "both files of one tokenizer give the same ids");
}

std::vector<std::string> seeds_tokenize() {
    return {"",
            "Hello, world!",
            std::string(kSampleText),
            std::string(600, 'a'),
            std::string(300, ' '),
            "<s></s><|user|><|end|>\n<|assistant|>\n",
            "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
            "\xEF\xBB\xBF\xE2\x96\x81\xE2\x96\x81 \xC0\x80\xED\xA0\x80\xF4\x90\x80\x80"};
}

}  // namespace hearth::fuzz
