#include "loaders/checkpoint/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::safetensors;
using testing::TempFolder;
using testing::write_file;

const std::string kIndex = "model.safetensors.index.json";

/// Two shards of one tensor each and their index.
void write_shards(const TempFolder& folder, const std::string& weight_map) {
    write_file(folder / "model-1.safetensors", safetensors({{"a", "U8", {1}, "A"}}));
    write_file(folder / "model-2.safetensors", safetensors({{"b", "U8", {1}, "B"}, {"extra", "U8", {1}, "E"}}));
    write_file(folder / kIndex, "{\"metadata\": {\"total_size\": 2}, \"weight_map\": " + weight_map + "}");
}

char byte_of(const Checkpoint& checkpoint, const std::string& name) {
    std::byte out{};
    checkpoint.find(name)->read(0, 1, &out);
    return static_cast<char>(out);
}

TEST(Checkpoint, ReadsASingleFile) {
    TempFolder folder;
    write_file(folder / "model.safetensors", safetensors({{"a", "U8", {1}, "A"}}));
    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    EXPECT_EQ(checkpoint.entries().size(), 1u);
    EXPECT_EQ(byte_of(checkpoint, "a"), 'A');
    EXPECT_EQ(checkpoint.find("b"), nullptr);
}

TEST(Checkpoint, FollowsTheIndexAndNothingElse) {
    TempFolder folder;
    write_shards(folder, R"({"a": "model-1.safetensors", "b": "model-2.safetensors"})");
    // Not in the index: none is opened, or this would fail.
    write_file(folder / "consolidated.00.safetensors", "garbage");
    write_file(folder / "model-00001-of-00002.safetensors", "garbage");
    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    EXPECT_EQ(checkpoint.files().size(), 2u);
    EXPECT_EQ(byte_of(checkpoint, "a"), 'A');
    EXPECT_EQ(byte_of(checkpoint, "b"), 'B');
}

TEST(Checkpoint, HoldsTensorsOfAnOpenedShardThatTheIndexLeavesOut) {
    TempFolder folder;
    write_shards(folder, R"({"a": "model-1.safetensors", "b": "model-2.safetensors"})");
    EXPECT_EQ(byte_of(Checkpoint::open(folder.path()), "extra"), 'E');
    // What the index lists is where it says; what it does not list must lie in one place.
    write_file(folder / "model-1.safetensors", safetensors({{"a", "U8", {1}, "A"}, {"b", "U8", {1}, "X"}}));
    EXPECT_EQ(byte_of(Checkpoint::open(folder.path()), "b"), 'B');
    write_file(folder / "model-1.safetensors", safetensors({{"a", "U8", {1}, "A"}, {"extra", "U8", {1}, "X"}}));
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "tensor \"extra\" is in ");
}

TEST(Checkpoint, OpensAShardOfTheSameSetThatTheIndexForgets) {
    TempFolder folder;
    write_file(folder / "model-00001-of-00002.safetensors", safetensors({{"a", "U8", {1}, "A"}}));
    write_file(folder / "model-00002-of-00002.safetensors", safetensors({{"b", "U8", {1}, "B"}}));
    write_file(folder / "model-00003-of-00003.safetensors", "of another set");
    write_file(folder / "other-00001-of-00002.safetensors", "of another set");
    write_file(folder / kIndex, R"({"weight_map": {"a": "model-00001-of-00002.safetensors"}})");
    EXPECT_EQ(byte_of(Checkpoint::open(folder.path()), "b"), 'B');
    write_file(folder / "model-00002-of-00002.safetensors", "");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "model-00002-of-00002.safetensors");
}

TEST(Checkpoint, TakesTheWholeFileBesideAStaleIndex) {
    TempFolder folder;
    write_file(folder / "model.safetensors", safetensors({{"a", "U8", {1}, "A"}}));
    write_file(folder / kIndex, R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    EXPECT_EQ(checkpoint.entries().size(), 1u);
    EXPECT_EQ(byte_of(checkpoint, "a"), 'A');
}

TEST(Checkpoint, NamesShardsWithoutTheirIndex) {
    TempFolder folder;
    write_file(folder / "model-00001-of-00002.safetensors", safetensors({{"a", "U8", {1}, "A"}}));
    write_file(folder / "model-00002-of-00002.safetensors", safetensors({{"b", "U8", {1}, "B"}}));
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kNotFound,
                   "found model-00001-of-00002.safetensors and so on, 2 shards in all, without the index");
}

