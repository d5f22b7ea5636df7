// Static pools and the allocator without state: in constructors and destructors of static objects, and under containers.
#include <cstdint>
#include <cstdio>
#include <list>
#include <map>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "check.h"
#include "tierpool.hpp"

#if __cplusplus >= 202002L
#define CONSTINIT constinit
#else
#define CONSTINIT
#endif

// Defined behind its first use, which comes before its turn in this file.
extern tierpool::static_pool<tierpool::tier<64, 64>, tierpool::tier<256, 16>, tierpool::tier<1024, 8>> rx;

using Data = std::vector<std::uint8_t, tierpool::static_allocator<std::uint8_t, rx>>;

static Data early(200, 7);

static Data *late_holder = nullptr;
struct Late {
    Data data = Data(100, 3);
    Late() { late_holder = &data; }
    ~Late() { CHECK(data.size() == 100 && data[99] == 3 && tierpool_owns(rx, data.data())); }
};

CONSTINIT tierpool::static_pool<tierpool::tier<64, 64>, tierpool::tier<256, 16>, tierpool::tier<1024, 8>> rx;
TIERPOOL_STATIC_POOL(of_c, (64, 8));

static Late late;

static_assert(std::is_trivially_destructible_v<decltype(rx)>);
static_assert(std::is_empty_v<tierpool::static_allocator<int, rx>>);
static_assert(sizeof(Data) == sizeof(std::vector<std::uint8_t>));
static_assert(std::is_default_constructible_v<Data> && std::is_nothrow_move_assignable_v<Data>);

template <class T>
using allocator = tierpool::static_allocator<T, rx>;
using string = std::basic_string<char, std::char_traits<char>, allocator<char>>;

static void containers() {
    {
        auto packet = tierpool::bytes::copy_of(rx, "hops");
        CHECK(packet && *packet == "hops" && tierpool_owns(rx, packet->data()));
    }
    Data data;
    CHECK(data.empty());
    data.insert(data.end(), 250, 1);
    CHECK(tierpool_owns(rx, data.data()));
    Data copy = data, moved = std::move(data);
    data = copy;
    copy.swap(moved);
    CHECK(data == moved && data.get_allocator() == copy.get_allocator());
    data.assign(5000, 9);
    CHECK(!tierpool_owns(rx, data.data()) && data[4999] == 9);

    std::map<string, Data, std::less<string>, allocator<std::pair<const string, Data>>> names;
    std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, allocator<std::pair<const int, int>>> squares;
    std::list<string, allocator<string>> list;
    for (int i = 0; i < 30; i++) {
        string name("a name that is too long for the string itself: ");
        name += std::to_string(i).c_str();
        names[name].resize(static_cast<std::size_t>(i), 1);
        squares[i] = i * i;
        list.push_back(name);
    }
    CHECK(names.size() == 30 && names.rbegin()->second.size() < 30 && squares.at(29) == 841 && list.size() == 30);
    tierpool_stats stats;
    CHECK(tierpool_stats_read(rx, &stats) == TIERPOOL_OK && stats.tiers[0].in_use > 32);

    std::vector<int, tierpool::static_allocator<int, of_c>> few(16, 7);
    CHECK(tierpool_owns(of_c(), few.data()) && !tierpool_owns(rx, few.data()));
}

int main() {
    CHECK(early.size() == 200 && early[199] == 7 && tierpool_owns(rx, early.data()));
    CHECK(late_holder == &late.data);
    containers();
    tierpool_stats stats;
    CHECK(tierpool_stats_read(rx, &stats) == TIERPOOL_OK);
    CHECK(stats.tiers[1].in_use == 2 && stats.tiers[0].in_use == 0 && tierpool_is_idle(of_c()));
    std::puts("static, C++: ok");
}
