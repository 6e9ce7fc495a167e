#include "loaders/io/json_file.h"

#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

using testing::TempFolder;
using testing::write_file;

TEST(JsonFile, ReadsWhatIsStrictJson) {
    const auto json = parse_json(R"( {"a": [1, -2.5, "\u00e9", null, true], "b": {"a": {}}} )", "x.json");
    EXPECT_EQ(json["a"][2], "é");
    EXPECT_EQ(json["b"]["a"].size(), 0u);
}

TEST(JsonFile, RefusesWhatIsNotStrictJson) {
    for (const std::string text :
         {"", "{", "{} {}", "{'a': 1}", "{\"a\": 01}", "{\"a\": NaN}", "{\"a\": 1,}", "// c\n{}", "{\"a\": \"\xff\"}",
          "{\"a\": \"\xc0\xaf\"}", "{\"a\": \"\\ud800\"}", "{\"a\": 1e999}", "[1", "{\"a\"}", "{\"a\": \"\n\"}"}) {
        EXPECT_REFUSED(parse_json(text, "x.json"), ErrorKind::kBadInput, "x.json: not valid JSON");
    }
}

TEST(JsonFile, RefusesANulByteWhichTheParserTakesForTheEnd) {
    EXPECT_REFUSED(parse_json(std::string("{}\0{]", 5), "x.json"), ErrorKind::kBadInput, "NUL");
}

TEST(JsonFile, RefusesAKeyThatStandsTwice) {
    EXPECT_REFUSED(parse_json(R"({"a": 1, "b": {"c": 1}, "a": 2})", "x.json"), ErrorKind::kBadInput, "\"a\" stands twice");
    EXPECT_REFUSED(parse_json(R"({"a": [{"b": 1, "b": 1}]})", "x.json"), ErrorKind::kBadInput, "\"b\" stands twice");
    EXPECT_NO_THROW(parse_json(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]})", "x.json"));
}

TEST(JsonFile, RefusesNestingPastTheLimitWhateverItsDepth) {
    const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_NO_THROW(parse_json(nested(64), "x.json"));
    for (size_t depth : {65u, 1000u, 1'000'000u})
        EXPECT_REFUSED(parse_json(nested(depth), "x.json"), ErrorKind::kBadInput, "deeper than 64");
    EXPECT_REFUSED(parse_json(std::string(1'000'000, '['), "x.json"), ErrorKind::kBadInput, "deeper than 64");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    EXPECT_REFUSED(parse_json(objects, "x.json"), ErrorKind::kBadInput, "deeper than 64");
}

TEST(JsonFile, RefusesAFileThatIsMissingTooLongOrNoFile) {
    TempFolder folder;
    write_file(folder / "long.json", std::string(1000, ' '));
    write_file(folder / "list.json", "[]");
    EXPECT_REFUSED(read_small_file(folder / "none.json", 10), ErrorKind::kNotFound, "none.json");
    EXPECT_REFUSED(read_small_file(folder / "long.json", 999), ErrorKind::kTooLarge, "1000 bytes, at most 999");
    EXPECT_REFUSED(read_small_file(folder.path(), 999), ErrorKind::kBadInput, "a folder");
    EXPECT_REFUSED(read_json_object(folder / "list.json", 999), ErrorKind::kBadInput, "expected a JSON object, found array");
    EXPECT_EQ(read_small_file(folder / "long.json", 1000).size(), 1000u);
}

}  // namespace
}  // namespace hearth
