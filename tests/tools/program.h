// Runs the built program as a person or a script would.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace hearth::testing {

/// How a run ended. A program that a signal ended has 128 + the signal, as shells say.
struct Outcome {
    int code = -1;
    std::string out, err;
};

struct RunOptions {
    std::string input = {};                               // on standard input, which then ends
    std::map<std::string, std::string> environment = {};  // besides PATH and HOME
    int close_output_after = -1;                          // bytes of standard output after which its reader goes away; -1: never
    int user = -1;                                        // to run as, for a test that is root; -1: the test's own
    int signal_after_output = 0;                          // sent once something stands on standard output
    bool close_descriptors = false;                       // 0 to 2 are closed when the program begins; nothing comes back
    std::string program = {};                             // to run in place of the one that was built
};

/// Runs `hearth` with these arguments in an environment of its own, in which no model directory has any models. Ends it after five
/// minutes, which fails the test.
Outcome run_hearth(const std::vector<std::string>& arguments, const RunOptions& options = {});

/// `hearth` at a terminal of its own (80 columns), as a person sees it.
class Terminal {
public:
    explicit Terminal(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {},
                      int columns = 80);
    ~Terminal();  // kills what still runs
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void type(const std::string& keys);

    /// Waits until `text` appears in what came after the last match, and returns what came up to its end; fails the test after `seconds`,
    /// or when the program ends.
    std::string wait_for(const std::string& text, int seconds = 60);

    /// What Ctrl-Z and `fg` in a shell do to the program: it is stopped, the terminal gets a shell's modes, and it goes on.
    void stop_and_continue_cooked();

    /// Whether the terminal itself shows what is typed (ECHO), as it does outside an editor.
    bool echoes() const;

    /// The exit code, once the program has ended.
    int wait_for_end(int seconds = 60);

    const std::string& screen() const { return screen_; }  // all bytes so far

private:
    bool fill(int wait_ms);  // true when something came
    pid_t child_ = -1;
    int descriptor_ = -1;
    bool ended_ = false;  // nothing comes any more
    std::string screen_;
    size_t seen_ = 0;
};

}  // namespace hearth::testing