TEST(Checkpoint, FollowsLinksAsInTheHuggingFaceCache) {
    TempFolder folder;
    fs::create_directories(folder / "blobs");
    fs::create_directories(folder / "snapshots/abc");
    write_file(folder / "blobs/0123", safetensors({{"a", "U8", {1}, "A"}}));
    fs::create_symlink("../../blobs/0123", folder / "snapshots/abc/model.safetensors");
    EXPECT_EQ(byte_of(Checkpoint::open(folder / "snapshots/abc"), "a"), 'A');
}

TEST(Checkpoint, RefusesAShardNameThatIsAPath) {
    for (const std::string name : {"../model-1.safetensors", "/etc/passwd", "sub/model.safetensors", "..", ".", "", "a b.safetensors",
                                   "a\\\\b", ".hidden", "a\\u0000b"}) {
        TempFolder folder;
        write_shards(folder, "{\"a\": \"" + name + "\"}");
        EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "expected the plain name of a file beside the index");
    }
}

TEST(Checkpoint, RefusesAnIndexThatIsNotOne) {
    for (const std::string map : {"[]", "5", "null", "{\"a\": 5}", "{\"a\": [\"model-1.safetensors\"]}", "{\"a\": null}"}) {
        TempFolder folder;
        write_shards(folder, map);
        EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, kIndex);
    }
    TempFolder folder;
    write_file(folder / kIndex, "{}");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "weight_map");
}

TEST(Checkpoint, RefusesAMissingShardByName) {
    TempFolder folder;
    write_shards(folder, R"({"a": "model-1.safetensors", "b": "model-3.safetensors"})");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kNotFound, "model-3.safetensors: missing");
}

TEST(Checkpoint, RefusesADanglingLink) {
    TempFolder folder;
    write_shards(folder, R"({"a": "model-1.safetensors", "b": "model-2.safetensors"})");
    fs::remove(folder / "model-2.safetensors");
    fs::create_symlink("../../blobs/gone", folder / "model-2.safetensors");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kNotFound, "model-2.safetensors");
}

TEST(Checkpoint, RefusesATensorThatItsShardLacks) {
    TempFolder folder;
    write_shards(folder, R"({"a": "model-1.safetensors", "b": "model-1.safetensors"})");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "model-1.safetensors: has no tensor \"b\"");
}

TEST(Checkpoint, RefusesATensorThatIsListedTwice) {
    TempFolder folder;
    write_shards(folder, R"({"a": "model-1.safetensors", "b": "model-2.safetensors", "a": "model-2.safetensors"})");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "\"a\" stands twice");
}

TEST(Checkpoint, SaysWhichOtherWeightsLieThere) {
    for (const std::string name : {"consolidated.00.safetensors", "pytorch_model.bin", "model.Q4_K.gguf", "consolidated.00.pth"}) {
        TempFolder folder;
        write_file(folder / name, "x");
        EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kUnsupported, "found " + name);
    }
}

TEST(Checkpoint, RefusesWhatIsNoFolderOrHasNothing) {
    TempFolder folder;
    write_file(folder / "file", "x");
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kNotFound, "the folder has no weights");
    EXPECT_REFUSED(Checkpoint::open(folder / "file"), ErrorKind::kBadInput, "this is a file");
    EXPECT_REFUSED(Checkpoint::open(folder / "none"), ErrorKind::kNotFound, "none");
    EXPECT_REFUSED(Checkpoint::open(""), ErrorKind::kNotFound, "");
}

TEST(Checkpoint, RefusesAPipeInPlaceOfAFileWithoutWaitingForIt) {
    TempFolder folder;
    ASSERT_EQ(::mkfifo((folder / "model.safetensors").c_str(), 0600), 0);
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kBadInput, "expected a file");
}

TEST(Checkpoint, SaysThatItMayNotRead) {
    if (::geteuid() == 0) GTEST_SKIP() << "skipped: root may read everything";
    TempFolder folder;
    write_file(folder / "model.safetensors", safetensors({{"a", "U8", {1}, "A"}}));
    fs::permissions(folder / "model.safetensors", fs::perms::none);
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kIo, "Permission denied");
    fs::permissions(folder.path(), fs::perms::none);
    EXPECT_REFUSED(Checkpoint::open(folder.path()), ErrorKind::kIo, "ermission denied");
    fs::permissions(folder.path(), fs::perms::owner_all);
}

}  // namespace
}  // namespace hearth
