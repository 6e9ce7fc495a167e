#include "loaders/checkpoint/safetensors.h"

#include <cstring>

#include "base/text.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

using testing::safetensors;
using testing::TempFolder;
using testing::write_file;

std::vector<StoredTensor> parse(const std::string& header, int64_t data_bytes) {
    return parse_safetensors_header(header, 100, data_bytes, "x.safetensors");
}

std::string one(const std::string& fields) { return "{\"t\": {" + fields + "}}"; }

TEST(Safetensors, ReadsEveryDtypeWithItsSize) {
    const std::vector<std::pair<std::string, int64_t>> types = {{"BF16", 2},    {"F16", 2}, {"F32", 4}, {"F64", 8}, {"F8_E4M3", 1},
                                                                {"F8_E5M2", 1}, {"I8", 1},  {"U8", 1},  {"I16", 2}, {"I32", 4},
                                                                {"U32", 4},     {"I64", 8}, {"U64", 8}, {"BOOL", 1}};
    for (const auto& [name, size] : types) {
        const auto tensors = parse(
            one("\"dtype\": \"" + name + "\", \"shape\": [3, 5], \"data_offsets\": [0, " + std::to_string(15 * size) + "]"), 15 * size);
        ASSERT_EQ(tensors.size(), 1u) << name;
        EXPECT_EQ(tensors[0].type->name, name);
        EXPECT_EQ(tensors[0].numel(), 15);
        EXPECT_EQ(tensors[0].begin, 100);
        EXPECT_EQ(tensors[0].end, 100 + 15 * size);
    }
}

TEST(Safetensors, ReadsScalarsEmptyTensorsMetadataAndUnknownFields) {
    const auto tensors = parse(R"({"__metadata__": {"format": "pt", "made with": ""},
        "s": {"dtype": "F32", "shape": [], "data_offsets": [0, 4], "note": [1, [2, {}]]},
        "e": {"dtype": "F32", "shape": [0, 7], "data_offsets": [4, 4]},
        "z": {"shape": [1], "data_offsets": [4, 6], "dtype": "BF16"}})",
                               6);
    ASSERT_EQ(tensors.size(), 3u);
    EXPECT_EQ(tensors[0].name, "s");
    EXPECT_EQ(tensors[0].shape.size(), 0u);
    EXPECT_EQ(tensors[1].name, "e");
    EXPECT_EQ(tensors[1].numel(), 0);
    EXPECT_EQ(tensors[2].name, "z");
}

TEST(Safetensors, ReadsAnEmptyFileOfNoTensors) { EXPECT_EQ(parse("{}   ", 0).size(), 0u); }

TEST(Safetensors, RefusesAHeaderThatIsNotWhatTheFormatSays) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "does not begin with {"},
        {" {}", "does not begin with {"},
        {"[]", "does not begin with {"},
        {"{", "not valid JSON"},
        {"{} x", "not valid JSON"},
        {std::string("{}\0\0", 4), "NUL"},
        {R"({"t": 5})", "where an object for a tensor belongs"},
        {R"({"t": [1]})", "where an object for a tensor belongs"},
        {R"({"__metadata__": "x"})", "where an object for a tensor belongs"},
        {one(R"("shape": [2], "data_offsets": [0, 4])"), "no dtype"},
        {one(R"("dtype": "BF16", "data_offsets": [0, 4])"), "no shape"},
        {one(R"("dtype": "BF16", "shape": [2])"), "data_offsets must hold two numbers"},
        {one(R"("dtype": "BF16", "shape": [2], "data_offsets": [0])"), "data_offsets must hold two numbers"},
        {one(R"("dtype": "BF16", "shape": [2], "data_offsets": [0, 4, 4])"), "more than two numbers"},
        {one(R"("dtype": "Q4", "shape": [2], "data_offsets": [0, 4])"), "unknown dtype \"Q4\""},
        {one(R"("dtype": 16, "shape": [2], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": ["BF16"], "shape": [2], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": 2, "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [[2]], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [{}], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": {"a": 2}, "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [2.0], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [-2], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": ["2"], "data_offsets": [0, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [2], "data_offsets": [0, null])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [2], "data_offsets": [-1, 4])"), "where it does not belong"},
        {one(R"("dtype": "BF16", "shape": [1,1,1,1,1,1,1,1,2], "data_offsets": [0, 4])"), "more than 8 dimensions"},
    };
    for (const auto& [header, part] : cases) EXPECT_REFUSED(parse(header, 4), ErrorKind::kBadInput, part);
}

