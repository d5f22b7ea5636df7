/* Room behind and in front of bytes, and copies of parts. */
#include <string.h>

#include "check.h"
#include "tierpool.h"

TIERPOOL_DEFAULT_MEMORY(memory);

static int holds(const tierpool_bytes *bytes, const char *text) {
    return bytes->len == strlen(text) && memcmp(bytes->data, text, bytes->len) == 0;
}

static const uint8_t *text(const char *from) {
    return (const uint8_t *)from;
}

static tierpool_bytes copy(tierpool_pool *pool, const char *from) {
    tierpool_bytes bytes;
    CHECK(tierpool_bytes_copy(pool, text(from), strlen(from), &bytes) == TIERPOOL_OK);
    return bytes;
}

static void made_with_room(tierpool_pool *pool) {
    tierpool_bytes a, none = {0}, fixed = tierpool_bytes_from_static(text("flash"), 5);
    CHECK(tierpool_bytes_with_capacity(pool, 20, 480, &a) == TIERPOOL_OK && a.len == 0);
    CHECK(tierpool_bytes_headroom(&a) == 20 && tierpool_bytes_capacity(&a) == 492 && tierpool_bytes_footprint(&a) == 512);
    const uint8_t *start = a.data;
    CHECK(tierpool_bytes_append(&a, NULL, text("body"), 4) == TIERPOOL_OK && a.data == start);
    CHECK(tierpool_bytes_prepend(&a, NULL, text("head "), 5) == TIERPOOL_OK && a.data == start - 5);
    CHECK(holds(&a, "head body") && tierpool_bytes_headroom(&a) == 15 && tierpool_bytes_capacity(&a) == 497);

    /* Who shares has no room; nor have bytes without a slot. Looking changes nothing. */
    tierpool_bytes b = tierpool_bytes_retain(&a);
    CHECK(tierpool_bytes_headroom(&a) == 0 && tierpool_bytes_capacity(&b) == 9 && !tierpool_bytes_is_unique(&a));
    tierpool_bytes_release(&b);
    CHECK(tierpool_bytes_is_unique(&a) && tierpool_bytes_headroom(&a) == 15);
    CHECK(tierpool_bytes_capacity(&none) == 0 && tierpool_bytes_headroom(&none) == 0);
    CHECK(tierpool_bytes_capacity(&fixed) == 5 && tierpool_bytes_headroom(&fixed) == 0);
    CHECK(tierpool_bytes_capacity(NULL) == 0 && tierpool_bytes_headroom(NULL) == 0);
    tierpool_bytes_release(&a);

    CHECK(tierpool_bytes_with_capacity(pool, 1000, 25, &a) == TIERPOOL_OVERSIZED && a.data == NULL);
    CHECK(tierpool_bytes_with_capacity(pool, SIZE_MAX, 2, &a) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_bytes_with_capacity(NULL, 0, 1, &a) == TIERPOOL_NULL && a.data == NULL);
    CHECK(tierpool_bytes_with_capacity(pool, 0, 1, NULL) == TIERPOOL_NULL);
    CHECK(tierpool_is_idle(pool));
}

static void reserve(tierpool_pool *pool) {
    tierpool_bytes a = copy(pool, "data"), none = {0};
    const uint8_t *start = a.data;
    CHECK(tierpool_bytes_reserve(&a, NULL, 252) == TIERPOOL_OK && a.data == start && holds(&a, "data"));
    CHECK(tierpool_bytes_reserve(&a, NULL, 253) == TIERPOOL_OK && a.data != start && holds(&a, "data"));
    CHECK(tierpool_bytes_capacity(&a) == 512);

    /* Shared: copied, with the room. The other handle keeps what it had. */
    tierpool_bytes b = tierpool_bytes_retain(&a);
    CHECK(tierpool_bytes_reserve(&b, NULL, 600) == TIERPOOL_OK && b.data != a.data && holds(&b, "data"));
    CHECK(tierpool_bytes_capacity(&b) == 1024 && tierpool_bytes_is_unique(&a) && holds(&a, "data"));
    CHECK(tierpool_bytes_reserve(&b, NULL, 1021) == TIERPOOL_OVERSIZED && tierpool_bytes_capacity(&b) == 1024 && holds(&b, "data"));
    CHECK(tierpool_bytes_reserve(&b, NULL, SIZE_MAX) == TIERPOOL_OVERSIZED && holds(&b, "data"));
    tierpool_bytes c = tierpool_bytes_retain(&b);
    CHECK(tierpool_bytes_reserve(&c, NULL, SIZE_MAX) == TIERPOOL_OVERSIZED && c.data == b.data && holds(&c, "data"));
    tierpool_bytes_release(&c);
    tierpool_bytes_release(&a);
    tierpool_bytes_release(&b);

    CHECK(tierpool_bytes_reserve(&none, NULL, 1) == TIERPOOL_NO_POOL && tierpool_bytes_reserve(NULL, pool, 1) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_reserve(&none, pool, 1) == TIERPOOL_OK && none.len == 0 && tierpool_bytes_capacity(&none) == 256);
    tierpool_bytes_release(&none);
    CHECK(tierpool_is_idle(pool));
}

