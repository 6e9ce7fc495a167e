// Real models take turns in memory that has room for one, while many ask.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "loaders/pool/model_pool.h"
#include "tests/loaders/pool/ember_folder.h"

namespace hearth {
namespace {

/// HEARTH_SWAPS, else few enough for every day.
int wanted_swaps() {
    const char* value = std::getenv("HEARTH_SWAPS");
    return value ? std::atoi(value) : 6;
}

TEST(Swaps, TwoModelsTakeTurnsWhileManyAsk) {
    const testing::TempFolder folder;
    for (const char* name : {"one", "two"}) testing::write_ember(folder.path(), name);
    ::setenv("HEARTH_MODELS", folder.path().c_str(), 1);
    LoadSettings settings;
    settings.context = 128;
    const OpenPlace place = testing::cpu_place();
    const PlannedModel planned = plan_model(find_model("one"), settings, place);
    const std::vector<int32_t> wanted = testing::greedy_tokens(*planned.open({})->engine, 8);
    std::atomic<int> loads{0}, most{0}, now{0}, wrong{0}, answers{0};
    ModelPool::Options options;
    options.catalogue.first = "one";
    options.catalogue.load = settings;
    options.backend = place.backend;
    options.memory_bytes = planned.bytes + planned.bytes / 20;
    options.plan = [&](const ModelSpec& spec, const OpenPlace& where) {
        PlannedModel out = plan_model(spec.entry, spec.load, where);
        out.open = [&, open = out.open](const Progress& progress) {
            ++loads;
            most = std::max(most.load(), ++now);
            std::shared_ptr<ResidentModel> model = open(progress);
            return std::shared_ptr<ResidentModel>(model.get(), [&, model](ResidentModel*) mutable {
                model.reset();
                --now;
            });
        };
        return out;
    };
    {
        ModelPool pool(options);
        std::vector<std::thread> clients;
        for (int i = 0; i < 16; ++i) {
            clients.emplace_back([&, i] {
                for (int n = 0; loads.load() <= wanted_swaps(); ++n) {
                    const std::string name = (i + n) % 2 ? "one" : "two";
                    const auto lease = pool.acquire(name);
                    wrong += lease->model->entry.name != name || testing::greedy_tokens(*lease->model->engine, 8) != wanted;
                    ++answers;
                }
            });
        }
        for (auto& client : clients) client.join();
        EXPECT_LE(pool.used_bytes(), pool.budget_bytes());
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(most, 1) << "one is freed before the other is loaded";
    EXPECT_EQ(now, 0);
    EXPECT_GT(loads, wanted_swaps());
    EXPECT_GE(answers, 16);
    ::unsetenv("HEARTH_MODELS");
    std::printf("swaps: %d loads, %d answers\n", loads.load(), answers.load());
}

}  // namespace
}  // namespace hearth
