// tierpool::allocator under the standard containers: the pool first, then operator new, and each goes back where it came from.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "check.h"
#include "tierpool.hpp"

TIERPOOL_DEFAULT_MEMORY(memory);

template <class T>
using vector = std::vector<T, tierpool::allocator<T>>;
using string = std::basic_string<char, std::char_traits<char>, tierpool::allocator<char>>;
template <class K, class V>
using map = std::map<K, V, std::less<K>, tierpool::allocator<std::pair<const K, V>>>;
template <class K, class V>
using hash_map = std::unordered_map<K, V, std::hash<K>, std::equal_to<K>, tierpool::allocator<std::pair<const K, V>>>;

struct alignas(64) Line {
    unsigned char bytes[64];
};
struct alignas(256) Page {
    unsigned char bytes[256];
};

static tierpool_stats stats(tierpool_pool *pool) {
    tierpool_stats read;
    CHECK(tierpool_stats_read(pool, &read) == TIERPOOL_OK);
    return read;
}

static void a_vector_grows_out_of_the_pool(tierpool_pool *pool) {
    vector<std::uint32_t> numbers{tierpool::allocator<std::uint32_t>(pool)};
    bool pooled = false, from_heap = false;
    for (std::uint32_t i = 0; i < 1000; i++) {
        numbers.push_back(i);
        (tierpool_owns(pool, numbers.data()) ? pooled : from_heap) = true;
        CHECK(tierpool_owns(pool, numbers.data()) == (numbers.capacity() * 4 <= 1024));
    }
    CHECK(pooled && from_heap);
    for (std::uint32_t i = 0; i < 1000; i++) {
        CHECK(numbers[i] == i);
    }
    vector<std::uint32_t> copy = numbers, moved = std::move(numbers);
    CHECK(copy == moved && copy.get_allocator() == moved.get_allocator());
    moved.assign(10, 1);
    moved.shrink_to_fit();
    CHECK(tierpool_owns(pool, moved.data()));
    copy.swap(moved);
    CHECK(copy.size() == 10 && moved.size() == 1000);
}

static void maps_and_strings(tierpool_pool *pool) {
    tierpool::allocator<char> chars(pool);
    map<string, int> words{chars};
    hash_map<int, int> squares(8, std::hash<int>(), std::equal_to<int>(), chars);
    std::list<int, tierpool::allocator<int>> list(chars);
    for (int i = 0; i < 100; i++) {
        string name("a name too long for the string's own place, number ", chars);
        name += std::to_string(i).c_str();
        words.emplace(name, i);
        squares[i] = i * i;
        list.push_front(i);
    }
    // 48 slots are fewer than the nodes and names, so many are operator new's.
    CHECK(stats(pool).exhausted > 0 && stats(pool).tiers[0].in_use == 16);
    CHECK(words.size() == 100 && words.at(string("a name too long for the string's own place, number 42", chars)) == 42);
    for (int i = 0; i < 100; i += 2) {
        CHECK(squares.at(i) == i * i);
        squares.erase(i);
        words.erase(words.begin());
        list.pop_back();
    }
    CHECK(squares.size() == 50 && words.size() == 50 && list.front() == 99 && list.back() == 50);
}

template <class T>
static void aligned(tierpool_pool *pool, std::size_t most) {
    tierpool::allocator<T> allocator(pool);
    for (std::size_t count = 0; count <= most; count++) {
        T *memory = allocator.allocate(count);
        CHECK(reinterpret_cast<std::uintptr_t>(memory) % alignof(T) == 0);
        std::memset(static_cast<void *>(memory), 0x5a, count * sizeof(T));
        allocator.deallocate(memory, count);
    }
    vector<T> values(most, T(), tierpool::allocator<T>(pool));
    CHECK(reinterpret_cast<std::uintptr_t>(values.data()) % alignof(T) == 0);
}

static void odd_sizes_keep_the_alignment() {
    TIERPOOL_MEMORY(odd, 3, 12, 64 + 128 + 256);
    static const tierpool_tier tiers[] = {{10, 4}, {24, 4}, {52, 4}};
    tierpool_geometry geometry{};
    geometry.tiers = tiers;
    geometry.tier_count = 3;
    geometry.spill = 2;
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, &odd, &pool) == TIERPOOL_OK);
    aligned<char>(pool, 60);
    aligned<std::uint16_t>(pool, 30);
    aligned<std::uint32_t>(pool, 15);
    aligned<std::uint64_t>(pool, 8);
    aligned<std::max_align_t>(pool, 4);
    CHECK(stats(pool).tiers[1].served > 0 && tierpool_is_idle(pool));
}

// Which of the two it is shows only in the address.
static void free_knows_which_is_which(tierpool_pool *pool) {
    tierpool::allocator<std::uint64_t> allocator(pool);
    std::vector<std::uint64_t *> held;
    std::size_t pooled = 0;
    for (std::uint64_t i = 0; i < 40; i++) {
        held.push_back(allocator.allocate(32));
        std::fill_n(held.back(), 32, i);
        pooled += tierpool_owns(pool, held.back());
    }
    CHECK(pooled == 16 && stats(pool).tiers[0].in_use == 16);
    for (std::uint64_t i = 0; i < 40; i++) {
        std::size_t k = (i * 7) % 40;
        CHECK(held[k][0] == k && held[k][31] == k);
        allocator.deallocate(held[k], 32);
    }
    CHECK(tierpool_is_idle(pool));
}

