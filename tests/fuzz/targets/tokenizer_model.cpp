// tokenizer.model (SentencePiece). Oracle: what loads encodes a text within its vocabulary; the ids are the library's own, for plain text.
#include <nlohmann/json.hpp>

#include "loaders/tokenizer/sentencepiece/tokenizer.h"
#include "tests/fuzz/targets/all.h"
#include "tests/fuzz/targets/tokenizing.h"

namespace hearth::fuzz {

void run_tokenizer_model(std::string_view input) {
    accepted([&] { check_tokenizer(*load_sentencepiece(input, "fuzz/tokenizer.model", {}), kSampleText); });
}

std::vector<std::string> seeds_tokenizer_model() {
    std::vector<std::string> out;
    // The first pieces of a real file, and its trainer's and normaliser's settings, which stand behind the pieces.
    const std::string whole = file_text(std::string(HEARTH_SOURCE_DIR) + "/tools/ember/tokenizer.model");
    size_t at = 0, pieces = 0, settings = 0;
    std::string small;
    while (at + 2 < whole.size()) {  // every field of the outermost message is a message: a tag, a length of one to three bytes, the bytes
        size_t length = 0, bytes = 1;
        for (;; ++bytes) {
            const auto byte = static_cast<unsigned char>(whole[at + bytes]);
            length |= static_cast<size_t>(byte & 0x7F) << 7 * (bytes - 1);
            if (byte < 0x80 || at + bytes + 1 >= whole.size()) break;
        }
        const size_t size = 1 + bytes + length;
        const bool is_piece = whole[at] == 0x0A;
        if (!is_piece || pieces++ < 300) small += whole.substr(at, size);
        settings += !is_piece;
        at += size;
    }
    if (settings > 0) out.push_back(small);
    return out;
}

}  // namespace hearth::fuzz