static void resize(tierpool_pool *pool) {
    tierpool_bytes a = copy(pool, "long text"), b = tierpool_bytes_retain(&a);
    CHECK(tierpool_bytes_resize(&a, NULL, 4) == TIERPOOL_OK && holds(&a, "long") && a.data == b.data && holds(&b, "long text"));
    CHECK(tierpool_bytes_resize(&a, NULL, 6) == TIERPOOL_OK && a.len == 6 && memcmp(a.data, "long\0\0", 6) == 0 && holds(&b, "long text"));
    CHECK(tierpool_bytes_resize(&a, NULL, 1025) == TIERPOOL_OVERSIZED && a.len == 6);
    CHECK(tierpool_bytes_resize(&a, NULL, 1024) == TIERPOOL_OK && a.len == 1024 && a.data[1023] == 0 && memcmp(a.data, "long", 5) == 0);
    CHECK(tierpool_bytes_resize(NULL, pool, 1) == TIERPOOL_NULL);
    tierpool_bytes_release(&a);
    tierpool_bytes_release(&b);
    CHECK(tierpool_is_idle(pool));
}

static void prepend(tierpool_pool *pool) {
    tierpool_bytes a = copy(pool, "headbody"), none = {0};
    a.data += 4;
    a.len -= 4;
    const uint8_t *body = a.data;
    CHECK(tierpool_bytes_prepend(&a, NULL, text("HEAD"), 4) == TIERPOOL_OK && a.data == body - 4 && holds(&a, "HEADbody"));
    CHECK(tierpool_bytes_prepend(&a, NULL, text("no room: "), 9) == TIERPOOL_OK && holds(&a, "no room: HEADbody"));
    CHECK(tierpool_bytes_prepend(&a, NULL, a.data + 4, 4) == TIERPOOL_OK && holds(&a, "oom:no room: HEADbody")); /* of itself */
    tierpool_bytes b = tierpool_bytes_retain(&a);
    CHECK(tierpool_bytes_prepend(&b, NULL, text("2"), 1) == TIERPOOL_OK && holds(&b, "2oom:no room: HEADbody") && holds(&a, "oom:no room: HEADbody"));
    tierpool_bytes_release(&b);
    char long_text[1025];
    memset(long_text, 'x', sizeof long_text);
    CHECK(tierpool_bytes_prepend(&a, NULL, text(long_text), 1024) == TIERPOOL_OVERSIZED && holds(&a, "oom:no room: HEADbody"));
    CHECK(tierpool_bytes_prepend(&a, NULL, NULL, 0) == TIERPOOL_OK && tierpool_bytes_prepend(&a, NULL, NULL, 1) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_prepend(NULL, pool, a.data, 1) == TIERPOOL_NULL);
    tierpool_bytes_release(&a);
    CHECK(tierpool_bytes_prepend(&none, NULL, text("x"), 1) == TIERPOOL_NO_POOL);
    CHECK(tierpool_bytes_prepend(&none, pool, text("x"), 1) == TIERPOOL_OK && holds(&none, "x"));
    tierpool_bytes_release(&none);
    CHECK(tierpool_is_idle(pool));
}

static void copies_of_parts(tierpool_pool *pool) {
    tierpool_bytes packet, key, fixed = tierpool_bytes_from_static(text("flash"), 5);
    CHECK(tierpool_bytes_zeroed(pool, 1000, &packet) == TIERPOOL_OK);
    CHECK(tierpool_bytes_copy_slice(&packet, NULL, 900, 16, &key) == TIERPOOL_OK && key.len == 16);
    tierpool_bytes_release(&packet);
    CHECK(tierpool_bytes_footprint(&key) == 256); /* the packet's slot is free */
    tierpool_bytes_release(&key);
    packet = copy(pool, "packet");
    CHECK(tierpool_bytes_copy_slice(&packet, NULL, 6, 0, &key) == TIERPOOL_OK && key.len == 0);
    tierpool_bytes_release(&key);
    CHECK(tierpool_bytes_copy_slice(&packet, NULL, 6, 1, &key) == TIERPOOL_RANGE && key.data == NULL);
    CHECK(tierpool_bytes_copy_slice(&packet, NULL, SIZE_MAX, 2, &key) == TIERPOOL_RANGE);
    CHECK(tierpool_bytes_copy_slice(&fixed, NULL, 1, 2, &key) == TIERPOOL_NO_POOL);
    CHECK(tierpool_bytes_copy_slice(&fixed, pool, 1, 2, &key) == TIERPOOL_OK && holds(&key, "la"));
    CHECK(tierpool_bytes_copy_slice(NULL, pool, 0, 0, &packet) == TIERPOOL_NULL);
    tierpool_bytes_release(&key);
    CHECK(!tierpool_is_idle(pool) || packet.data == NULL);
}

static void slots(tierpool_pool *pool) {
    void *slot;
    CHECK(tierpool_alloc(pool, 300, 1, &slot) == TIERPOOL_OK);
    CHECK(tierpool_slot_bytes(pool, slot) == 512 && tierpool_slot_bytes(pool, (char *)slot + 511) == 512);
    CHECK(tierpool_slot_bytes(pool, pool) == 0 && tierpool_slot_bytes(pool, NULL) == 0 && tierpool_slot_bytes(NULL, slot) == 0);
    CHECK(tierpool_free_sized(pool, slot, 257, 1) == TIERPOOL_OK); /* any size of its tier */
    CHECK(tierpool_free(pool, slot) == TIERPOOL_NOT_ALLOCATED);
}

int main(void) {
    tierpool_pool *pool;
    CHECK(tierpool_init(NULL, &memory, &pool) == TIERPOOL_OK);
    made_with_room(pool);
    reserve(pool);
    resize(pool);
    prepend(pool);
    slots(pool);
    CHECK(tierpool_is_idle(pool));
    copies_of_parts(pool);
    puts("room: ok");
    return 0;
}
