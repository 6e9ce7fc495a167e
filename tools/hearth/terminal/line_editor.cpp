// A terminal's line editor over libedit: emacs keys, history, and two things that libedit lacks: signals that do not end the program,
// and pastes of several lines (bracketed paste), whose newlines stand in the line as U+2424 until it is sent.
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>

#include "base/error.h"
#include "base/utf8.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/line_input.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr wchar_t kNewlineSign = 0x2424;  // SYMBOL FOR NEWLINE
constexpr std::string_view kNewlineSignUtf8 = "\xE2\x90\xA4";
constexpr size_t kMostPastedChars = 1 << 20;

class LineEditor : public LineInput {
public:
    explicit LineEditor(Interrupts& interrupts) : interrupts_(interrupts), on_stdout_(is_terminal(STDOUT_FILENO)) {
        std::setlocale(LC_CTYPE, "C.UTF-8");  // what libedit writes with; a bare machine's locale is often plain C
        editor_ = el_init("hearth", stdin, on_stdout_ ? stdout : stderr, stderr);
        history_ = history_init();
        if (editor_ == nullptr || history_ == nullptr)
            throw Error(ErrorKind::kNoResources, "the line editor could not start: is TERM set?");
        HistEvent event{};
        history(history_, &event, H_SETSIZE, 1000);
        history(history_, &event, H_SETUNIQUE, 1);
        el_set(editor_, EL_CLIENTDATA, this);
        el_set(editor_, EL_EDITOR, "emacs");
        el_set(editor_, EL_SIGNAL, 0);
        el_set(editor_, EL_PROMPT_ESC, &LineEditor::show_prompt, '\1');
        el_set(editor_, EL_HIST, history, history_);
        el_set(editor_, EL_GETCFN, &LineEditor::read_char);
        // The wide form keeps the two texts; the other one keeps copies of them that nothing frees.
        el_wset(editor_, EL_ADDFN, L"paste", L"Insert pasted text", &LineEditor::paste);
        bind_keys();
        take_terminal();
    }

    ~LineEditor() override {
        history_end(history_);
        el_end(editor_);
    }

    InputLine read(const std::string& prompt) override {
        prompt_ = prompt;
        got_signal_ = 0;
        if (interrupts_.take_continued()) retake_terminal();  // it was stopped during an answer
        const int descriptor = on_stdout_ ? STDOUT_FILENO : STDERR_FILENO;
        const bool pastes = has_cursor(descriptor);
        if (pastes) send("\033[?2004h");
        int count = 0;
        const wchar_t* typed = el_wgets(editor_, &count);
        take_terminal();
        std::string text;
        for (int i = 0; typed != nullptr && i < count; ++i) append_utf8(text, static_cast<uint32_t>(typed[i]));
        if (pastes) send("\033[?2004l");
        if (typed == nullptr || count <= 0) send("\n");
        if (got_signal_ == SIGINT) return {InputLine::Kind::kInterrupted, "", was_empty_};
        if (got_signal_ != 0) return {InputLine::Kind::kTerminated, ""};
        if (typed == nullptr || count <= 0) return {};
        return {InputLine::Kind::kText, remember(std::move(text))};
    }

private:
    void bind_keys() {
        constexpr const char* kKeys[][2] = {
            {"\\e[200~", "paste"},        {"\\e[H", "ed-move-to-beg"},  {"\\eOH", "ed-move-to-beg"},  {"\\e[1~", "ed-move-to-beg"},
            {"\\e[F", "ed-move-to-end"},  {"\\eOF", "ed-move-to-end"},  {"\\e[4~", "ed-move-to-end"}, {"\\e[3~", "ed-delete-next-char"},
            {"\\e[1;5C", "em-next-word"}, {"\\e[1;5D", "ed-prev-word"}, {"^R", "em-inc-search-prev"}, {"\\e[A", "ed-prev-history"},
            {"\\e[B", "ed-next-history"}, {"\\e[C", "ed-next-char"},    {"\\e[D", "ed-prev-char"},
        };
        for (const auto& key : kKeys) el_set(editor_, EL_BIND, key[0], key[1], nullptr);
    }

    /// The terminal neither shows nor interprets what is typed, Ctrl-C aside, until el_end. libedit alone would begin after it wrote the
    /// prompt and end with the line: keys that come in between would be shown twice, and a Ctrl-D lost.
    void take_terminal() { el_set(editor_, EL_PREP_TERM, 1); }

