// The predecessor's interface, C++11: before main, until the heap, its counts, and 1024 slots a size with -DFIELD.
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "check.h"

static std::vector<std::string> logged;
#define LOG(text) logged.push_back(text)

#ifdef FIELD
#define TIERPOOL_BYTES_BUFFER_POOL_TIERS (256, 512), (256, 512), (512, 512), (512, 512), (1024, 512), (1024, 512)
static const std::size_t SLOTS = 1024;
#else
static const std::size_t SLOTS = 16;
#endif
#include "tierpool_bytes_buffer_pool.hpp"

static BytesBufferPool::Allocation early = BytesBufferPool::instance().allocate(500);


static void all_of(std::size_t bytes, BytesBufferPool::Tier tier) {
    BytesBufferPool &pool = BytesBufferPool::instance();
    std::vector<BytesBufferPool::Allocation> held;
    for (std::size_t i = 0; i < SLOTS; i++) {
        held.push_back(pool.allocate(bytes));
        CHECK(held.back().second == tier && pool.owns(held.back().first));
        std::memset(held.back().first, static_cast<int>(i), bytes);
    }
    const std::size_t counts[] = {pool.small_allocated(), pool.medium_allocated(), pool.large_allocated()};
    for (std::size_t k = 0; k < 3; k++) {
        CHECK(counts[k] == (k == static_cast<std::size_t>(tier) ? SLOTS : 0));
    }
    const std::uint64_t misses = pool.pool_misses();
    std::uint8_t *memory;
    BytesBufferPool::Tier from;
    std::tie(memory, from) = pool.allocate(bytes);
    CHECK(memory != nullptr && from == BytesBufferPool::FALLBACK && !pool.owns(memory) && pool.pool_misses() == misses + 1);
    std::memset(memory, 1, bytes);
    pool.deallocate(memory, from);
    for (std::size_t i = 0; i < SLOTS; i++) {
        CHECK(held[i].first[bytes - 1] == static_cast<std::uint8_t>(i));
        pool.deallocate(held[i].first, held[i].second);
    }
    CHECK(pool.small_allocated() + pool.medium_allocated() + pool.large_allocated() == 0);
}

int main() {
    BytesBufferPool &pool = BytesBufferPool::instance();
    CHECK(early.second == BytesBufferPool::MEDIUM && pool.owns(early.first) && pool.medium_allocated() == 1);
    pool.logStats();
    CHECK(logged.size() == 1 && logged[0].find("requests=1 hits=1 misses=0 hit_rate=100% 256=0/") == 0);
    pool.deallocate(early.first, early.second);
    pool.deallocate(early.first, early.second); // a second time: noticed
    pool.deallocate(nullptr, BytesBufferPool::SMALL);
    pool.deallocate(nullptr, BytesBufferPool::FALLBACK);
    all_of(256, BytesBufferPool::SMALL);
    all_of(257, BytesBufferPool::MEDIUM);
    all_of(1024, BytesBufferPool::LARGE);

    BytesBufferPool::Allocation large = pool.allocate(5000);
    CHECK(large.second == BytesBufferPool::FALLBACK && !pool.owns(large.first));
    pool.deallocate(large.first, large.second);
    CHECK(pool.total_requests() == 1 + 3 * (SLOTS + 1) + 1);
    CHECK(pool.pool_hits() == 1 + 3 * SLOTS && pool.pool_misses() == 4);
    CHECK(pool.hit_rate() == (1 + 3 * SLOTS) * 100 / pool.total_requests());
    std::puts("BytesBufferPool: ok");
}
