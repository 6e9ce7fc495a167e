// hearth generate: one prompt, one answer.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tools/hearth/answer/answer_output.h"
#include "tools/hearth/answer/stream_answer.h"
#include "tools/hearth/bench/report.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/options/model_options.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr int64_t kMostPromptBytes = int64_t{64} << 20;

class Generate : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.rest("prompt", words_, "The text; default: --prompt, else standard input, without a newline at its end");
        arguments.text("-p,--prompt", prompt_, "The text, where it begins with a dash or is empty");
        arguments.flag("--chat", chat_, "The text is a message, put through the model's chat template");
        arguments.text("--system", system_, "System message in front; implies --chat");
        arguments.flag("--json", json_, "One JSON object: text, ids, finish_reason, usage, timings");
        arguments.flag("--profile", model_.profile, "Where the time goes: a table of the stages, on standard error");
        model_.declare(arguments);
        model_.declare_memory(arguments, false);
        sampling_.declare(arguments);
    }

    int run() override {
        const std::string prompt = read_prompt();
        Interrupts interrupts;
        const auto model = model_.open(&interrupts);
        const bool chat = chat_ || system_;
        Request request;
        request.prompt = chat ? model->encode_chat(messages(prompt)) : model->encode_text(prompt);
        request.sampling = sampling_.apply(model->default_sampling());
        request.max_tokens = sampling_.max_tokens;
        request.stop_tokens = model->stop_tokens();
        if (request.prompt.empty())
            throw Error(ErrorKind::kBadInput, "the prompt is empty: expected some text, as this vocabulary has no token to begin with");
        const SampleParams sampling = request.sampling;

        AnswerOutput output;
        const auto answer = stream_answer(*model, std::move(request), !chat && prompt.empty(), interrupts, [&](std::string_view piece) {
            if (!json_) output.write(piece);
        });
        if (json_) {
            write_out(as_json(*model, answer, sampling) + "\n");
        } else {
            output.end(answer.text.empty() || answer.text.back() != '\n');
        }
        if (model_.profile) write_note(stage_table("all steps, a clock around each stage", model->engine().profile()));
        return finish(*model, answer);
    }

private:
    std::string read_prompt() const {
        if (prompt_ && !words_.empty()) throw UsageError("--prompt: a prompt stands on the line already; expected one of the two");
        if (prompt_) return *prompt_;
        if (!words_.empty()) return join(words_, " ");
        if (is_terminal(STDIN_FILENO)) model_.note("Type the prompt; end it with Ctrl-D.");
        std::string text = read_input(kMostPromptBytes);
        if (text.ends_with('\n')) text.pop_back();
        return text;
    }

    std::vector<Message> messages(const std::string& prompt) const {
        std::vector<Message> out;
        if (system_) out.push_back({"system", *system_});
        out.push_back({"user", prompt});
        return out;
    }

    static std::string as_json(const LoadedModel& model, const StreamedAnswer& answer, const SampleParams& sampling) {
        const RequestStats& stats = answer.stats;
        nlohmann::ordered_json out = {
            {"model", model.entry().name},
            {"text", answer.text},
            {"ids", answer.ids},
            {"finish_reason", std::string(name_of(answer.finish))},
            {"context_full", answer.context_full},
            {"seed", sampling.seed},
            {"usage",
             {{"prompt_tokens", stats.prompt_tokens},
              {"cached_tokens", stats.cached_tokens},
              {"completion_tokens", stats.generated_tokens},
              {"total_tokens", stats.prompt_tokens + stats.generated_tokens}}},
            {"timings",
             {{"queued_ms", stats.queued_ms},
              {"prefill_ms", stats.prefill_ms},
              {"decode_ms", stats.decode_ms},
              {"prefill_tokens_per_second", prefill_rate(stats)},
              {"decode_tokens_per_second", decode_rate(stats)}}},
        };
        if (!answer.error.empty()) out["error"] = answer.error;
        return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }

    int finish(LoadedModel& model, const StreamedAnswer& answer) const {
        if (answer.signal) return kExitSignal + *answer.signal;
        const std::string note = ending_note(answer, model.engine().options().context);
        if (answer.finish == FinishReason::kError || answer.finish == FinishReason::kNumericError) {
            write_note("hearth: " + note);
            return kExitFailure;
        }
        if (!note.empty()) model_.note(note);
        model_.note(speed_line(answer.stats));
        return kExitOk;
    }

    ModelOptions model_;
    SamplingOptions sampling_;
    std::vector<std::string> words_;
    std::optional<std::string> prompt_, system_;
    bool chat_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_generate() { return std::make_unique<Generate>(); }

}  // namespace hearth::tool