static void without_a_pool_all_is_operator_new() {
    vector<int> numbers(100, 7, tierpool::allocator<int>(nullptr));
    CHECK(numbers.at(99) == 7);
}

static void too_large_a_request_throws(tierpool_pool *pool) {
    tierpool::allocator<std::uint64_t> allocator(pool);
    const tierpool_stats before = stats(pool);
    // The last is half of the address space, of which 32 bits may have all but a byte.
    for (std::size_t count : {SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 16 + 1}) {
        bool thrown = false;
        try {
            allocator.deallocate(allocator.allocate(count), count);
        } catch (const std::bad_alloc &) {
            thrown = true;
        }
        CHECK(thrown);
    }
    bool thrown = false;
    try {
        tierpool::allocator<Page>(pool).allocate(SIZE_MAX / sizeof(Page));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
    CHECK(stats(pool).oversized == before.oversized + 4);
}

// What the pool does not have goes the way of all else that the program takes from its own operator new, and back.
static std::size_t taken, given_back;

void *operator new(std::size_t bytes, const std::nothrow_t &) noexcept {
    taken++;
    return std::malloc(bytes > 0 ? bytes : 1);
}

void *operator new(std::size_t bytes) {
    if (void *memory = operator new(bytes, std::nothrow)) {
        return memory;
    }
    throw std::bad_alloc();
}

void operator delete(void *memory) noexcept {
    given_back += memory != nullptr;
    std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept { operator delete(memory); }

static void a_program_has_its_own_operator_new(tierpool_pool *pool) {
    const std::size_t before[] = {taken, given_back};
    tierpool::allocator<char> allocator(pool);
    char *large = allocator.allocate(5000), *small = allocator.allocate(50);
    CHECK(taken == before[0] + 1);
    allocator.deallocate(small, 50);
    CHECK(given_back == before[1]);
    allocator.deallocate(large, 5000);
    CHECK(given_back == before[1] + 1);
}

// A pool with a fallback never goes on to operator new.
static void the_fallback_of_the_pool_comes_first() {
    struct Psram {
        std::size_t live = 0;
        bool empty = false;
    };
    static Psram psram;
    static const tierpool_fallback fallback = {
        tierpool_fallback_link,
        [](void *context, std::size_t bytes, std::size_t) -> void * {
            auto *from = static_cast<Psram *>(context);
            return from->empty ? nullptr : (from->live += bytes, std::malloc(bytes));
        },
        [](void *context, void *block, std::size_t bytes, std::size_t) {
            static_cast<Psram *>(context)->live -= bytes;
            std::free(block);
        },
        &psram, true, nullptr};
    static const tierpool_tier tier = {64, 2};
    tierpool_geometry geometry = {};
    geometry.tiers = &tier;
    geometry.tier_count = 1;
    geometry.fallback = &fallback;
    TIERPOOL_MEMORY(small, 1, 2, 2 * 64);
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, &small, &pool) == TIERPOOL_OK);
    const std::size_t before[] = {taken, given_back};
    {
        vector<std::uint8_t> data(64, 1, tierpool::allocator<std::uint8_t>(pool));
        CHECK(tierpool_owns(pool, data.data()) && psram.live == 0);
        data.resize(100);
        CHECK(psram.live >= 100 && !tierpool_owns(pool, data.data()) && data[63] == 1);
        const tierpool::bytes large = *tierpool::bytes::zeroed(pool, 100000);
        CHECK(psram.live >= 100100 && large.size() == 100000);
        psram.empty = true;
        bool thrown = false;
        try {
            data.resize(100000);
        } catch (const std::bad_alloc &) {
            thrown = true;
        }
        CHECK(thrown && data.size() == 100);
        psram.empty = false;
    }
    CHECK(psram.live == 0 && taken == before[0] && given_back == before[1] && tierpool_is_idle(pool));
}

int main() {
    tierpool_pool *pool;
    CHECK(tierpool_init(nullptr, &memory, &pool) == TIERPOOL_OK);
    a_vector_grows_out_of_the_pool(pool);
    CHECK(tierpool_is_idle(pool));
    maps_and_strings(pool);
    CHECK(tierpool_is_idle(pool));
    aligned<char>(pool, 1100);
    aligned<Line>(pool, 20);
    aligned<Page>(pool, 6);
    CHECK(tierpool_is_idle(pool));
    odd_sizes_keep_the_alignment();
    free_knows_which_is_which(pool);
    without_a_pool_all_is_operator_new();
    too_large_a_request_throws(pool);
    a_program_has_its_own_operator_new(pool);
    the_fallback_of_the_pool_comes_first();
    CHECK(tierpool_is_idle(pool));
    std::puts("containers: ok");
}
