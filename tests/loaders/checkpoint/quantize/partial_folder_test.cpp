// What is left of a `quantize` that was killed: replaced by the next one, and nothing else is ever removed.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "loaders/quantize/partial_folder.h"
#include "loaders/quantize/quantize_folder.h"
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::own_goldens;
using testing::TempFolder;
using testing::write_file;

void quantize(const fs::path& out, const Progress& progress = {}) {
    const auto backend = testing::reference_backend();
    quantize_folder(inspect_checkpoint(own_goldens() / "llama-plain"), {QuantKind::kQ8, {}}, out, *backend->make_stream(), progress);
}

/// Runs `act` in a process of its own, which a signal is to end.
void in_a_killed_process(const std::function<void()>& act) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        act();
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void expect_whole(const fs::path& folder) {
    EXPECT_EQ(inspect_checkpoint(folder).quantization, "q8");
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"config.json", "model.safetensors"}));
}

TEST(PartialFolder, LeftByAKilledProcessIsReplaced) {
    TempFolder folder;
    in_a_killed_process([&] {
        quantize(folder / "out", [](const ProgressUpdate& update) {
            if (update.done > update.total / 2) ::raise(SIGKILL);
        });
    });
    ASSERT_TRUE(fs::exists(folder / "out.partial/model.safetensors"));
    quantize(folder / "out");
    EXPECT_FALSE(fs::exists(folder / "out.partial"));
    expect_whole(folder / "out");
}

TEST(PartialFolder, LeftAtItsBeginningIsReplaced) {
    TempFolder folder;
    fs::create_directory(folder / "out.partial");  // killed before the marker
    quantize(folder / "out");
    expect_whole(folder / "out");
    in_a_killed_process([&] {
        const PartialFolder partial(folder / "other");
        ::raise(SIGKILL);
    });
    quantize(folder / "other");
    expect_whole(folder / "other");
}

TEST(PartialFolder, OfSomebodyElseStays) {
    TempFolder folder;
    const auto refused = [&](const std::string& part) {
        const auto before = testing::read_file(folder / "out.partial/model.safetensors");
        EXPECT_REFUSED(quantize(folder / "out"), ErrorKind::kBadInput, part);
        EXPECT_EQ(testing::read_file(folder / "out.partial/model.safetensors"), before);
        EXPECT_FALSE(fs::exists(folder / "out"));
    };
    fs::create_directory(folder / "out.partial");
    write_file(folder / "out.partial/model.safetensors", "mine");
    refused("is no leftover of an earlier run");
    write_file(folder / "out.partial/.hearth-partial", "my own notes");
    refused("is no leftover of an earlier run");
    fs::remove(folder / "out.partial/.hearth-partial");
    fs::create_symlink("/dev/null", folder / "out.partial/.hearth-partial");
    refused("is no leftover of an earlier run");
    fs::remove_all(folder / "out.partial");

    in_a_killed_process([&] {
        const PartialFolder partial(folder / "out");
        ::raise(SIGKILL);
    });
    write_file(folder / "out.partial/model.safetensors", "half");
    write_file(folder / "out.partial/thesis.txt", "not ours");
    refused("holds \"thesis.txt\", which is not ours");
    EXPECT_TRUE(fs::exists(folder / "out.partial/thesis.txt"));
}

TEST(PartialFolder, ThatAnotherProcessWritesStays) {
    TempFolder folder;
    const PartialFolder first(folder / "out");
    EXPECT_REFUSED(PartialFolder(folder / "out"), ErrorKind::kBadInput, "another process is writing it");
    EXPECT_TRUE(fs::exists(folder / "out.partial"));
}

TEST(PartialFolder, IsNotFollowedThroughALink) {
    TempFolder folder;
    in_a_killed_process([&] {
        const PartialFolder partial(folder / "elsewhere");
        ::raise(SIGKILL);
    });
    write_file(folder / "elsewhere.partial/model.safetensors", "half");
    fs::create_symlink(folder / "elsewhere.partial", folder / "out.partial");
    EXPECT_REFUSED(quantize(folder / "out"), ErrorKind::kBadInput, "is no folder");
    EXPECT_TRUE(fs::exists(folder / "elsewhere.partial/model.safetensors"));
    write_file(folder / "file.partial", "x");
    EXPECT_REFUSED(quantize(folder / "file"), ErrorKind::kBadInput, "is no folder");
}

}  // namespace
}  // namespace hearth
