// The conversation in the terminal, and the server as a process.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/text.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

const std::string kCtrlC = "\x03", kCtrlD = "\x04", kUp = "\033[A";

TEST(Chat, AnswersEachLineOfAPipe) {
    const auto outcome = run_hearth({"chat", "--temperature", "0"}, {.input = "What is Hearth?\n\nWhat is the capital of Italy?"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("Hearth runs language models on your own computer."));
    EXPECT_THAT(outcome.out, HasSubstr("Rome"));
    EXPECT_THAT(outcome.out, AllOf(Not(HasSubstr("> ")), Not(HasSubstr("\033"))));
    EXPECT_THAT(outcome.err, HasSubstr("tokens/s"));
}

TEST(Chat, ObeysItsCommandsInAPipe) {
    const auto outcome = run_hearth({"chat", "--temperature", "0"},
                                    {.input = "/system Talk like a pirate.\n/hlep\n/reset\n/help\n/quit\nWhat is Hearth?\n"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("did you mean /help?"), HasSubstr("/system TEXT")));
}

TEST(Chat, ForgetsOnReset) {
    const auto with = run_hearth({"chat", "--temperature", "0", "-q"}, {.input = "Hello!\n/reset\nWhat is Hearth?\n"});
    const auto alone = run_hearth({"chat", "--temperature", "0", "-q"}, {.input = "What is Hearth?\n"});
    EXPECT_EQ(with.code, 0);
    EXPECT_GT(with.out.size(), alone.out.size());
    EXPECT_TRUE(with.out.ends_with("\n" + alone.out)) << with.out;
}

TEST(Chat, FailsInAPipeWhenAMessageDoesNotFit) {
    std::string words;
    for (int i = 0; i < 200; ++i) words += "word ";
    const auto outcome = run_hearth({"chat", "--context", "64"}, {.input = words + "\n"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("64"));
}

TEST(ChatTerminal, ItsHelpBreaksNoWordInANarrowWindow) {
    Terminal chat({"chat"}, {}, 40);
    chat.wait_for("> ");
    chat.type("/help\r");
    const std::string help = chat.wait_for("message.");
    size_t lines = 0;
    for (const std::string& line : split(help.substr(help.find("  /reset")), '\n')) {
        EXPECT_LE(line.size(), 41u) << line;  // with its \r
        ++lines;
    }
    EXPECT_GT(lines, 6u);
}

TEST(ChatTerminal, StopsTheAnswerAndNotTheProgram) {
    Terminal chat({"chat", "--device", "reference", "--temperature", "0", "--threads", "1"});
    chat.wait_for("/help shows the commands");
    chat.wait_for("> ");
    chat.type("What is Hearth?\r");
    chat.wait_for("Hearth runs");
    chat.type(kCtrlC);
    chat.wait_for("[stopped]");
    chat.wait_for("> ");
    chat.type("Hello!\r");  // still there
    chat.wait_for("tokens/s");
    chat.wait_for("> ");
    chat.type("/quit\r");
    EXPECT_EQ(chat.wait_for_end(), 0);
    EXPECT_THAT(chat.screen(), Not(HasSubstr("Nothing leaves your machine")));
}

TEST(ChatTerminal, LeavesOnTheSecondCtrlC) {
    Terminal chat({"chat"}, {{"NO_COLOR", "1"}});
    chat.wait_for("> ");
    chat.type("half a line");
    chat.wait_for("half a line");
    chat.type(kCtrlC);  // drops the line, no more
    chat.wait_for("> ");
    chat.type(kCtrlC);
    chat.wait_for("Ctrl-C again, Ctrl-D or /quit leaves.");
    chat.wait_for("> ");
    chat.type(kCtrlC);
    EXPECT_EQ(chat.wait_for_end(), 0);
}

// What came between the prompt and the editor was shown by the terminal, and dropped by a Ctrl-C as if nothing had been typed.
TEST(ChatTerminal, EditsFromTheMomentThatThePromptStands) {
    Terminal chat({"chat"}, {{"NO_COLOR", "1"}});
    for (int prompt = 0; prompt < 100; ++prompt) {
        chat.wait_for("> ");
        ASSERT_FALSE(chat.echoes()) << "prompt " << prompt;
        chat.type("\r");
    }
}

// A Ctrl-D that came before the next prompt was lost: a terminal in line mode makes a NUL of it.
TEST(ChatTerminal, LeavesOnACtrlDDuringAnAnswer) {
    Terminal chat({"chat", "--device", "reference", "--temperature", "0", "--threads", "1"}, {{"NO_COLOR", "1"}});
    chat.wait_for("> ");
    chat.type("What is Hearth?\r");
    chat.wait_for("Hearth runs");
    chat.type(kCtrlD);
    EXPECT_EQ(chat.wait_for_end(), 0);
}

TEST(ChatTerminal, LeavesOnCtrlD) {
    Terminal chat({"chat"});
    chat.wait_for("> ");
    chat.type(kCtrlD);
    EXPECT_EQ(chat.wait_for_end(), 0);
}

TEST(ChatTerminal, EditsLinesAndKnowsThoseBefore) {
    Terminal chat({"chat", "--temperature", "0"}, {{"NO_COLOR", "1"}});
    chat.wait_for("> ");
    chat.type(
        "What is Hxarth?\033[D\033[D\033[D\033[D\033[D\x7f"
        "e\r");  // back five, rub out the x, an e in its place
    chat.wait_for("Hearth runs language models");
    chat.wait_for("tokens/s");
    chat.wait_for("> ");
    chat.type(kUp);
    chat.wait_for("What is Hearth?");
    chat.type("\x15/reset\r");  // Ctrl-U drops the line
    chat.wait_for("forgotten");
    chat.type(kCtrlD);
    EXPECT_EQ(chat.wait_for_end(), 0);
}

TEST(ChatTerminal, TakesPastedLinesAsOneMessage) {
    Terminal chat({"chat", "--temperature", "0"}, {{"NO_COLOR", "1"}});
    chat.wait_for("> ");
    chat.type("\033[200~What is\nHearth?\n\033[201~");
    chat.wait_for("What is\xE2\x90\xA4Hearth?");
    chat.type("\r");
    chat.wait_for("tokens/s");
    chat.wait_for("> ");
    chat.type("\033[200~/help\033[201~\r");
    chat.wait_for("/system TEXT");
    chat.type(kCtrlD);
    EXPECT_EQ(chat.wait_for_end(), 0);
}

TEST(ChatTerminal, SaysWhenTheContextIsFull) {
    Terminal chat({"chat", "--context", "40", "--temperature", "0"}, {{"NO_COLOR", "1"}});
    chat.wait_for("> ");
    chat.type("What is Hearth?\r");
    chat.wait_for("the context of 40 tokens is full");
    chat.wait_for("> ");
    chat.type("And what is that good for?\r");
    chat.wait_for("/reset makes room");
    chat.wait_for("> ");
    chat.type("/reset\r");
    chat.wait_for("forgotten");
    chat.type(kCtrlD);
    EXPECT_EQ(chat.wait_for_end(), 0);
}

TEST(Serve, PrintsItsAddressAndEndsOnSignals) {
    for (const int signal : {SIGTERM, SIGINT}) {
        const auto outcome = run_hearth({"serve", "--port", "0"}, {.signal_after_output = signal});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        EXPECT_THAT(outcome.out, MatchesRegex("http://127\\.0\\.0\\.1:[0-9]+/?\n"));
    }
}

TEST(Serve, AnEmptyHostAndAnOpenAddressAreRefused) {
    const auto empty = run_hearth({"serve", "--port", "0", "--host", ""});
    EXPECT_EQ(empty.code, 3);
    EXPECT_THAT(empty.err, HasSubstr("--host"));
    EXPECT_EQ(empty.out, "");
    const auto open = run_hearth({"serve", "--port", "0", "--host", "0.0.0.0"});
    EXPECT_EQ(open.code, 3);
    EXPECT_THAT(open.err, HasSubstr("--insecure-no-auth"));
    const auto names = run_hearth({"serve", "--port", "0", "--allowed-host", "a", "--allowed-host", "b:80"});
    EXPECT_EQ(names.code, 3);
    EXPECT_THAT(names.err, HasSubstr("--allowed-host: expected a host name without port, found \"b:80\""));
}

TEST(Serve, APresetsFileThatIsNamedMustBeRight) {
    const TempFolder folder;
    const auto missing = run_hearth({"serve", "--port", "0", "--presets", (folder / "none.json").string()});
    EXPECT_EQ(missing.code, 3);
    EXPECT_THAT(missing.err, HasSubstr("none.json"));
    const auto broken = run_hearth({"serve", "--port", "0", "--presets", folder.write("broken.json", "{").string()});
    EXPECT_EQ(broken.code, 3);
    EXPECT_THAT(broken.err, HasSubstr("broken.json"));
}

TEST(Serve, StartsBesideABrokenFileOfPresetsAndSaysSo) {
    const TempFolder folder;
    const std::map<std::string, std::string> environment = {{"HEARTH_MODELS", folder.path().string()}};
    folder.write("models.json", "{\"models\": 1}");
    auto outcome = run_hearth({"serve", "--port", "0"}, {.environment = environment, .signal_after_output = SIGTERM});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("no presets: "));
    folder.write("models.json", R"({"models": [{"alias": "good", "model": "ember"}, {"alias": "bad", "model": "ember", "cntext": 5}]})");
    outcome = run_hearth({"serve", "--port", "0", "--model", "good"}, {.environment = environment, .signal_after_output = SIGTERM});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("preset \"bad\" is left aside: models[1] (\"bad\"): \"cntext\" is no key"));
}

