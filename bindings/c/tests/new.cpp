// operator new and delete over a static pool, for the whole program, from before main.
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "tierpool.h"

TIERPOOL_STATIC_POOL(heap, (64, 64), (256, 16), (1024, 8));
#define TIERPOOL_NEW_POOL heap()
#include "tierpool_new.hpp"

static std::vector<int> early(50, 7); // before main

static std::size_t in_use() {
    tierpool_stats stats;
    CHECK(tierpool_stats_read(heap(), &stats) == TIERPOOL_OK);
    std::size_t slots = 0;
    for (std::size_t k = 0; k < stats.tier_count; k++) {
        slots += stats.tiers[k].in_use;
    }
    return slots;
}

struct alignas(128) Line {
    unsigned char bytes[128];
};

static void each_form(std::size_t before) {
    int *one = new int(1), *many = new int[20]();
    CHECK(tierpool_owns(heap(), one) && tierpool_owns(heap(), many) && in_use() == before + 2);
    CHECK(reinterpret_cast<std::uintptr_t>(one) % alignof(std::max_align_t) == 0);
    delete one;
    delete[] many;
    char *large = new char[5000], *none = nullptr;
    CHECK(!tierpool_owns(heap(), large));
    delete[] large;
    delete none;
    int *quiet = new (std::nothrow) int(2);
    CHECK(quiet != nullptr && tierpool_owns(heap(), quiet));
    delete quiet;
#if __cplusplus >= 201703L
    Line *line = new Line, *lines = new Line[100];
    CHECK(reinterpret_cast<std::uintptr_t>(line) % 128 == 0 && reinterpret_cast<std::uintptr_t>(lines) % 128 == 0);
    CHECK(!tierpool_owns(heap(), lines));
    delete line;
    delete[] lines;
#endif
    CHECK(in_use() == before);
}

#ifdef __cpp_exceptions
static void no_memory(std::size_t before) {
    const std::size_t most = SIZE_MAX / 2;
    CHECK(::operator new(most, std::nothrow) == nullptr);
    bool thrown = false;
    try {
        ::operator delete(::operator new(most));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
    // The handler is asked until it gives up.
    static int asked;
    std::set_new_handler([] {
        if (++asked == 3) {
            std::set_new_handler(nullptr);
        }
    });
    CHECK(::operator new(most, std::nothrow) == nullptr && asked == 3);
    CHECK(in_use() == before);
}
#endif

int main() {
    CHECK(tierpool_owns(heap(), early.data()) && early[49] == 7);
    const std::size_t before = in_use();
    each_form(before);
#ifdef __cpp_exceptions
    no_memory(before);
#endif
    {
        std::map<int, std::string> names;
        for (int i = 0; i < 200; i++) {
            names[i] = std::string(static_cast<std::size_t>(i), 'x');
        }
        CHECK(in_use() > before && names[199].size() == 199);
        auto work = [] {
            for (std::size_t i = 0; i < 20000; i++) {
                std::unique_ptr<std::size_t[]> held(new std::size_t[i % 40 + 1]());
                held[i % 40] = i;
                CHECK(held[i % 40] == i);
            }
        };
        std::thread other(work);
        work();
        other.join();
    }
    CHECK(in_use() == before);
    std::puts("new: ok");
}
