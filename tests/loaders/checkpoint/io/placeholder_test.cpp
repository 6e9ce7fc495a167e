// Downloads that brought something else than the file: said by name, whatever file it stands in for.
#include "loaders/tokenizer/tokenizer.h"
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth {
namespace {

using testing::TempFolder;
using testing::write_file;

const std::string kPointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize "
    "269060552\n";

void read(const TempFolder& folder, const std::string& file) {
    if (file.starts_with("token")) {
        open_tokenizer(folder.path());
    } else {
        inspect_checkpoint(folder.path());
    }
}

void expect_named(const std::string& content, const std::string& part) {
    for (const std::string file : {"model.safetensors", "config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json"}) {
        TempFolder folder;
        testing::copy_golden("llama-plain", folder.path());
        if (file == "tokenizer_config.json") write_file(folder / "tokenizer.json", "{}");
        write_file(folder / file, content);
        EXPECT_REFUSED(read(folder, file), ErrorKind::kBadInput, (folder / file).string() + ": " + part);
    }
    TempFolder folder;
    testing::copy_golden("llama-sharded", folder.path());
    write_file(folder / "model-00002-of-00003.safetensors", content);
    EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, part);
    write_file(folder / "model.safetensors.index.json", content);
    EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "index.json: " + part);
}

TEST(Placeholder, OfGitLfsIsNamed) { expect_named(kPointer, "this is a pointer of Git LFS, fetch the file itself"); }

TEST(Placeholder, ThatIsAWebPageIsNamed) {
    for (const char* begin : {"<!DOCTYPE html>", "\xEF\xBB\xBF\n  <!doctype HTML>", "<html lang=\"en\">", "<HTML>"})
        expect_named(std::string(begin) + "<head><title>Log in</title></head>", "this is a web page");
}

TEST(Placeholder, ThatIsAnAnswerOfAServerIsNamed) {
    expect_named("Entry not found", "this is a server's answer, \"Entry not found\"");
    expect_named("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "this is a server's answer");
}

TEST(Placeholder, IsNotSeenInARealFile) {
    TempFolder folder;
    testing::copy_golden("llama-plain", folder.path());
    auto config = testing::read_json(folder / "config.json");
    config["note"] = kPointer + "<html>";
    write_file(folder / "config.json", config.dump());
    EXPECT_NO_THROW(inspect_checkpoint(folder.path()));
}

}  // namespace
}  // namespace hearth
