// The interface of the C++ `BytesBufferPool`, over tierpool: a port changes its #include. Header only, C++11.
//
//   BytesBufferPool::instance().allocate(n) ──► a slot of the pool ──none──► the heap      {pointer, tier}
//                              .deallocate(pointer, tier)                 goes back to where it came from
//
// No lock, no init call, no constructor that runs: instance() may be used before main, and in constructors and destructors of
// static objects. allocate and deallocate of slots may run in interrupt handlers and on all cores; only what the pool does not
// have reaches the heap. Counts and logStats are for tasks: they take up to 3.5 KB of stack.
//
// Define these in front of the header, the same in all files of a program:
//
//   TIERPOOL_BYTES_BUFFER_POOL_TIERS      (256, 16), (512, 16), (1024, 16)    bytes and slots, by rising size
//   TIERPOOL_BYTES_BUFFER_POOL_ALLOC(n)   std::malloc(n)                      or heap_caps_malloc(n, MALLOC_CAP_SPIRAM), or nullptr
//   TIERPOOL_BYTES_BUFFER_POOL_FREE(p)    std::free(p)
//   TIERPOOL_LOG(text)                    LOG(text) if there is one, else std::puts(text)
//
// 1024 slots a size are two tiers of 512, as one has at most 1022: a request that finds one of them empty goes on to the next.
//
//   #define TIERPOOL_BYTES_BUFFER_POOL_TIERS (256, 512), (256, 512), (512, 512), (512, 512), (1024, 512), (1024, 512)
#ifndef TIERPOOL_BYTES_BUFFER_POOL_HPP
#define TIERPOOL_BYTES_BUFFER_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tierpool.h"

#ifndef TIERPOOL_BYTES_BUFFER_POOL_TIERS
#define TIERPOOL_BYTES_BUFFER_POOL_TIERS (256, 16), (512, 16), (1024, 16)
#endif
#ifndef TIERPOOL_BYTES_BUFFER_POOL_ALLOC
#define TIERPOOL_BYTES_BUFFER_POOL_ALLOC(bytes) std::malloc(bytes)
#define TIERPOOL_BYTES_BUFFER_POOL_FREE(memory) std::free(memory)
#endif
#ifndef TIERPOOL_LOG
#ifdef LOG
#define TIERPOOL_LOG(text) LOG(text)
#else
#define TIERPOOL_LOG(text) std::puts(text)
#endif
#endif

class BytesBufferPool {
public:
    // Of a request: the smallest size of the pool that fits, and whether the pool had it.
    enum Tier { SMALL, MEDIUM, LARGE, FALLBACK };
    using Allocation = std::pair<std::uint8_t *, Tier>;

    static BytesBufferPool &instance() noexcept { return storage<>::instance; }

    // A slot, or memory of the heap, whose tier is FALLBACK. A null pointer if the heap has none either. One
    // compare-and-swap for a slot.
    Allocation allocate(std::size_t bytes) noexcept {
        void *memory;
        if (tierpool_alloc(pool(), bytes, 1, &memory) == TIERPOOL_OK) {
            return Allocation(static_cast<std::uint8_t *>(memory), tier_of(bytes));
        }
        return Allocation(static_cast<std::uint8_t *>(TIERPOOL_BYTES_BUFFER_POOL_ALLOC(bytes)), FALLBACK);
    }

    // Null is nothing to give back. A slot that has been given back already is left as it is. Two compare-and-swaps.
    void deallocate(std::uint8_t *memory, Tier tier) noexcept {
        if (tier != FALLBACK) {
            tierpool_free(pool(), memory);
        } else if (memory != nullptr) {
            TIERPOOL_BYTES_BUFFER_POOL_FREE(memory);
        }
    }

    // True of all bytes of all slots, and of nothing else.
    bool owns(const void *memory) noexcept { return tierpool_owns(pool(), memory); }

    std::uint64_t total_requests() noexcept { return read().requests; }
    std::uint64_t pool_hits() noexcept { return read().hits; }
    std::uint64_t pool_misses() noexcept { return read().misses; }

    // Of 100 requests, those that the pool served, rounded down; 100 before the first one.
    unsigned hit_rate() noexcept {
        const tierpool_stats stats = read();
        return stats.requests == 0 ? 100 : static_cast<unsigned>(stats.hits * 100 / stats.requests);
    }

