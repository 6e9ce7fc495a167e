#include "kernels/select.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/backend.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

struct Toy {
    int size = 0;
};

size_t no_workspace(const Toy&, const Device&) { return 0; }
void nothing(const Toy&, Stream&) noexcept {}
bool small(const Toy& a, const Device&) { return a.size < 10; }
bool any(const Toy&, const Device&) { return true; }

const Variant<Toy> kTable[] = {{"toy/fast", small, no_workspace, nothing}, {"toy/slow", any, no_workspace, nothing}};

TEST(Select, TakesTheFirstRowThatSupportsTheArguments) {
    EXPECT_EQ(select<Toy>(kTable, {5}, {}).name, "toy/fast");
    EXPECT_EQ(select<Toy>(kTable, {50}, {}).name, "toy/slow");
}

TEST(Select, AForcedRowIsTakenOrRefusedButNeverReplaced) {
    Device device;
    device.forced = {"toy/slow", "other/row"};
    EXPECT_EQ(select<Toy>(kTable, {5}, device).name, "toy/slow");
    device.forced = {"toy/fast"};
    try {
        select<Toy>(kTable, {50}, device);
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("toy/fast"), std::string::npos) << e.what();
    }
    device.forced = {"toy/fast", "toy/slow"};
    EXPECT_EQ(select<Toy>(kTable, {50}, device).name, "toy/slow") << "among several forced rows the first that fits runs";
}

TEST(Select, ForcingOneStageLeavesTheOthersAlone) {
    Device device;
    device.forced = {"other/row", "toyota/fast"};
    EXPECT_EQ(select<Toy>(kTable, {5}, device).name, "toy/fast");
}

TEST(Forced, UnknownNamesAreRefusedWithWhatThereIs) {
    EXPECT_EQ(parse_forced(" matmul/reference, norm/reference,", reference_tables()),
              (std::vector<std::string>{"matmul/reference", "norm/reference"}));
    for (const auto& [list, want] : {std::pair{"matmul/magic", "matmul/reference"}, {"conv/fast", "attention"}, {"matmul", "attention"}}) {
        try {
            parse_forced(list, reference_tables());
            FAIL() << list;
        } catch (const Error& e) {
            EXPECT_NE(std::string(e.what()).find(want), std::string::npos) << e.what();
        }
    }
}

TEST(Backend, UnknownDevicesAreRefusedByName) {
    EXPECT_THROW(make_backend({.device = "tpu"}), Error);
    EXPECT_THROW(make_backend({.device = "cpu:mmx"}), Error);
    EXPECT_EQ(make_backend({.device = "reference"})->name(), "reference");
}

}  // namespace
}  // namespace hearth
