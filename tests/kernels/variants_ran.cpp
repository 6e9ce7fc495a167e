// After all tests of this program: has every variant run that this machine can run?
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {

std::set<std::string>& variants_ran() {
    static std::set<std::string> names;
    return names;
}

namespace {

/// Names of the variants of `backend` that stand above no level of the machine, by what they end with: "norm/avx512", "matmul/q_amx".
std::set<std::string> expected(const Backend& backend, const std::vector<std::string>& devices) {
    const auto lacks = [&](std::string_view name, std::string_view level) {
        const auto is_level = [&](const std::string& device) { return device.starts_with("cpu:" + std::string(level)); };
        return name.ends_with(level) && std::ranges::none_of(devices, is_level);
    };
    std::set<std::string> names;
    for_each_table(backend.tables(), [&](std::string_view, auto table) {
        for (const auto& variant : table) {
            if (lacks(variant.name, "avx2") || lacks(variant.name, "avx512") || lacks(variant.name, "amx")) continue;
            names.emplace(variant.name);
        }
    });
    return names;
}

class EveryVariantHasRun : public ::testing::Environment {
    void TearDown() override {
        if (::testing::GTEST_FLAG(filter) != "*" || ::testing::UnitTest::GetInstance()->Failed()) return;
        const std::vector<std::string> devices = cpu_devices();
        for (const std::string& name : expected(*make_device({.device = devices.back()}), devices)) {
            if (name.ends_with("/reference")) continue;  // the oracle: it runs in every comparison
            EXPECT_TRUE(variants_ran().contains(name)) << name << " has run in no test: its supports() was never true";
        }
    }
};

[[maybe_unused]] const ::testing::Environment* const kEveryVariantHasRun = ::testing::AddGlobalTestEnvironment(new EveryVariantHasRun);

}  // namespace
}  // namespace hearth::testing
