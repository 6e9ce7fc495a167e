#include "kernels/cpu/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "base/text.h"

namespace hearth {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
constexpr int kMostGroups = 64;  // lines of the file, and folders from a group to the root

/// A file of one number, or of the word "max".
int64_t read_limit(const std::string& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    const bool number = !word.empty() && word.size() <= 18 && word.find_first_not_of("0123456789") == std::string::npos;
    return number ? std::stoll(word) : kNone;
}

/// The least of `file` in `mount` + `group` and in every folder above it. A group outside of what is mounted here ("/../other") has no
/// folder; the mount's own is read in any case, since in a container it is the container's group.
int64_t least_limit(const std::string& mount, std::string group, const std::string& file) {
    int64_t least = read_limit(cat(mount, "/", file));
    if (group.find("..") != std::string::npos) return least;
    for (int i = 0; i < kMostGroups && group.size() > 1; ++i) {
        least = std::min(least, read_limit(cat(mount, group, "/", file)));
        group.erase(group.rfind('/'));
    }
    return least;
}

}  // namespace

int64_t control_group_limit_bytes(const std::string& root) {
    const std::string mount = root + "/sys/fs/cgroup";
    std::ifstream file(root + "/proc/self/cgroup");
    std::string line;
    int64_t least = std::min(least_limit(mount, "/", "memory.max"), least_limit(mount + "/memory", "/", "memory.limit_in_bytes"));
    for (int i = 0; i < kMostGroups && std::getline(file, line); ++i) {
        const size_t first = line.find(':'), second = line.find(':', first + 1);  // "4:memory:/slurm/job_7", "0::/user.slice"
        if (first == std::string::npos || second == std::string::npos || line.compare(second + 1, 1, "/") != 0) continue;
        const std::string group = line.substr(second + 1);
        const auto controllers = split(std::string_view(line).substr(first + 1, second - first - 1), ',');
        if (line.starts_with("0::")) least = std::min(least, least_limit(mount, group, "memory.max"));
        if (std::ranges::find(controllers, "memory") != controllers.end())
            least = std::min(least, least_limit(mount + "/memory", group, "memory.limit_in_bytes"));
    }
    return least;
}

int64_t memory_limit_bytes() {
    int64_t least = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
    least = std::min(least, control_group_limit_bytes(""));
    rlimit space{};
    if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur < static_cast<rlim_t>(kNone))
        least = std::min(least, static_cast<int64_t>(space.rlim_cur));
    return least;
}

}  // namespace hearth
