// hearth devices: what this machine offers.
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "kernels/cpu/detect.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr std::array kLevels = {CpuLevel::kPortable, CpuLevel::kAvx2, CpuLevel::kAvx512, CpuLevel::kAmx};

class Devices : public Subcommand {
public:
    void declare(Arguments& arguments) override { arguments.flag("--json", json_, "One JSON object"); }

    int run() override {
        const CpuInfo cpu = detect_cpu();
        write_out(json_ ? as_json(cpu) : as_text(cpu));
        return kExitOk;
    }

private:
    static int64_t logical_cores() { return sysconf(_SC_NPROCESSORS_ONLN); }

    static std::string as_text(const CpuInfo& cpu) {
        std::vector<std::string> there, lacking;
        for (const CpuLevel level : kLevels) (level <= cpu.level ? there : lacking).push_back(cat("cpu:", name_of(level)));
        const auto line = [](std::string_view label, const std::string& value) {
            return cat("  ", label, std::string(14 - label.size(), ' '), value, "\n");
        };
        std::string out = cat(painted("cpu", Paint::kBold, 1), "  ", printable(cpu.name), "\n");
        out += line("level", cat(name_of(cpu.level), " (can be chosen: ", join(there, ", "), ")"));
        if (!lacking.empty()) out += line("not here", join(lacking, ", "));
        out += line("cores", cat(cpu.physical_cores, " physical that this process may use, ", logical_cores(), " logical"));
        out += line("caches", cat("L1 ", human_bytes(cpu.l1_bytes), ", L2 ", human_bytes(cpu.l2_bytes), ", last ",
                                  human_bytes(cpu.last_cache_bytes)));
        out += line("memory", human_bytes(cpu.memory_bytes));
        out += cat("\n", painted("reference", Paint::kBold, 1),
                   "  the same stages in plain float32, slow: what the others are compared with\n");
        return out + cat("\n", painted("cuda", Paint::kBold, 1), "  not in this build\n");
    }

    static std::string as_json(const CpuInfo& cpu) {
        nlohmann::ordered_json levels = nlohmann::ordered_json::array();
        for (const CpuLevel level : kLevels) {
            if (level <= cpu.level) levels.push_back(name_of(level));
        }
        const nlohmann::ordered_json out = {
            {"devices",
             {{{"device", "cpu"},
               {"name", cpu.name},
               {"level", name_of(cpu.level)},
               {"levels", levels},
               {"physical_cores", cpu.physical_cores},
               {"logical_cores", logical_cores()},
               {"l1_bytes", cpu.l1_bytes},
               {"l2_bytes", cpu.l2_bytes},
               {"last_cache_bytes", cpu.last_cache_bytes},
               {"memory_bytes", cpu.memory_bytes}},
              {{"device", "reference"}}}},
            {"cuda", false},
        };
        return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    }

    bool json_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_devices() { return std::make_unique<Devices>(); }

}  // namespace hearth::tool
