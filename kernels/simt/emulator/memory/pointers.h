// The only pointers of device code. Under the emulator they carry the buffer that they point into, and neither convert to a raw pointer
// nor give references: loads return values, stores are calls. device/pointers.h has the same names for nvcc.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/simt/emulator/memory/hook.h"
#include "kernels/simt/vector.h"

namespace hearth::simt {

enum class Space : uint8_t { kGlobal, kShared };

template <class T, Space kSpace>
class Pointer {
    using Value = std::remove_const_t<T>;
    static_assert(std::is_trivially_copyable_v<Value>);

public:
    Pointer() = default;
    Pointer(Region* region, uintptr_t address) : region_(region), address_(address) {}
    explicit Pointer(Region* region) : region_(region), address_(region->base) {}  // its first element
    template <class U>
    requires(std::is_same_v<const U, T>) Pointer(const Pointer<U, kSpace>& other)
        : region_(other.region()), address_(other.address()) {}  // to const

    explicit operator bool() const { return region_ != nullptr; }
    Pointer operator+(long long elements) const {
        return {region_, address_ + static_cast<uintptr_t>(elements * static_cast<long long>(sizeof(T)))};
    }
    Pointer operator-(long long elements) const { return *this + -elements; }
    Pointer& operator+=(long long elements) { return *this = *this + elements; }

    /// The same bytes as another type; an access is checked against the alignment of that type.
    template <class U>
    Pointer<U, kSpace> as() const {
        static_assert(std::is_const_v<U> || !std::is_const_v<T>);
        return {region_, address_};
    }

    Value operator[](At at) const { return get<Value>(at.index, Path::kScalar, at.where); }
    Value load(long long i = 0, Where where = Where::here()) const { return get<Value>(i, Path::kScalar, where); }
    void store(long long i, Value value, Where where = Where::here()) const { put(i, value, Path::kScalar, where); }

    /// Elements i to i + N - 1 in one access, whose address must be a multiple of its size (2 to 16 bytes).
    template <int N, Cache kCache = Cache::kDefault>
    Vec<Value, N> load_vector(long long i = 0, Where where = Where::here()) const {
        static_assert(kCache == Cache::kDefault || sizeof(Vec<Value, N>) == 16, "cache hints are for loads of 16 bytes");
        return get<Vec<Value, N>>(i, kCache == Cache::kReadOnly ? Path::kReadOnly : Path::kVector, where);
    }
    template <int N>
    void store_vector(long long i, Vec<Value, N> value, Where where = Where::here()) const {
        put(i, value, Path::kVector, where);
    }

    Region* region() const { return region_; }
    uintptr_t address() const { return address_; }

private:
    Access access(long long i, uint32_t bytes, Use use, Path path, Where where) const {
        return {region_, address_ + static_cast<uintptr_t>(i * static_cast<long long>(sizeof(T))), bytes, bytes, use, path, where};
    }
    template <class V>
    V get(long long i, Path path, Where where) const {
        static_assert(sizeof(V) <= 16 && (sizeof(V) & (sizeof(V) - 1)) == 0);
        V value{};
        const Access a = access(i, sizeof(V), Use::kLoad, path, where);
        if (admit(a)) std::memcpy(&value, reinterpret_cast<const void*>(a.address), sizeof(V));
        return value;
    }
    template <class V>
    void put(long long i, V value, Path path, Where where) const {
        static_assert(!std::is_const_v<T>, "a store through a pointer to const");
        static_assert(sizeof(V) <= 16 && (sizeof(V) & (sizeof(V) - 1)) == 0);
        const Access a = access(i, sizeof(V), Use::kStore, path, where);
        if (admit(a)) std::memcpy(reinterpret_cast<void*>(a.address), &value, sizeof(V));
    }

    Region* region_ = nullptr;
    uintptr_t address_ = 0;
};

template <class T>
using GlobalPtr = Pointer<T, Space::kGlobal>;
template <class T>
using SharedPtr = Pointer<T, Space::kShared>;

}  // namespace hearth::simt
