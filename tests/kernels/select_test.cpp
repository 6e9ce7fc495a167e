#include "kernels/select.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/make_backend.h"
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
    EXPECT_EQ(select<Toy>(kTable, {50}, device).name, "toy/slow") << "among several forced variants the first that fits runs";
}

TEST(Select, ForcingOneStageLeavesTheOthersAlone) {
    Device device;
    device.forced = {"other/row", "toyota/fast"};
    EXPECT_EQ(select<Toy>(kTable, {5}, device).name, "toy/fast");
}

struct Part {
    bool integer = false;
};

/// A primitive and a stage over it, as a device has them: the stage's fast variant needs a variant of the primitive.
struct TwoTables {
    static bool whole(const Part& a, const Device&) { return a.integer; }
    static bool floats(const Part& a, const Device&) { return !a.integer; }
    static bool always(const Part&, const Device&) { return true; }
    static size_t none(const Part&, const Device&) { return 0; }
    static void nothing(const Part&, Stream&) noexcept {}
    static bool composite(const Part& a, const Device& device);
};

const Variant<Part> kProducts[] = {{"product/q", TwoTables::whole, TwoTables::none, TwoTables::nothing},
                                   {"product/f", TwoTables::floats, TwoTables::none, TwoTables::nothing},
                                   {"product/reference", TwoTables::always, TwoTables::none, TwoTables::nothing}};
const Variant<Part> kLayers[] = {{"layer/composite", TwoTables::composite, TwoTables::none, TwoTables::nothing},
                                 {"layer/reference", TwoTables::always, TwoTables::none, TwoTables::nothing}};

bool TwoTables::composite(const Part& a, const Device& device) { return find_variant<Part>(kProducts, a, device) != nullptr; }

TEST(Select, AForcedPrimitiveNeverSendsAStageToTheReferenceInSilence) {
    const Device unforced;
    Device device;
    device.unforced = &unforced;
    device.forced = {"product/q"};
    EXPECT_EQ(select<Part>(kLayers, {.integer = true}, device).name, "layer/composite");
    try {
        select<Part>(kLayers, {.integer = false}, device);
        FAIL() << "ran on the reference";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("product/q leaves layer without a fast kernel"), std::string::npos) << e.what();
    }
    device.forced = {"product/q", "product/f"};
    EXPECT_EQ(select<Part>(kLayers, {.integer = false}, device).name, "layer/composite");
    device.forced = {"product/q", "layer/reference"};
    EXPECT_EQ(select<Part>(kLayers, {.integer = false}, device).name, "layer/reference") << "asked for by name";
    device.forced = {"product/reference"};
    EXPECT_EQ(select<Part>(kLayers, {.integer = false}, device).name, "layer/composite") << "a primitive's reference, by name";
}

TEST(Select, TheReferenceStillRunsWhatNothingElseCan) {
    const Variant<Part> only[] = {kProducts[0], kProducts[2]};
    const Device unforced;
    Device device;
    device.unforced = &unforced;
    device.forced = {"other/row"};
    EXPECT_EQ(select<Part>(only, {.integer = false}, device).name, "product/reference");
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
