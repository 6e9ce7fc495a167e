// hearth serve: the page and the API.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "chat/http/server.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/options/model_options.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

class Serve : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.text("--host", host_, "Address to listen at; default: 127.0.0.1, which only this machine reaches", "ADDRESS");
        arguments.integer("--port", port_, 0, 65535, "Port; default: 8080; 0: any free one");
        arguments.repeated("--allowed-host", allowed_hosts_,
                           "A name that requests may call this server by, beside localhost and addresses; may be given several times",
                           "NAME");
        arguments.flag("--insecure-no-auth", insecure_no_auth_,
                       "Listen at an address that other machines reach: whoever does can use the models, nobody has to show a key");
        arguments.flag("-v,--verbose", verbose_, "A line on standard error for every request, not only for those that failed");
        model_.declare(arguments);
        model_.declare_memory(arguments, true);
        arguments.group("Model");
        arguments.name("--presets", presets_,
                       "Names, settings and prompts of models (README.md); default: models.json in the model directory", "FILE");
        arguments.flag("--no-keep-quantized", forget_quantized_, "Keep no copy on disk of what is quantised: each load quantises again");
        arguments.group("Options");
    }

    int run() override {
        Interrupts interrupts;
        ProgressLine progress(model_.quiet);
        ServerOptions options;
        options.host = host_;
        options.port = static_cast<int>(port_);
        options.allowed_hosts = allowed_hosts_;
        options.insecure_no_auth = insecure_no_auth_;
        options.model = model_.open_options();
        options.presets = read_all_presets(options.model);
        options.keep_quantized = !forget_quantized_;
        make_backend(options.model.backend);  // a device or kernel that is not there is said now and not by each request
        options.model.progress = progress.callback();
        options.log = options.model.notice;
        options.request_log = [](const std::string& line) { write_note(line); };
        options.log_all_requests = verbose_;
        Server server(std::move(options));
        server.start();
        write_out(server.url() + "\n");
        interrupts.wait();
        model_.note("Stopping; Ctrl-C again to stop at once.");
        server.stop();
        return wait_for(server, interrupts);
    }

private:
    /// Those of --presets, which must be there; else those of the model directory, which do not stop the server when they cannot be read.
    Presets read_all_presets(const OpenOptions& options) const {
        if (!presets_.empty()) return read_presets(presets_, builtin_template_names());
        const auto file = model_directory() / "models.json";
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored)) return {};
        try {
            return read_presets(file, builtin_template_names());
        } catch (const Error& e) {
            options.warning(cat("no presets: ", e.what()));
            return {};
        }
    }

    /// Answers that run may go on for a little; a second signal ends that too.
    static int wait_for(Server& server, Interrupts& interrupts) {
        std::atomic<bool> ended = false;
        std::thread impatient([&] {
            while (!ended) {
                if (interrupts.take()) server.stop(0);
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        });
        server.wait();
        ended = true;
        impatient.join();
        return kExitOk;
    }

    ModelOptions model_;
    std::string host_ = "127.0.0.1", presets_;
    int64_t port_ = 8080;
    std::vector<std::string> allowed_hosts_;
    bool insecure_no_auth_ = false, verbose_ = false, forget_quantized_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_serve() { return std::make_unique<Serve>(); }

}  // namespace hearth::tool
