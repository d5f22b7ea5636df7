// tierpool::bytes. Also built without exceptions and run-time types.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "tierpool.hpp"

TIERPOOL_DEFAULT_MEMORY(memory);

using tierpool::bytes;

static bytes text(tierpool_pool *pool, std::string_view from) {
    std::optional<bytes> made = bytes::copy_of(pool, from);
    CHECK(made.has_value());
    return *made;
}

static std::size_t in_use(tierpool_pool *pool) {
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    return stats.tiers[0].in_use + stats.tiers[1].in_use + stats.tiers[2].in_use;
}

static void copies_share(tierpool_pool *pool) {
    bytes a = text(pool, "1");
    bytes b = a, c;
    CHECK(c.empty() && c.view() == "" && c == bytes());
    c = b;
    CHECK(a.data() == b.data() && b.data() == c.data() && in_use(pool) == 1 && !a.is_unique());
    CHECK(b.append("mississippi"));
    CHECK(b.size() == 12 && b.data() != a.data() && a == "1" && "1mississippi" == b && in_use(pool) == 2);
    c = text(pool, "2");
    CHECK(a.data() != c.data() && a.is_unique());
    const bytes &self = a;
    a = self;
    CHECK(a == "1" && a.is_unique());
    bytes moved = std::move(a);
    CHECK(a.empty() && moved == "1" && moved.is_unique()); // NOLINT: what was moved from is empty
    swap(moved, b);
    CHECK(b == "1" && moved.size() == 12);
    std::vector<bytes> many(100, moved);
    CHECK(many[99].data() == moved.data() && in_use(pool) == 3);
}

static void writes_copy_only_while_shared(tierpool_pool *pool) {
    bytes a = text(pool, "hop 0"), b = a;
    std::uint8_t *data = b.make_mut();
    CHECK(data != nullptr && data == b.data() && data != a.data());
    data[4] = '1';
    CHECK(a == "hop 0" && b == "hop 1" && a != b && a < b);
    CHECK(a.make_mut() == a.data() && b.make_mut() == data);
    b = bytes();
    CHECK(in_use(pool) == 1);

    bytes flash = bytes::from_static("flash");
    CHECK(flash.footprint() == 0 && flash.make_mut() == nullptr && flash == "flash");
    CHECK(flash.make_mut(pool) != nullptr && flash.footprint() == 256);
    CHECK(bytes().make_mut(pool) == nullptr);
}

static void exhaustion_changes_nothing(tierpool_pool *pool) {
    std::vector<bytes> all;
    while (std::optional<bytes> one = bytes::zeroed(pool, 10)) {
        all.push_back(std::move(*one));
    }
    CHECK(all.size() == 16);
    CHECK(!bytes::copy_of(pool, "no slot") && !bytes::zeroed(pool, 2000) && !bytes::copy_of(nullptr, "no pool"));
    bytes shared = all[0];
    CHECK(shared.make_mut() == nullptr && !shared.append("x") && shared.data() == all[0].data());
    CHECK(!bytes().append("no pool") && bytes().append(""));
}

static void parts(tierpool_pool *pool) {
    bytes hello = text(pool, "Hello World");
    CHECK(hello.left(5) == "Hello" && hello.left(20) == hello && hello.right(5) == "World" && hello.right(20) == hello);
    CHECK(hello.slice(3, 5) == "lo Wo" && hello.slice(20, 5) == "" && hello.slice(3, 20) == "lo World" && hello.slice(3) == "lo World");
    CHECK(hello.slice(3, SIZE_MAX) == "lo World" && hello.slice(SIZE_MAX, SIZE_MAX).empty());
    bytes foo = text(pool, "Foo");
    CHECK(foo.append(hello.left(5)) && foo.append(hello.slice(5)) && foo == "FooHello World" && foo.size() == 14);
    CHECK(foo.append(foo) && foo == "FooHello WorldFooHello World");
    CHECK(hello.slice(2).data() == hello.data() + 2);
    CHECK(std::find(hello.begin(), hello.end(), 'W') - hello.begin() == 6 && hello[10] == 'd');
    CHECK(std::string(hello.begin(), hello.end()) == "Hello World" && hello.view().find("ll") == 2);
    CHECK(hello.compare("Hello") > 0 && hello.compare("Hello World") == 0 && hello.compare("I") < 0);

    bytes hash = bytes::zeroed(pool, 600)->slice(100, 32);
    CHECK(hash.footprint() == 1024 && hash.compact(pool) && hash.footprint() == 256 && hash.size() == 32);
    CHECK(!hash.compact(nullptr));
}

