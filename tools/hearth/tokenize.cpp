// hearth tokenize: text to ids and back. Reads the tokenizer alone, never the weights.
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "loaders/model_directory.h"
#include "loaders/tokenizer/tokenizer.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr int64_t kMostTextBytes = int64_t{1} << 30;

class Tokenize : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.rest("text", words_, "The text, or with --decode the ids; default: standard input");
        arguments.name("-m,--model", model_, "Folder, or name in the model directory; default: Ember, built in", "MODEL");
        arguments.flag("--ids", ids_only_, "Print the ids alone, on one line");
        arguments.flag("--decode", decode_, "From ids to text");
        arguments.flag("--special", special_, "Read special tokens in the text; with --decode, show them");
        arguments.flag("--no-bos", no_bos_, "Do not put the beginning-of-text token in front, where the vocabulary wants one");
    }

    int run() override {
        if (decode_ && ids_only_) throw UsageError("--ids and --decode exclude each other");
        const auto tokenizer = open_tokenizer(find_model(model_).folder);
        std::string text = join(words_, " ");
        if (words_.empty()) {
            if (is_terminal(STDIN_FILENO)) write_note("Type the text; end it with Ctrl-D.", Paint::kDim);
            text = read_input(kMostTextBytes);
        }
        write_out(decode_ ? decoded(*tokenizer, text) : encoded(*tokenizer, text));
        return kExitOk;
    }

private:
    std::string encoded(const Tokenizer& tokenizer, const std::string& text) const {
        std::vector<int32_t> ids = tokenizer.encode({{text, special_}});
        const auto bos = tokenizer.bos();
        if (!no_bos_ && tokenizer.adds_bos() && bos && (ids.empty() || ids.front() != *bos)) ids.insert(ids.begin(), *bos);
        std::string out;
        for (const int32_t id : ids) {
            if (ids_only_) {
                out += cat(out.empty() ? "" : " ", id);
            } else {
                const std::string number = std::to_string(id);
                out += cat(std::string(number.size() < 7 ? 7 - number.size() : 0, ' '), number, "  ",
                           printable(tokenizer.token_name(id), 200), "\n");
            }
        }
        return ids_only_ ? out + "\n" : out;
    }

    /// Ids may be separated by white space, commas and brackets, as other programs print them.
    std::string decoded(const Tokenizer& tokenizer, std::string text) const {
        for (char& c : text) {
            if (std::string_view(",[]\t\r\n").find(c) != std::string_view::npos) c = ' ';
        }
        std::vector<int32_t> ids;
        for (const auto& word : split(text, ' ')) {
            if (word.empty()) continue;
            const auto id = parse_integer(word);
            if (!id || *id < 0 || *id >= tokenizer.vocab_size()) {
                throw Error(ErrorKind::kBadInput,
                            cat("token id \"", printable(word, 40), "\": expected a whole number from 0 to ", tokenizer.vocab_size() - 1));
            }
            ids.push_back(static_cast<int32_t>(*id));
        }
        std::string out = tokenizer.decode(ids, special_);
        if (!is_terminal(STDOUT_FILENO)) return out;  // byte for byte, for the program that reads it
        out = terminal_safe(sanitize_utf8(out));
        return out.ends_with('\n') ? out : out + "\n";
    }

    std::vector<std::string> words_;
    std::string model_;
    bool ids_only_ = false, decode_ = false, special_ = false, no_bos_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_tokenize() { return std::make_unique<Tokenize>(); }

}  // namespace hearth::tool
