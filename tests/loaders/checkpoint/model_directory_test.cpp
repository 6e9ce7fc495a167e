#include "loaders/model_directory.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "kernels/make_backend.h"
#include "loaders/builtin/builtin_files.h"
#include "loaders/io/input_file.h"
#include "loaders/io/model_files.h"
#include "loaders/load_model.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;
using testing::write_file;

/// Sets a variable of the environment for as long as it lives.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::optional<std::string> before_;
};

void make_model(const fs::path& folder, size_t bytes = 10) {
    fs::create_directories(folder);
    write_file(folder / "config.json", "{}");
    write_file(folder / "model.safetensors", std::string(bytes, 'x'));
}

void make_cached(const fs::path& folder, const std::string& revision, const std::string& main) {
    fs::create_directories(folder / "snapshots" / revision);
    fs::create_directories(folder / "blobs");
    fs::create_directories(folder / "refs");
    write_file(folder / "blobs" / ("c" + revision), "{}");
    write_file(folder / "blobs" / ("w" + revision), std::string(77, 'x'));
    std::error_code ignored;
    fs::create_symlink("../../blobs/c" + revision, folder / "snapshots" / revision / "config.json", ignored);
    fs::create_symlink("../../blobs/w" + revision, folder / "snapshots" / revision / "model.safetensors", ignored);
    if (!main.empty()) write_file(folder / "refs/main", main);
}

std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const ModelEntry& model : list_models()) out.push_back(model.name);
    return out;
}

using Names = std::vector<std::string>;

TEST(ModelDirectory, IsWhereTheEnvironmentSays) {
    Variable home("HOME", "/home/someone"), data("XDG_DATA_HOME", ""), models("HEARTH_MODELS", "");
    EXPECT_EQ(model_directory(), "/home/someone/.local/share/hearth/models");
    Variable data_set("XDG_DATA_HOME", "/data");
    EXPECT_EQ(model_directory(), "/data/hearth/models");
    Variable models_set("HEARTH_MODELS", "/models");
    EXPECT_EQ(model_directory(), "/models");
}

TEST(ModelDirectory, ListsEmberAndThenTheRestByName) {
    TempFolder folder;
    Variable models("HEARTH_MODELS", folder.path().string());
    make_model(folder / "zeta", 30);
    make_model(folder / "org/beta");
    make_model(folder / "org/alpha");
    make_model(folder / "other/deep/too-deep");
    make_cached(folder / "models--meta--Llama--x", "abc", "abc");
    make_cached(folder / "models--gpt", "abc", "");
    fs::create_directories(folder / "empty");
    fs::create_directories(folder / "no-weights");
    write_file(folder / "no-weights/config.json", "{}");
    make_model(folder / ".hidden");
    write_file(folder / "config.json", "{}");
    EXPECT_EQ(names(), (Names{"ember", "gpt", "meta/Llama--x", "org/alpha", "org/beta", "zeta"}));
    const auto all = list_models();
    EXPECT_TRUE(all[0].builtin);
    EXPECT_GT(all[0].file_bytes, 1'000'000);
    EXPECT_FALSE(all[5].builtin);
    EXPECT_EQ(all[5].file_bytes, 30);
    EXPECT_EQ(all[5].folder, folder / "zeta");
    EXPECT_EQ(all[2].file_bytes, 77);  // of what the link points to
}

TEST(ModelDirectory, TakesTheSnapshotThatMainNames) {
    TempFolder folder;
    Variable models("HEARTH_MODELS", folder.path().string());
    make_cached(folder / "models--a--b", "111", "111");
    make_cached(folder / "models--a--b", "999", "");
    EXPECT_EQ(find_model("a/b").folder, folder / "models--a--b/snapshots/111");
    write_file(folder / "models--a--b/refs/main", "gone");
    EXPECT_EQ(find_model("a/b").folder, folder / "models--a--b/snapshots/999");
    write_file(folder / "models--a--b/refs/main", "../../../etc");
    EXPECT_EQ(find_model("a/b").folder, folder / "models--a--b/snapshots/999");
}

TEST(ModelDirectory, LetsNothingTakeEmbersName) {
    TempFolder folder;
    Variable models("HEARTH_MODELS", folder.path().string());
    make_model(folder / "ember");
    EXPECT_EQ(names(), (Names{"ember"}));
    EXPECT_TRUE(find_model("ember").builtin);
    EXPECT_TRUE(find_model("").builtin);
    EXPECT_EQ(find_model((folder / "ember").string()).folder, folder / "ember");  // a path is a path
}