    /// After Ctrl-Z and `fg`: the shell has set the terminal to its own modes, and libedit believes that it still has its own.
    void retake_terminal() {
        el_set(editor_, EL_PREP_TERM, 0);
        take_terminal();
        if (has_cursor(on_stdout_ ? STDOUT_FILENO : STDERR_FILENO)) send("\033[?2004h");
    }

    void send(std::string_view bytes) const {
        FILE* out = on_stdout_ ? stdout : stderr;
        std::fwrite(bytes.data(), 1, bytes.size(), out);
        std::fflush(out);
    }

    /// The message of a typed line; the line itself goes to the history.
    std::string remember(std::string line) {
        while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
        if (!line.empty()) {
            HistEvent event{};
            history(history_, &event, H_ENTER, line.c_str());
        }
        std::string message;
        for (size_t at = 0; at < line.size();) {
            const bool sign = std::string_view(line).substr(at).starts_with(kNewlineSignUtf8);
            message += sign ? '\n' : line[at];
            at += sign ? kNewlineSignUtf8.size() : 1;
        }
        return message;
    }

    static LineEditor& self(EditLine* editor) {
        void* data = nullptr;
        el_get(editor, EL_CLIENTDATA, &data);
        return *static_cast<LineEditor*>(data);
    }

    static char* show_prompt(EditLine* editor) { return self(editor).prompt_.data(); }

    /// One character of standard input: 1, or 0 at the end or when a signal came. Called by C code: throws nothing.
    static int read_char(EditLine* editor, wchar_t* out) noexcept {
        LineEditor& me = self(editor);
        char bytes[4];
        size_t count = 0;
        while (true) {
            pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {me.interrupts_.descriptor(), POLLIN, 0}};
            poll(waiting, 2, -1);
            if (const auto signal = me.interrupts_.take()) {
                const LineInfo* line = el_line(editor);
                me.got_signal_ = *signal;
                me.was_empty_ = line->lastchar == line->buffer;
                return 0;
            }
            if (me.interrupts_.take_continued()) {
                me.retake_terminal();
                el_set(editor, EL_REFRESH);
            }
            if (waiting[0].revents == 0) continue;
            const ssize_t n = ::read(STDIN_FILENO, bytes + count, 1);
            if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (n <= 0) return 0;
            const Utf8Char c = next_utf8({bytes, ++count});
            if (c.cut_short) continue;
            *out = static_cast<wchar_t>(c.code);
            return 1;
        }
    }

    /// After ESC [ 200 ~: everything up to ESC [ 201 ~ is text.
    static unsigned char paste(EditLine* editor, int) noexcept try {
        constexpr std::wstring_view kEnd = L"\033[201~";
        std::wstring text;
        for (wchar_t c = 0; !text.ends_with(kEnd); text += c) {
            if (read_char(editor, &c) != 1) return CC_EOF;
            if (text.size() > kMostPastedChars)
                text.erase(0, text.size() - kEnd.size());  // too long: the end is looked for, the rest dropped
        }
        text.resize(text.size() - kEnd.size());
        const std::wstring shown = one_line(text);
        if (!shown.empty()) el_winsertstr(editor, shown.c_str());
        return CC_REFRESH;
    } catch (...) {
        return CC_ERROR;
    }

    /// Pasted text as it stands in the edited line.
    static std::wstring one_line(const std::wstring& text) {
        std::wstring shown;
        wchar_t before = 0;
        for (const wchar_t c : text) {
            if (c == L'\r' || (c == L'\n' && before != L'\r')) {
                shown += kNewlineSign;
            } else if (c == L'\t') {
                shown += L"    ";
            } else if (c >= 0x20 && (c < 0x7F || c >= 0xA0)) {
                shown += c;
            }
            before = c;
        }
        while (shown.ends_with(kNewlineSign)) shown.pop_back();
        return shown;
    }

    Interrupts& interrupts_;
    const bool on_stdout_;
    EditLine* editor_ = nullptr;
    History* history_ = nullptr;
    std::string prompt_;
    int got_signal_ = 0;
    bool was_empty_ = false;
};

}  // namespace

std::unique_ptr<LineInput> make_line_editor(Interrupts& interrupts) { return std::make_unique<LineEditor>(interrupts); }

}  // namespace hearth::tool
