// Writes the seeds of one target into a folder, a file each: what libFuzzer begins with.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/target.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "write_seeds TARGET FOLDER\n");
        return 2;
    }
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
