// hearth chat: a conversation in the terminal.
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "tools/hearth/answer/answer_output.h"
#include "tools/hearth/answer/stream_answer.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/options/model_options.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/line_input.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr std::string_view kHelp =
    "  /reset         forget the conversation\n"
    "  /system TEXT   instructions for the model; alone: none\n"
    "  /help          this\n"
    "  /quit          leave; so do /exit, Ctrl-D and Ctrl-C twice\n"
    "  //...          a message that begins with a slash\n"
    "  Ctrl-C         stops an answer. A line that ends with \\ goes on in the next; several pasted lines are one message.";

class Chat : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.rest("message", first_, "A first message; the conversation goes on from there");
        arguments.text("--system", system_, "Instructions for the model, in front of the conversation");
        model_.declare(arguments);
        model_.declare_memory(arguments, false);
        sampling_.declare(arguments);
    }

    int run() override {
        Interrupts interrupts;
        loaded_ = model_.open(&interrupts);
        people_ = is_terminal(STDIN_FILENO);
        const auto input = make_line_input(interrupts);
        if (people_) {
            model_.note(cat(loaded_->entry().name, ", context of ", grouped(context()), " tokens. /help shows the commands."));
        }
        if (!first_.empty()) {
            if (const auto code = answer(join(first_, " "), interrupts)) return *code;
        }
        int interrupted = 0;  // times in a row
        while (true) {
            const InputLine line = read_message(*input);
            if (line.kind == InputLine::Kind::kEnd) return kExitOk;
            if (line.kind == InputLine::Kind::kTerminated) return kExitSignal + SIGTERM;
            if (line.kind == InputLine::Kind::kInterrupted) {
                interrupted = line.was_empty ? interrupted + 1 : 0;
                if (!people_ || interrupted > 1) return people_ ? kExitOk : kExitSignal + SIGINT;
                if (line.was_empty) write_note("Ctrl-C again, Ctrl-D or /quit leaves.", Paint::kDim);
                continue;
            }
            interrupted = 0;
            if (trim(line.text).empty()) continue;
            if (line.text.starts_with("/") && !line.text.starts_with("//")) {
                if (!obey(line.text)) return kExitOk;
                continue;
            }
            if (const auto code = answer(line.text.substr(line.text.starts_with("//") ? 1 : 0), interrupts)) return *code;
        }
    }

private:
    int64_t context() const { return loaded_->engine().options().context; }

    /// A line, with those that follow it while a backslash stands at its end (typed lines only: a program's are taken as they are).
    InputLine read_message(LineInput& input) const {
        const int shown_on = is_terminal(STDOUT_FILENO) ? 1 : 2;
        const auto prompt = [&](std::string_view text) {  // \1 marks what takes no room on the line
            return has_colour(shown_on) ? cat("\1\033[1;32m\1", text, "\1\033[0m\1") : std::string(text);
        };
        InputLine whole = input.read(prompt("> "));
        while (people_ && whole.kind == InputLine::Kind::kText && whole.text.ends_with('\\')) {
            whole.text.back() = '\n';
            const InputLine more = input.read(prompt(". "));
            if (more.kind != InputLine::Kind::kText) return more;
            whole.text += more.text;
        }
        return whole;
    }

    /// A line that begins with a slash. False: leave.
    bool obey(const std::string& line) {
        const std::string_view text = trim(line);
        const std::string word(text.substr(0, text.find_first_of(" \t\n")));
        const std::string_view rest = trim(text.substr(word.size()));
        if (word == "/quit" || word == "/exit") return false;
        if (word == "/help") {
            write_note(wrap_lines(kHelp, terminal_columns(STDERR_FILENO)));
        } else if (word == "/reset") {
            messages_.clear();
            model_.note("The conversation is forgotten.");
        } else if (word == "/system") {
            system_ = rest.empty() ? std::nullopt : std::optional<std::string>(rest);
            model_.note(rest.empty() ? "No instructions from now on." : "These instructions hold from now on.");
        } else {
            const auto meant = closest(word, {"/reset", "/system", "/help", "/quit", "/exit"});
            write_note(
                cat("There is no ", printable(word, 40), meant ? cat("; did you mean ", *meant, "?") : ": /help shows what there is."));
        }
        return true;
    }

    /// Sends `text` and shows the answer. Returns an exit code when the program is to end.
    std::optional<int> answer(const std::string& text, Interrupts& interrupts) {
        messages_.push_back({"user", sanitize_utf8(text)});
        std::optional<StreamedAnswer> said;
        AnswerOutput output;
        try {
            said = stream_answer(*loaded_, request(), false, interrupts, [&](std::string_view piece) { output.write(piece); });
        } catch (const Error& error) {
            if (!people_) throw;
            messages_.pop_back();
            write_note(
                error.what(), Paint::kYellow,
                error.kind() == ErrorKind::kTooLarge ? "\nThe message was not sent. /reset makes room." : "\nThe message was not sent.");
            return std::nullopt;
        }
        output.end(true);
        messages_.push_back({"assistant", said->text});
        return conclude(*said);
    }

    Request request() const {
        std::vector<Message> all;
        if (system_) all.push_back({"system", *system_});
        all.insert(all.end(), messages_.begin(), messages_.end());
        Request out;
        out.prompt = loaded_->encode_chat(all);
        out.sampling = sampling_.apply(loaded_->default_sampling());
        out.max_tokens = sampling_.max_tokens;
        out.stop_tokens = loaded_->stop_tokens();
        return out;
    }

    std::optional<int> conclude(const StreamedAnswer& said) const {
        const bool failed = said.finish == FinishReason::kError || said.finish == FinishReason::kNumericError;
        std::string note = ending_note(said, context());
        if (said.context_full) note += ": the answer was cut. /reset makes room";
        if (failed) write_note(cat("hearth: ", note), Paint::kRed);
        if (!failed && !note.empty()) model_.note(cat("[", note, "]"));
        model_.note(cat("[", speed_line(said.stats), "]"));
        if (failed && !people_) return kExitFailure;
        if (said.signal && (*said.signal != SIGINT || !people_)) return kExitSignal + *said.signal;
        return std::nullopt;
    }

    ModelOptions model_;
    SamplingOptions sampling_;
    std::vector<std::string> first_;
    std::optional<std::string> system_;
    std::shared_ptr<LoadedModel> loaded_;
    std::vector<Message> messages_;
    bool people_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_chat() { return std::make_unique<Chat>(); }

}  // namespace hearth::tool