    // Slots in use, of the smallest size, of the largest, and of all between.
    std::size_t small_allocated() noexcept { return allocated(SMALL); }
    std::size_t medium_allocated() noexcept { return allocated(MEDIUM); }
    std::size_t large_allocated() noexcept { return allocated(LARGE); }

    // requests=… hits=… misses=… hit_rate=…% 256=1/16 …
    void logStats() noexcept {
        char line[400];
        tierpool_stats_print(pool(), line, sizeof line);
        TIERPOOL_LOG(line);
    }

    // For the functions of tierpool.h: handles on shared bytes, peaks, a table.
    tierpool_pool *pool() noexcept {
        const tierpool_geometry geometry = {tiers(), tier_count, 0, same_sizes(), false, 0, nullptr, nullptr, nullptr, nullptr, nullptr};
        const tierpool_memory memory = {storage<>::control, sizeof storage<>::control, storage<>::payload,
                                        sizeof storage<>::payload, true};
        return tierpool_static(&storage<>::made, &geometry, &memory);
    }

    BytesBufferPool(const BytesBufferPool &) = delete;
    BytesBufferPool &operator=(const BytesBufferPool &) = delete;

private:
    constexpr BytesBufferPool() noexcept = default;

    static const std::size_t tier_count = 0 TIERPOOL_EACH(TIERPOOL_ADD_ONE, TIERPOOL_BYTES_BUFFER_POOL_TIERS);
    static const std::size_t slots = 0 TIERPOOL_EACH(TIERPOOL_ADD_SLOTS, TIERPOOL_BYTES_BUFFER_POOL_TIERS);
    static const std::size_t payload_bytes = 0 TIERPOOL_EACH(TIERPOOL_ADD_BYTES, TIERPOOL_BYTES_BUFFER_POOL_TIERS);

    // Static members of a template: one for the whole program, although each file has this header. All are zero at start.
    template <class Unused = void>
    struct storage {
        alignas(TIERPOOL_CONTROL_ALIGN) static unsigned char control[TIERPOOL_CONTROL_BYTES(tier_count, slots)];
        alignas(TIERPOOL_PAYLOAD_ALIGN) static unsigned char payload[payload_bytes];
        static tierpool_pool *made;
        static BytesBufferPool instance;
    };

    static const tierpool_tier *tiers() noexcept {
        static constexpr tierpool_tier list[] = {TIERPOOL_EACH(TIERPOOL_ROW, TIERPOOL_BYTES_BUFFER_POOL_TIERS)};
        return list;
    }

    // Tiers of one size behind each other: a request may go on to all of them, and to no larger one.
    static std::size_t same_sizes() noexcept {
        std::size_t most = 0, run = 0;
        for (std::size_t k = 1; k < tier_count; k++) {
            run = tiers()[k].bytes == tiers()[k - 1].bytes ? run + 1 : 0;
            most = run > most ? run : most;
        }
        return most;
    }

    static Tier tier_of(std::size_t bytes) noexcept {
        if (bytes <= tiers()[0].bytes) {
            return SMALL;
        }
        for (std::size_t k = 1; k < tier_count; k++) {
            if (bytes <= tiers()[k].bytes) {
                return tiers()[k].bytes < tiers()[tier_count - 1].bytes ? MEDIUM : LARGE;
            }
        }
        return LARGE;
    }

    tierpool_stats read() noexcept {
        tierpool_stats stats = tierpool_stats();
        tierpool_stats_read(pool(), &stats);
        return stats;
    }

    std::size_t allocated(Tier tier) noexcept {
        const tierpool_stats stats = read();
        std::size_t in_use = 0;
        for (std::size_t k = 0; k < stats.tier_count; k++) {
            in_use += tier_of(stats.tiers[k].bytes) == tier ? stats.tiers[k].in_use : 0;
        }
        return in_use;
    }
};

template <class Unused>
alignas(TIERPOOL_CONTROL_ALIGN) unsigned char
    BytesBufferPool::storage<Unused>::control[TIERPOOL_CONTROL_BYTES(BytesBufferPool::tier_count, BytesBufferPool::slots)];
template <class Unused>
alignas(TIERPOOL_PAYLOAD_ALIGN) unsigned char BytesBufferPool::storage<Unused>::payload[BytesBufferPool::payload_bytes];
template <class Unused>
tierpool_pool *BytesBufferPool::storage<Unused>::made;
template <class Unused>
BytesBufferPool BytesBufferPool::storage<Unused>::instance;

#endif  // TIERPOOL_BYTES_BUFFER_POOL_HPP
