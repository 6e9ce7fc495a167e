#include "kernels/simt/emulator/memory/region.h"

#include <utility>

#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/emulator/checks/dependent.h"
#include "kernels/simt/emulator/checks/race.h"

namespace hearth::simt {

Region::Region(std::string name_, bool shared_, unsigned char* bytes_, uint64_t size_)
    : name(std::move(name_)), shared(shared_), base(reinterpret_cast<uintptr_t>(bytes_)), size(size_) {}

Region::~Region() = default;

}  // namespace hearth::simt
