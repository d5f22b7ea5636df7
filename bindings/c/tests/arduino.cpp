// As a sketch for Arduino has it: its macros `min` and `max` in front of the header. Also linked for a Cortex-M4 with newlib.
#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#include "tierpool.hpp"

TIERPOOL_DEFAULT_MEMORY(memory);

struct alignas(64) Line {
    unsigned char bytes[64];
};

template <class T>
static void pool_then_heap(tierpool_pool *pool) {
    tierpool::allocator<T> allocator(pool);
    T *small = allocator.allocate(1), *large = allocator.allocate(2000 / sizeof(T));
    CHECK(tierpool_owns(pool, small) && !tierpool_owns(pool, large));
    CHECK(reinterpret_cast<std::uintptr_t>(small) % alignof(T) == 0 && reinterpret_cast<std::uintptr_t>(large) % alignof(T) == 0);
    std::memset(static_cast<void *>(large), 0x5a, 2000 / sizeof(T) * sizeof(T));
    allocator.deallocate(small, 1);
    allocator.deallocate(large, 2000 / sizeof(T));
}

int main() {
    tierpool_pool *pool;
    CHECK(tierpool_init(nullptr, &memory, &pool) == TIERPOOL_OK);
    pool_then_heap<char>(pool);
    pool_then_heap<double>(pool);
    pool_then_heap<Line>(pool);
    {
        std::vector<int, tierpool::allocator<int>> numbers(100, 7, tierpool::allocator<int>(pool));
        std::map<int, int, std::less<int>, tierpool::allocator<std::pair<const int, int>>> map{tierpool::allocator<char>(pool)};
        map[min(1, 2)] = max(numbers[0], 3);
        CHECK(map.at(1) == 7);
        std::optional<tierpool::bytes> hello = tierpool::bytes::copy_of(pool, "Hello World");
        CHECK(hello && hello->left(5) == "Hello" && hello->right(20) == *hello && hello->slice(3, 5) == "lo Wo");
        tierpool::bytes other = *hello;
        CHECK(other.append(hello->right(6)) && other.size() == 17 && *hello == "Hello World");
        CHECK(other.make_mut() != nullptr && other.compact(pool) && other.compare("Hello World") > 0);
    }
    char line[160];
    CHECK(tierpool_stats_print(pool, line, sizeof line) > 0 && tierpool_is_idle(pool));
    std::puts("arduino: ok");
}
