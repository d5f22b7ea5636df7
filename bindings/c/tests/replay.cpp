// A recorded trace of allocations and frees, replayed through tierpool::allocator by two threads on one pool.
//
// Every other block goes to the other thread to be checked and freed. At the end the pool is idle, and its statistics are
// those that the threads have counted. With `leak`, it forgets a block; with `overrun`, it writes past one of the heap's: both
// must be noticed.
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "tierpool.hpp"

struct Event {
    bool free;
    std::size_t id;
    std::size_t size;
};

struct Block {
    unsigned char *memory = nullptr;
    std::size_t size = 0;
    unsigned char pattern = 0;
};

// Blocks on their way to a thread.
struct Mailbox {
    std::mutex lock;
    std::vector<Block> blocks;
};

struct Counts {
    std::uint64_t pooled = 0;
    std::uint64_t from_heap = 0;
    std::uint64_t handed_over = 0;
};

// Fitted to the trace, for two threads: most blocks are the pool's, some spill, some are the heap's.
static const tierpool_tier tiers[] = {{16, 512}, {32, 768}, {32, 768}, {32, 768}, {32, 768}, {64, 576}, {256, 416}, {512, 144}, {1024, 8}};
TIERPOOL_MEMORY(memory, 9, 512 + 4 * 768 + 576 + 416 + 144 + 8,
                512 * 16 + 4 * 768 * 32 + 576 * 64 + 416 * 256 + 144 * 512 + 8 * 1024);

static Mailbox mailboxes[2];
static std::atomic<int> running{2};

static void check_and_free(tierpool::allocator<unsigned char> &allocator, const Block &block) {
    for (std::size_t i = 0; i < block.size; i++) {
        CHECK(block.memory[i] == static_cast<unsigned char>(block.pattern + i));
    }
    allocator.deallocate(block.memory, block.size);
}

static void empty(Mailbox &mailbox, tierpool::allocator<unsigned char> &allocator) {
    std::vector<Block> blocks;
    {
        std::lock_guard<std::mutex> guard(mailbox.lock);
        blocks.swap(mailbox.blocks);
    }
    for (const Block &block : blocks) {
        check_and_free(allocator, block);
    }
}

static void replay(tierpool_pool *pool, const std::vector<Event> &events, std::size_t ids, unsigned thread, bool leak, Counts &counts) {
    tierpool::allocator<unsigned char> allocator(pool);
    std::vector<Block> live(ids);
    std::size_t freed = 0;
    auto release = [&](Block &block) {
        if (++freed % 2 == 0) {
            check_and_free(allocator, block);
        } else {
            Mailbox &other = mailboxes[1 - thread];
            std::lock_guard<std::mutex> guard(other.lock);
            other.blocks.push_back(block);
            counts.handed_over++;
        }
        block = Block();
    };
    for (const Event &event : events) {
        Block &block = live.at(event.id);
        CHECK((block.memory != nullptr) == event.free);
        if (event.free) {
            release(block);
        } else {
            block.memory = allocator.allocate(event.size);
            block.size = event.size;
            block.pattern = static_cast<unsigned char>(event.id * 31 + thread * 97 + 1);
            for (std::size_t i = 0; i < block.size; i++) {
                block.memory[i] = static_cast<unsigned char>(block.pattern + i);
            }
            (tierpool_owns(pool, block.memory) ? counts.pooled : counts.from_heap)++;
        }
        if (freed % 64 == 0) {
            empty(mailboxes[thread], allocator);
        }
    }
    for (Block &block : live) {
        if (leak && tierpool_owns(pool, block.memory)) {
            leak = false;
        } else if (block.memory != nullptr) {
            release(block);
        }
    }
    running.fetch_sub(1);
    do {
        empty(mailboxes[thread], allocator);
        std::this_thread::yield();
    } while (running.load() > 0);
    empty(mailboxes[thread], allocator);
}

static std::vector<Event> read(const char *path, std::size_t &ids) {
    std::ifstream file(path);
    std::vector<Event> events;
    std::string what;
    while (file >> what) {
        Event event{what == "f", 0, 0};
        if (what[0] == '#') {
            std::getline(file, what);
            continue;
        }
        CHECK(what == "a" || what == "f");
        CHECK(file >> event.id);
        CHECK(event.free || file >> event.size);
        ids = std::max(ids, event.id + 1);
        events.push_back(event);
    }
    return events;
}

int main(int argc, char **argv) {
    CHECK(argc == 2 || argc == 3);
    const std::string fault = argc == 3 ? argv[2] : "";
    std::size_t ids = 0;
    const std::vector<Event> events = read(argv[1], ids);
    tierpool_geometry geometry{};
    geometry.tiers = tiers;
    geometry.tier_count = sizeof tiers / sizeof tiers[0];
    geometry.spill = 4;
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, &memory, &pool) == TIERPOOL_OK);

    if (fault == "overrun") {
        const volatile std::size_t size = 2000;
        tierpool::allocator<unsigned char>(pool).allocate(size)[size] = 1;
    }
    Counts counts[2];
    std::thread other([&] { replay(pool, events, ids, 1, false, counts[1]); });
    replay(pool, events, ids, 0, fault == "leak", counts[0]);
    other.join();

    const Counts sum{counts[0].pooled + counts[1].pooled, counts[0].from_heap + counts[1].from_heap,
                     counts[0].handed_over + counts[1].handed_over};
    CHECK(tierpool_is_idle(pool));
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    CHECK(stats.requests == sum.pooled + sum.from_heap && stats.hits == sum.pooled && stats.misses == sum.from_heap);
    CHECK(sum.pooled > sum.from_heap && sum.from_heap > 0 && sum.handed_over > 0);
    std::printf("%" PRIu64 " blocks of two threads: %" PRIu64 " from the pool, %" PRIu64 " from the heap, %" PRIu64 " handed over\n",
                stats.requests, sum.pooled, sum.from_heap, sum.handed_over);
}