TEST(ModelDirectory, LivesWithADirectoryThatIsMissingOrUnreadable) {
    Variable models("HEARTH_MODELS", "/nowhere/at/all");
    EXPECT_EQ(names(), (Names{"ember"}));
    if (::geteuid() == 0) return;  // root may read everything
    TempFolder folder;
    Variable readable("HEARTH_MODELS", folder.path().string());
    make_model(folder / "a");
    make_model(folder / "b");
    fs::permissions(folder / "a", fs::perms::none);
    EXPECT_EQ(names(), (Names{"ember", "b"}));
    fs::permissions(folder / "a", fs::perms::owner_all);
}

TEST(ModelDirectory, LivesWithLinksThatLeadNowhereOrInACircle) {
    TempFolder folder;
    Variable models("HEARTH_MODELS", folder.path().string());
    make_model(folder / "good");
    fs::create_symlink("nowhere", folder / "dangling");
    fs::create_symlink("circle", folder / "circle");
    fs::create_directory_symlink("good", folder / "linked");
    fs::create_directories(folder / "half");
    fs::create_symlink("nowhere", folder / "half/model.safetensors");
    write_file(folder / "half/config.json", "{}");
    EXPECT_EQ(names(), (Names{"ember", "good", "linked"}));
}

TEST(FindModel, TakesAFolderOrANameAndSaysWhatThereIs) {
    TempFolder folder;
    Variable models("HEARTH_MODELS", folder.path().string());
    make_model(folder / "org/model");
    EXPECT_EQ(find_model("org/model").folder, folder / "org/model");
    EXPECT_EQ(find_model("org/model").name, "org/model");
    EXPECT_EQ(find_model((folder / "org/model").string()).name, "model");
    EXPECT_EQ(find_model((folder / "org/model/").string()).name, "model");
    EXPECT_REFUSED(find_model("org/other"), ErrorKind::kNotFound, "there are: ember, org/model");
    EXPECT_REFUSED(find_model("model\n"), ErrorKind::kNotFound, "no model \"model\\x0a\"");
    EXPECT_REFUSED(find_model((folder / "org/model/config.json").string()), ErrorKind::kBadInput, "this is a file");
}

TEST(FindModel, TakesAFolderOfTheHuggingFaceCache) {
    TempFolder folder;
    make_cached(folder / "models--a--b", "111", "111");
    const ModelEntry whole = find_model((folder / "models--a--b").string());
    EXPECT_EQ(whole.folder, folder / "models--a--b/snapshots/111");
    EXPECT_EQ(whole.name, "a/b");
    const ModelEntry snapshot = find_model((folder / "models--a--b/snapshots/111").string());
    EXPECT_EQ(snapshot.file_bytes, 77);
    EXPECT_EQ(snapshot.name, "a/b");
}

TEST(FindModel, NamesWhatIsNotServedYet) {
    TempFolder folder;
    fs::create_directories(folder / "some");
    fs::create_directories(folder / "lora");
    write_file(folder / "some/model.gguf", "GGUF");
    EXPECT_REFUSED(find_model((folder / "some/model.gguf").string()), ErrorKind::kBadInput, "GGUF files are not read");
    EXPECT_REFUSED(inspect_checkpoint(folder / "some"), ErrorKind::kUnsupported, "GGUF files are not read");
    write_file(folder / "lora/adapter_config.json", "{}");
    write_file(folder / "lora/adapter_model.safetensors", "");
    EXPECT_REFUSED(inspect_checkpoint(folder / "lora"), ErrorKind::kUnsupported, "adapters are not served yet");
    for (const char* device : {"cuda", "cuda:1"})
        EXPECT_REFUSED(make_backend({.device = device}), ErrorKind::kUnsupported, "GPUs are not served yet");
}

TEST(Ember, IsAPartOfTheProgram) {
    Variable models("HEARTH_MODELS", "/nowhere");
    EXPECT_EQ(names(), (Names{"ember"}));
    const ModelEntry ember = find_model("");
    EXPECT_TRUE(ember.builtin);
    EXPECT_FALSE(fs::exists(ember.folder));
    const fs::path source = fs::path(HEARTH_SOURCE_DIR) / "tools/ember";
    EXPECT_EQ(ember.file_bytes, static_cast<int64_t>(fs::file_size(source / "model.safetensors")));
    const Names files = model_file_names(ember.folder);
    EXPECT_EQ(files, (Names{"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer.model",
                            "tokenizer_config.json"}));
    for (const std::string& name : files)
        EXPECT_EQ(InputFile::open(ember.folder / name).read_all(), InputFile::open(source / name).read_all()) << name;
    EXPECT_GT(inspect_checkpoint(ember.folder).parameters, 5'000'000);
}

TEST(Ember, IsNoWayToOtherFiles) {
    const fs::path folder = find_model("ember").folder;
    for (const char* name : {"", ".", "..", "other.json", "../ember/config.json", "inner/config.json"})
        EXPECT_FALSE(model_file_exists(folder / name)) << name;
    EXPECT_REFUSED(InputFile::open(folder / "other.json"), ErrorKind::kNotFound, "other.json");
}

}  // namespace
}  // namespace hearth
