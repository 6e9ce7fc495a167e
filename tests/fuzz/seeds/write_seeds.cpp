// Writes the seeds of one target into a folder, a file each: what libFuzzer begins with. With --own without those that come from files of
// others (../shared): what grows out of them may be kept in the project.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "tests/fuzz/target.h"

int main(int argc, char** argv) {
    const bool own = argc == 4 && std::string_view(argv[3]) == "--own";
    if (argc == 2 && std::string_view(argv[1]) == "--list") {
        for (const auto& target : hearth::fuzz::targets()) std::printf("%.*s\n", static_cast<int>(target.name.size()), target.name.data());
        return 0;
    }
    if (argc != 3 && !own) {
        std::fprintf(stderr, "fuzz_seeds TARGET FOLDER [--own], or fuzz_seeds --list\n");
        return 2;
    }
    if (own) hearth::fuzz::without_shared_files();
    for (const auto& target : hearth::fuzz::targets()) {
        if (target.name != argv[1]) continue;
        std::filesystem::create_directories(argv[2]);
        int number = 0;
        for (const std::string& seed : target.seeds())
            std::ofstream(std::filesystem::path(argv[2]) / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
        return 0;
    }
    std::fprintf(stderr, "no target \"%s\"\n", argv[1]);
    return 2;
}