/// Sends a request to a port of this machine and waits for the connection's end.
void ask(int port, const std::string& path) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ASSERT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {}
    close(fd);
}

TEST(Serve, LogsWhatFailedAndWithVerboseEverything) {
    for (const char* option : {"--quiet", "--verbose"}) {
        Terminal server({"serve", "--port", "0", option});
        server.wait_for("http://127.0.0.1:");
        const int port = std::atoi(server.wait_for("/").c_str());
        ask(port, "/health");
        ask(port, "/SECRET");
        server.wait_for(" 404 no route ");
        EXPECT_EQ(server.screen().find(" 200 GET /health ") != std::string::npos, option == std::string("--verbose")) << server.screen();
        EXPECT_EQ(server.screen().find("SECRET"), std::string::npos);
        server.type("\x03");
        EXPECT_EQ(server.wait_for_end(), 0);
    }
}

TEST(Serve, NamesAPortThatIsTaken) {
    const int other = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(listen(other, 1), 0);
    ASSERT_EQ(getsockname(other, reinterpret_cast<sockaddr*>(&address), &length), 0);
    const std::string port = std::to_string(ntohs(address.sin_port));
    const auto outcome = run_hearth({"serve", "--port", port});
    close(other);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(port));
}

TEST(Chat, BeginsWithTheMessageOfTheCommandLine) {
    const auto typed = run_hearth({"chat", "--temperature", "0", "-q"}, {.input = "What is the capital of Italy?\n"});
    const auto given = run_hearth({"chat", "What is the capital of Italy?", "--temperature", "0", "-q"});
    EXPECT_EQ(given.code, 0) << given.err;
    EXPECT_FALSE(given.out.empty());
    EXPECT_EQ(given.out, typed.out);
}

TEST(ChatTerminal, EditsLinesAgainAfterItWasStopped) {
    Terminal chat({"chat", "--temperature", "0"}, {{"NO_COLOR", "1"}});
    chat.wait_for("> ");
    chat.stop_and_continue_cooked();
    chat.wait_for("> ");  // drawn again
    EXPECT_FALSE(chat.echoes());
    chat.type("/helq\x7Fp\r");
    chat.wait_for("forget the conversation");
    chat.type("\x04");
    EXPECT_EQ(chat.wait_for_end(), 0);
}

}  // namespace
}  // namespace hearth::testing
