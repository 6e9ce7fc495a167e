// The program: finds the subcommand, turns every exception into a message on standard error and an exit code.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/support/build_commit.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

std::string overview() {
    std::string out =
        "Hearth runs language models on this computer: Llama, Mistral and their relatives, as folders from Hugging Face.\n\n"
        "Usage: hearth SUBCOMMAND [OPTIONS]\n\nSubcommands:\n";
    for (const auto& command : commands())
        out += cat("  ", command.name, std::string(12 - command.name.size(), ' '), command.summary, "\n");
    out +=
        "\nOptions:\n"
        "  -h, --help  This text; `hearth SUBCOMMAND --help` for a subcommand\n"
        "  --version   The version of this program\n"
        "\nModels:\n"
        "  --model takes a folder, or a name in the model directory (HEARTH_MODELS, else ~/.local/share/hearth/models).\n"
        "  Without it Ember runs, a small model that is built in.\n"
        "\nEnvironment:\n"
        "  HEARTH_MODELS  the model directory\n"
        "  HEARTH_FORCE   kernels to use whatever is faster, such as attention/reference,matmul/reference\n"
        "  NO_COLOR       no colours\n"
        "\nExit codes:\n"
        "  0    done\n"
        "  1    the machine refused or ran out: memory, disk, port, permission; or an answer failed\n"
        "  2    the command line is wrong\n"
        "  3    a model, file or prompt is not there, or is not what it should be\n"
        "  130  stopped by Ctrl-C (141: nobody reads the output; 143: terminated); serve ends with 0\n";
    return out;
}

int run_line(int argc, char** argv) {
    const std::string_view word = argc < 2 ? "--help" : argv[1];
    if (word == "--version") {
        write_out(cat("hearth " HEARTH_VERSION " (", build_commit(), ")\n"));
        return kExitOk;
    }
    if (word == "--help" || word == "-h" || (word == "help" && argc < 3)) {
        write_out(overview());
        return kExitOk;
    }
    const bool help = word == "help";
    const std::string_view wanted = help ? argv[2] : word;
    std::vector<std::string> names;
    for (const auto& command : commands()) {
        names.emplace_back(command.name);
        if (command.name != wanted) continue;
        char ask[] = "--help";
        char* asking[] = {argv[0], ask, nullptr};
        return help ? run_command(command, 2, asking) : run_command(command, argc - 1, argv + 1);
    }
    const auto meant = closest(wanted, names);
    throw UsageError(cat("there is no ", wanted.starts_with("-") ? "option" : "subcommand", " \"", printable(wanted, 60), "\". ",
                         meant ? cat("Did you mean \"", *meant, "\"?") : cat("There is: ", join(names, ", "))));
}

int exit_code(ErrorKind kind) { return kind == ErrorKind::kNoResources || kind == ErrorKind::kIo ? kExitFailure : kExitBadInput; }

int fail(int code, std::string_view what, std::string_view hint = "") {
    write_note("hearth: ", Paint::kRed, cat(what, hint));
    return code;
}

/// Descriptors 0 to 2 that were closed by whoever started the program are opened on /dev/null: else the next file that is opened, a
/// checkpoint that is being written say, gets one of their numbers, and messages are written into it.
void open_standard_descriptors() {
    for (int opened = ::open("/dev/null", O_RDWR); opened >= 0; opened = ::open("/dev/null", O_RDWR)) {
        if (opened <= STDERR_FILENO) continue;
        ::close(opened);
        return;
    }
}

}  // namespace

int run(int argc, char** argv) {
    open_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);  // write_out sees EPIPE instead
    try {
        return run_line(argc, argv);
    } catch (const UsageError& error) {
        const bool known = argc > 1 && std::ranges::any_of(commands(), [&](const Command& c) { return c.name == argv[1]; });
        return fail(kExitUsage, error.what(), cat("\nTry `hearth ", known ? cat(argv[1], " ") : "", "--help`."));
    } catch (const Error& error) {
        return fail(exit_code(error.kind()), error.what());
    } catch (const Interrupted& stop) {
        return kExitSignal + stop.signal;
    } catch (const std::bad_alloc&) {
        return fail(kExitFailure, "out of memory");
    } catch (const std::exception& error) {
        return fail(kExitFailure, cat("internal error: ", error.what()));
    }
}

}  // namespace hearth::tool

int main(int argc, char** argv) {
    try {
        return hearth::tool::run(argc, argv);
    } catch (...) {  // out of memory while saying so
        return hearth::tool::kExitFailure;
    }
}
