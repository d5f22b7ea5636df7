// Checked builds: what would hand one slot to two owners stops the program with a text. Each mistake is noted here, not stopped at.
#include <cstdio>
#include <cstring>
#include <vector>

static const char *said;
static int times;
#define TIERPOOL_CHECKED
#define TIERPOOL_STOP(text, file, line) (void)(file), (void)(line), said = text, times++
#include "check.h"
#include "tierpool.hpp"

TIERPOOL_DEFAULT_MEMORY(memory);

static void expect(tierpool_error error) {
    CHECK(times == 1 && std::strcmp(said, tierpool_error_text(error)) == 0);
    times = 0;
}

int main() {
    tierpool_pool *pool;
    CHECK(tierpool_init(nullptr, &memory, &pool) == TIERPOOL_OK);
    void *slot;
    int elsewhere = 0;
    CHECK(tierpool_alloc(pool, 300, 8, &slot) == TIERPOOL_OK);
    for (std::size_t wrong : {std::size_t(256), std::size_t(513), std::size_t(1024), std::size_t(5000)}) {
        tierpool_free_sized(pool, slot, wrong, 8);
        expect(TIERPOOL_WRONG_SIZE);
    }
    tierpool_free_sized(pool, slot, 300, 4096);
    expect(TIERPOOL_WRONG_SIZE);
    tierpool_free_sized(pool, static_cast<char *>(slot) + 8, 300, 8);
    expect(TIERPOOL_INTERIOR);
    tierpool_free_sized(pool, &elsewhere, 4, 4);
    expect(TIERPOOL_FOREIGN);
    tierpool_free_or_fallback(pool, &elsewhere, 4, 4);
    expect(TIERPOOL_FOREIGN);
    CHECK(tierpool_free_sized(pool, slot, 512, 8) == TIERPOOL_OK && times == 0);
    tierpool_free_sized(pool, slot, 300, 8);
    expect(TIERPOOL_NOT_ALLOCATED);
    CHECK(tierpool_free_sized(pool, nullptr, 300, 8) == TIERPOOL_OK && tierpool_free_or_fallback(pool, nullptr, 0, 1) == TIERPOOL_OK);

    // What an allocator does is checked, too: here a block is given back with the size of another.
    tierpool::allocator<char> allocator(pool);
    char *block = allocator.allocate(100);
    allocator.deallocate(block, 600);
    expect(TIERPOOL_WRONG_SIZE);
    allocator.deallocate(block, 100);
    allocator.deallocate(block, 100);
    expect(TIERPOOL_NOT_ALLOCATED);
    std::vector<int, tierpool::allocator<int>> numbers(100, 7, tierpool::allocator<int>(pool));
    numbers.resize(5000);
    numbers.clear();
    numbers.shrink_to_fit();

    // A slot that a request has spilled into is right.
    TIERPOOL_MEMORY(two, 2, 2, 64 + 128);
    static const tierpool_tier tiers[] = {{64, 1}, {128, 1}};
    tierpool_geometry geometry = {};
    geometry.tiers = tiers;
    geometry.tier_count = 2;
    geometry.spill = 1;
    CHECK(tierpool_init(&geometry, &two, &pool) == TIERPOOL_OK);
    void *small, *spilled;
    CHECK(tierpool_alloc(pool, 64, 1, &small) == TIERPOOL_OK && tierpool_alloc(pool, 64, 1, &spilled) == TIERPOOL_OK);
    CHECK(tierpool_free_sized(pool, spilled, 64, 1) == TIERPOOL_OK && tierpool_free_sized(pool, small, 64, 1) == TIERPOOL_OK);
    CHECK(times == 0 && tierpool_is_idle(pool));
    std::puts("checked: ok");
}