static void room(tierpool_pool *pool) {
    bytes frame = *bytes::with_capacity(pool, 480, 20);
    CHECK(frame.empty() && frame.capacity() == 492 && frame.headroom() == 20);
    CHECK(frame.append("body") && frame.prepend("head ") && frame == "head body" && frame.headroom() == 15);
    bytes other = frame;
    CHECK(frame.headroom() == 0 && frame.capacity() == 9 && other.prepend(frame) && other == "head bodyhead body");
    CHECK(frame == "head body" && frame.reserve(600) && frame.capacity() >= 609 && !frame.reserve(2000));
    CHECK(frame.resize(11) && frame.view() == std::string_view("head body\0\0", 11) && frame.resize(4) && frame == "head");
    CHECK(!bytes::with_capacity(pool, 1025) && !bytes().reserve(1) && bytes().reserve(1, pool) && bytes().resize(0));

    // Keys that are cut from packets and kept: a part pins the packet's slot, a copy does not.
    std::vector<bytes> copies;
    other = bytes();
    for (int i = 0; i < 16; i++) {
        bytes packet = *bytes::zeroed(pool, 500);
        CHECK(packet.make_mut() != nullptr);
        std::optional<bytes> key = packet.copied_slice(2, 16);
        CHECK(key && key->size() == 16 && key->footprint() == 256);
        copies.push_back(*key);
    }
    CHECK(in_use(pool) == 16 + 1 && bytes::zeroed(pool, 500));
    copies.clear();
    CHECK(*frame.copied_slice(1, 100) == "ead" && frame.copied_slice(100)->empty());
    CHECK(!bytes::from_static("flash").copied_slice(1, 2) && *bytes::from_static("flash").copied_slice(1, 2, pool) == "la");
}

static void slots_become_bytes(tierpool_pool *pool) {
    void *slot;
    CHECK(tierpool_alloc(pool, 100, 1, &slot) == TIERPOOL_OK);
    std::memset(slot, 'x', 100);
    CHECK(!bytes::from_raw(pool, slot, 300));
    std::optional<bytes> frame = bytes::from_raw(pool, slot, 100);
    CHECK(frame && frame->data() == slot && frame->view() == std::string(100, 'x'));
    CHECK(frame->c_handle().len == 100);
    CHECK(tierpool_free(pool, slot) == TIERPOOL_NOT_ALLOCATED);
}

// Copies of one packet in two threads: each writes into its own and sees nothing of the other's.
static void two_threads_share(tierpool_pool *pool) {
    const bytes packet = text(pool, "to: all, hops: 0");
    auto relay = [&packet](char hops) {
        for (int i = 0; i < 20000; i++) {
            bytes hop = packet, body = hop.slice(9);
            if (std::uint8_t *data = hop.make_mut()) {
                data[15] = static_cast<std::uint8_t>(hops);
                CHECK(hop.append("!") && hop.right(2)[0] == hops && hop.left(9) == "to: all, ");
            }
            CHECK(body == "hops: 0" && packet == "to: all, hops: 0");
        }
    };
    std::thread other(relay, '1');
    relay('2');
    other.join();
    CHECK(packet.is_unique());
}

// The last owner wakes who waits, in its own context.
static void a_destructor_wakes(tierpool_pool *) {
    TIERPOOL_MEMORY(one, 1, 1, 64);
    static const tierpool_tier tier = {64, 1};
    static int woken = 0;
    tierpool_geometry geometry = {};
    geometry.tiers = &tier;
    geometry.tier_count = 1;
    geometry.on_free = [](tierpool_pool *pool) { woken += bytes::zeroed(pool, 64).has_value() ? 1 : 100; };
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, &one, &pool) == TIERPOOL_OK);
    std::optional<bytes> held = bytes::zeroed(pool, 64);
    std::optional<bytes> shared = held;
    CHECK(!bytes::zeroed(pool, 1) && tierpool_arm_free_notify(pool, 1));
    held.reset();
    CHECK(woken == 0);
    shared.reset();
    CHECK(woken == 1 && tierpool_is_idle(pool));
}

int main() {
    tierpool_pool *pool;
    CHECK(tierpool_init(nullptr, &memory, &pool) == TIERPOOL_OK);
    using test = void (*)(tierpool_pool *);
    const test tests[] = {copies_share, writes_copy_only_while_shared, exhaustion_changes_nothing, parts, room, slots_become_bytes,
                          two_threads_share, a_destructor_wakes};
    for (test run : tests) {
        run(pool);
        CHECK(tierpool_is_idle(pool));
    }
    std::puts("bytes: ok");
}