TEST(Safetensors, RefusesMetadataThatIsNoText) {
    for (const char* value : {"1", "1.5", "-1", "null", "true", "[]", "[\"x\"]", "{}", R"({"x": "y"})"})
        EXPECT_REFUSED(parse(cat(R"({"__metadata__": {"format": "pt", "more": )", value, "}}"), 0), ErrorKind::kBadInput,
                       "tensor \"__metadata__\"");
    EXPECT_EQ(parse(R"({"__metadata__": {}})", 0).size(), 0u);
}

TEST(Safetensors, RefusesKeysThatStandTwice) {
    const std::string t = R"({"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]})";
    EXPECT_REFUSED(parse("{\"t\": " + t + ", \"t\": " + t + "}", 4), ErrorKind::kBadInput, "\"t\" stands twice");
    EXPECT_REFUSED(parse(one(R"("dtype": "BF16", "shape": [2], "shape": [2], "data_offsets": [0, 4])"), 4), ErrorKind::kBadInput,
                   "\"shape\" stands twice");
    EXPECT_REFUSED(parse("{\"t\": " + t + R"(, "__metadata__": {"a": "", "a": ""}})", 4), ErrorKind::kBadInput, "\"a\" stands twice");
}

TEST(Safetensors, RefusesNumbersThatDoNotFitEachOther) {
    const auto sized = [](const std::string& shape, const std::string& offsets) {
        return one(R"("dtype": "BF16", "shape": )" + shape + R"(, "data_offsets": )" + offsets);
    };
    EXPECT_NO_THROW(parse(sized("[2]", "[0, 4]"), 4));
    const std::vector<std::pair<std::string, std::string>> cases = {
        {sized("[3]", "[0, 4]"), "needs 6 bytes of BF16, data_offsets give 4"},
        {sized("[2]", "[4, 0]"), "do not lie in"},
        {sized("[2]", "[0, 8]"), "do not lie in"},
        {sized("[2]", "[0, 18446744073709551615]"), "an offset of 18446744073709551615"},
        {sized("[2]", "[0, 9223372036854775807]"), "do not lie in"},
        {sized("[9223372036854775807, 2]", "[0, 4]"), "more numbers than can be counted"},
        {sized("[4294967296, 4294967296]", "[0, 4]"), "more numbers than can be counted"},
        {sized("[2147483649, 2147483649, 4]", "[0, 4]"), "more numbers than can be counted"},
        {sized("[18446744073709551615]", "[0, 4]"), "a dimension of 18446744073709551615"},
        {sized("[1e3]", "[0, 4]"), "where it does not belong"},
        {one(R"("dtype": "F4", "shape": [3], "data_offsets": [0, 1])"), "needs 1 bytes"},  // twelve bits are no bytes
    };
    for (const auto& [header, part] : cases) EXPECT_REFUSED(parse(header, 4), ErrorKind::kBadInput, part);
}

TEST(Safetensors, RefusesOverlapsHolesAndBytesThatNobodyOwns) {
    const auto two = [](const std::string& a, const std::string& b) {
        return R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": )" + a + R"(}, "b": {"dtype": "U8", "shape": [4], "data_offsets": )" +
               b + "}}";
    };
    EXPECT_NO_THROW(parse(two("[4, 8]", "[0, 4]"), 8));
    EXPECT_REFUSED(parse(two("[0, 4]", "[3, 7]"), 8), ErrorKind::kBadInput,
                   "tensor \"b\" begins at byte 3 of the data, inside the one before it");
    EXPECT_REFUSED(parse(two("[0, 4]", "[0, 4]"), 4), ErrorKind::kBadInput, "inside the one before it");
    EXPECT_REFUSED(parse(two("[0, 4]", "[5, 9]"), 9), ErrorKind::kBadInput, "leaves a hole after 4");
    EXPECT_REFUSED(parse(two("[1, 5]", "[5, 9]"), 9), ErrorKind::kBadInput, "leaves a hole after 0");
    EXPECT_REFUSED(parse(two("[0, 4]", "[4, 8]"), 9), ErrorKind::kBadInput, "end at byte 8 of the data, the file has 9");
}

TEST(Safetensors, RefusesMoreAndLongerThanTheLimits) {
    const std::string empty = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    EXPECT_EQ(parse("{\"" + std::string(512, 'n') + "\":" + empty + "}", 0).size(), 1u);
    EXPECT_REFUSED(parse("{\"" + std::string(513, 'n') + "\":" + empty + "}", 0), ErrorKind::kBadInput, "513 bytes, at most 512");
    std::string many = "{\"0\":" + empty;
    for (int i = 1; i <= 200'000; ++i) many += ",\"" + std::to_string(i) + "\":" + empty;
    EXPECT_REFUSED(parse(many + "}", 0), ErrorKind::kBadInput, "more than 200000 tensors");
    EXPECT_REFUSED(parse("{\"__metadata__\":" + std::string(1'000'000, '['), 0), ErrorKind::kBadInput,
                   "where an object for a tensor belongs");
    EXPECT_REFUSED(parse("{\"__metadata__\":{\"a\":" + std::string(1'000'000, '['), 0), ErrorKind::kBadInput,
                   "a list where it does not belong");
    EXPECT_REFUSED(parse("{\"t\":{\"note\":" + std::string(1'000'000, '['), 0), ErrorKind::kBadInput, "deeper than 64");
}

TEST(Safetensors, OpensAFileAndFindsItsBytes) {
    TempFolder folder;
    write_file(folder / "a.safetensors", safetensors({{"first", "U8", {3}, "abc"}, {"second", "BF16", {1, 2}, "wxyz"}}));
    const SafetensorsFile file = SafetensorsFile::open(folder / "a.safetensors");
    ASSERT_NE(file.find("second"), nullptr);
    const auto bytes_of = [&](const char* name) {
        std::string out(static_cast<size_t>(file.find(name)->bytes()), ' ');
        file.file().read(file.find(name)->begin, file.find(name)->bytes(), reinterpret_cast<std::byte*>(out.data()));
        return out;
    };
    EXPECT_EQ(bytes_of("second"), "wxyz");
    EXPECT_EQ(bytes_of("first"), "abc");
    EXPECT_EQ(file.find("third"), nullptr);
}

TEST(Safetensors, RefusesAHeaderLengthThatTheFileCannotHold) {
    TempFolder folder;
    const std::string whole = safetensors({{"t", "U8", {3}, "abc"}});
    const auto with_length = [&](uint64_t length) {
        std::string bytes = whole;
        std::memcpy(bytes.data(), &length, sizeof length);
        write_file(folder / "a.safetensors", bytes);
        return [&folder] { SafetensorsFile::open(folder / "a.safetensors"); };
    };
    for (uint64_t length :
         {uint64_t{whole.size()} - 7, uint64_t{1} << 31, (uint64_t{1} << 32) + 2, uint64_t{1} << 63, ~uint64_t{0}, uint64_t{100'000'001}}) {
        EXPECT_REFUSED(with_length(length)(), ErrorKind::kBadInput, "a.safetensors: header of");
    }
    EXPECT_REFUSED(with_length(0)(), ErrorKind::kBadInput, "does not begin with {");
    for (size_t bytes : {0u, 1u, 7u}) {
        write_file(folder / "a.safetensors", whole.substr(0, bytes));
        EXPECT_REFUSED(SafetensorsFile::open(folder / "a.safetensors"), ErrorKind::kBadInput, "too short");
    }
}

TEST(Safetensors, RefusesEveryPrefixOfASmallFile) {
    TempFolder folder;
    const std::string whole = safetensors({{"a", "U8", {3}, "abc"}, {"b", "BF16", {2}, "wxyz"}});
    for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
        write_file(folder / "a.safetensors", whole.substr(0, bytes));
        EXPECT_REFUSED(SafetensorsFile::open(folder / "a.safetensors"), ErrorKind::kBadInput, "a.safetensors");
    }
    write_file(folder / "a.safetensors", whole + "x");
    EXPECT_REFUSED(SafetensorsFile::open(folder / "a.safetensors"), ErrorKind::kBadInput, "the file has 8");
}

TEST(InputFile, NoticesThatItsFileBecameShorter) {
    TempFolder folder;
    write_file(folder / "a", std::string(10'000, 'x'));
    const InputFile file = InputFile::open(folder / "a");
    EXPECT_NO_THROW(file.check_unchanged());
    std::filesystem::resize_file(folder / "a", 5000);
    EXPECT_REFUSED(file.check_unchanged(), ErrorKind::kIo, "5000 bytes now, 10000 before");
    EXPECT_REFUSED(file.read_all(), ErrorKind::kIo, "ended after 5000 bytes");
    std::byte four[4];
    EXPECT_REFUSED(file.read(4998, 4, four), ErrorKind::kIo, "ended after 5000 bytes, expected 10000");
    EXPECT_NO_THROW(file.read(4996, 4, four));
}

TEST(InputFile, TakesHintsAboutAnyRange) {
    TempFolder folder;
    std::string bytes(20'000, 'x');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    write_file(folder / "a", bytes);
    const InputFile file = InputFile::open(folder / "a");
    for (int64_t begin : {0, 1, 4095, 4096, 19'999, 20'000}) {
        for (int64_t count : {int64_t{0}, int64_t{1}, 20'000 - begin}) {
            if (begin + count > file.size()) continue;
            file.will_need(begin, count);
        }
    }
    EXPECT_EQ(file.read_all(), bytes);
}

}  // namespace
}  // namespace hearth
