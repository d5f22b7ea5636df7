/* Handles: from C. */
#include <string.h>

#include "check.h"
#include "tierpool.h"

TIERPOOL_DEFAULT_MEMORY(memory);

static int holds(const tierpool_bytes *bytes, const char *text) {
    return bytes->len == strlen(text) && memcmp(bytes->data, text, bytes->len) == 0;
}

static tierpool_bytes copy(tierpool_pool *pool, const char *text) {
    tierpool_bytes bytes;
    CHECK(tierpool_bytes_copy(pool, (const uint8_t *)text, strlen(text), &bytes) == TIERPOOL_OK);
    return bytes;
}

static void retain_and_release(tierpool_pool *pool) {
    tierpool_bytes a = copy(pool, "hello");
    CHECK(holds(&a, "hello") && tierpool_owns(pool, a.data) && tierpool_bytes_is_unique(&a));
    tierpool_bytes b = tierpool_bytes_retain(&a);
    CHECK(b.data == a.data && !tierpool_bytes_is_unique(&a) && tierpool_bytes_footprint(&b) == 256);
    tierpool_bytes_release(&a);
    CHECK(a.data == NULL && a.len == 0);
    tierpool_bytes_release(&a); /* no bytes any more: nothing happens */
    CHECK(holds(&b, "hello") && tierpool_bytes_is_unique(&b) && !tierpool_is_idle(pool));
    CHECK(tierpool_free(pool, (void *)b.data) == TIERPOOL_NOT_ALLOCATED);
    tierpool_bytes_release(&b);
    CHECK(tierpool_is_idle(pool));
    tierpool_bytes_release(NULL);
    CHECK(tierpool_bytes_retain(NULL).len == 0);
}

static void copy_on_write(tierpool_pool *pool) {
    tierpool_bytes a = copy(pool, "hop 0"), b = tierpool_bytes_retain(&a);
    const uint8_t *before = a.data;
    uint8_t *data;
    CHECK(tierpool_bytes_make_mut(&b, NULL, &data) == TIERPOOL_OK);
    CHECK(data == b.data && b.data != a.data);
    data[4] = '1';
    CHECK(holds(&a, "hop 0") && holds(&b, "hop 1"));
    CHECK(tierpool_bytes_make_mut(&a, NULL, &data) == TIERPOOL_OK && a.data == before); /* the other holder has gone */
    tierpool_bytes_release(&a);
    tierpool_bytes_release(&b);

    /* A copy that finds no slot leaves everything as it was. */
    tierpool_bytes all[16];
    for (int i = 0; i < 16; i++) {
        all[i] = copy(pool, "full");
    }
    a = tierpool_bytes_retain(&all[0]);
    CHECK(tierpool_bytes_make_mut(&a, NULL, &data) == TIERPOOL_EXHAUSTED && data == NULL);
    CHECK(holds(&a, "full") && a.data == all[0].data);
    CHECK(tierpool_bytes_append(&a, NULL, (const uint8_t *)"!", 1) == TIERPOOL_EXHAUSTED && holds(&a, "full"));
    tierpool_bytes_release(&a);
    for (int i = 0; i < 16; i++) {
        tierpool_bytes_release(&all[i]);
    }

    /* Static bytes belong to no pool. */
    a = tierpool_bytes_from_static((const uint8_t *)"flash", 5);
    CHECK(holds(&a, "flash") && tierpool_bytes_footprint(&a) == 0 && !tierpool_bytes_is_unique(&a));
    CHECK(tierpool_bytes_make_mut(&a, NULL, &data) == TIERPOOL_NO_POOL && holds(&a, "flash"));
    CHECK(tierpool_bytes_make_mut(&a, pool, &data) == TIERPOOL_OK);
    data[0] = 'F';
    CHECK(holds(&a, "Flash"));
    tierpool_bytes_release(&a);
    CHECK(tierpool_bytes_make_mut(NULL, pool, &data) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_make_mut(&a, pool, NULL) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_make_mut(&a, NULL, &data) == TIERPOOL_OK && a.len == 0);
    CHECK(tierpool_is_idle(pool));
}

static void parts(tierpool_pool *pool) {
    tierpool_bytes whole = copy(pool, "headbody"), part;
    CHECK(tierpool_bytes_slice(&whole, 4, 4, &part) == TIERPOOL_OK);
    CHECK(holds(&part, "body") && part.data == whole.data + 4);
    tierpool_bytes_release(&whole);
    CHECK(holds(&part, "body") && !tierpool_is_idle(pool));

    /* A view that is narrowed by hand is a handle like any other. */
    part.data += 1;
    part.len -= 2;
    tierpool_bytes narrow = tierpool_bytes_retain(&part);
    CHECK(holds(&narrow, "od"));
    tierpool_bytes_release(&part);
    tierpool_bytes_release(&narrow);
    CHECK(tierpool_is_idle(pool));

    whole = copy(pool, "headbody");
    CHECK(tierpool_bytes_slice(&whole, 5, 4, &part) == TIERPOOL_RANGE && part.len == 0);
    CHECK(tierpool_bytes_slice(&whole, 1, SIZE_MAX, &part) == TIERPOOL_RANGE);
    CHECK(tierpool_bytes_slice(&whole, 8, 0, &part) == TIERPOOL_OK && part.len == 0 && part.data == whole.data + 8);
    tierpool_bytes_release(&part);
    CHECK(tierpool_bytes_slice(NULL, 0, 0, &part) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_slice(&whole, 0, 0, NULL) == TIERPOOL_NULL);
    tierpool_bytes_release(&whole);
}

static void append(tierpool_pool *pool) {
    tierpool_bytes a = {0};
    CHECK(tierpool_bytes_append(&a, NULL, (const uint8_t *)"x", 1) == TIERPOOL_NO_POOL && a.len == 0);
    CHECK(tierpool_bytes_append(&a, pool, (const uint8_t *)"Hello", 5) == TIERPOOL_OK);
    CHECK(tierpool_bytes_append(&a, NULL, (const uint8_t *)" World", 6) == TIERPOOL_OK && holds(&a, "Hello World"));
    CHECK(tierpool_bytes_append(&a, NULL, a.data, a.len) == TIERPOOL_OK && holds(&a, "Hello WorldHello World"));
    CHECK(tierpool_bytes_append(&a, NULL, NULL, 0) == TIERPOOL_OK && a.len == 22);
    CHECK(tierpool_bytes_append(&a, NULL, NULL, 1) == TIERPOOL_NULL && a.len == 22);
    CHECK(tierpool_bytes_append(NULL, pool, a.data, 1) == TIERPOOL_NULL);

    /* To itself until the buffer has to grow, and shared: the source moves while it is read. */
    while (a.len * 2 <= 1024) {
        tierpool_bytes held = a.len == 352 ? tierpool_bytes_retain(&a) : (tierpool_bytes){0};
        size_t half = a.len;
        CHECK(tierpool_bytes_append(&a, NULL, a.data + 1, a.len - 1) == TIERPOOL_OK);
        CHECK(a.len == 2 * half - 1 && memcmp(a.data + half, a.data + 1, half - 1) == 0);
        tierpool_bytes_release(&held);
    }
    CHECK(tierpool_bytes_footprint(&a) == 1024);
    uint8_t more[1024] = {0};
    CHECK(tierpool_bytes_append(&a, NULL, more, sizeof more) == TIERPOOL_OVERSIZED);
    CHECK(memcmp(a.data, "Hello World", 11) == 0);
    tierpool_bytes_release(&a);

    /* Appending to a shared handle leaves the other one alone. */
    a = copy(pool, "mis");
    tierpool_bytes b = tierpool_bytes_retain(&a);
    CHECK(tierpool_bytes_append(&a, NULL, (const uint8_t *)"sissippi", 8) == TIERPOOL_OK);
    CHECK(holds(&a, "mississippi") && holds(&b, "mis") && a.data != b.data);
    tierpool_bytes_release(&a);
    tierpool_bytes_release(&b);
    CHECK(tierpool_is_idle(pool));
}

/* Bytes that a handle was narrowed by lie beside it in its slot, and are a source as any other. */
static void append_from_beside(tierpool_pool *pool) {
    char text[257] = "HEADER--";
    memset(text + 8, 'x', 248);
    /* The slot is full behind: room is made by a move. */
    tierpool_bytes a = copy(pool, text);
    const uint8_t *header = a.data;
    a.data += 8;
    a.len -= 8;
    CHECK(tierpool_bytes_append(&a, NULL, header, 8) == TIERPOOL_OK && a.len == 256);
    CHECK(memcmp(a.data, text + 8, 248) == 0 && memcmp(a.data + 248, "HEADER--", 8) == 0);
    tierpool_bytes_release(&a);
    /* The source reaches into the room behind. */
    a = copy(pool, "0123456789ABCDEF");
    a.len = 4;
    CHECK(tierpool_bytes_append(&a, NULL, a.data + 2, 12) == TIERPOOL_OK && holds(&a, "012323456789ABCD"));
    tierpool_bytes_release(&a);
    CHECK(tierpool_is_idle(pool));
}

/* What has to be copied is copied once, to where it fits with what is appended. */
static void append_to_a_copy(tierpool_pool *pool) {
    tierpool_bytes all[16];
    for (int i = 0; i < 16; i++) {
        all[i] = copy(pool, "full");
    }
    uint8_t more[900] = {0};
    tierpool_stats before, after;
    CHECK(tierpool_stats_read(pool, &before) == TIERPOOL_OK);
    tierpool_bytes none = {0}, shared = tierpool_bytes_retain(&all[0]), fixed = tierpool_bytes_from_static((const uint8_t *)"fixed", 5);
    CHECK(tierpool_bytes_append(&none, pool, more, 900) == TIERPOOL_OK && none.len == 900);
    CHECK(tierpool_bytes_append(&shared, NULL, more, 300) == TIERPOOL_OK && shared.len == 304 && memcmp(shared.data, "full", 4) == 0);
    CHECK(tierpool_bytes_append(&fixed, NULL, more, 300) == TIERPOOL_NO_POOL && holds(&fixed, "fixed"));
    CHECK(tierpool_bytes_append(&fixed, pool, more, 300) == TIERPOOL_OK && fixed.len == 305 && memcmp(fixed.data, "fixed", 5) == 0);
    CHECK(tierpool_stats_read(pool, &after) == TIERPOOL_OK && after.requests == before.requests + 3);
    CHECK(holds(&all[0], "full"));
    tierpool_bytes_release(&none);
    tierpool_bytes_release(&shared);
    tierpool_bytes_release(&fixed);
    for (int i = 0; i < 16; i++) {
        tierpool_bytes_release(&all[i]);
    }
    CHECK(tierpool_is_idle(pool));
}

static void raw_and_compact(tierpool_pool *pool) {
    void *slot;
    tierpool_bytes frame, hash;
    CHECK(tierpool_alloc(pool, 600, 1, &slot) == TIERPOOL_OK);
    memset(slot, 7, 600);
    CHECK(tierpool_bytes_from_raw(pool, slot, 1025, &frame) == TIERPOOL_RANGE && frame.data == NULL);
    CHECK(tierpool_bytes_from_raw(pool, (char *)slot + 1, 1, &frame) == TIERPOOL_INTERIOR);
    CHECK(tierpool_bytes_from_raw(pool, NULL, 1, &frame) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_from_raw(NULL, slot, 1, &frame) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_from_raw(pool, slot, 600, &frame) == TIERPOOL_OK);
    CHECK(frame.data == slot && frame.len == 600);
    CHECK(tierpool_bytes_from_raw(pool, slot, 600, &hash) == TIERPOOL_NOT_ALLOCATED);
    CHECK(tierpool_free(pool, slot) == TIERPOOL_NOT_ALLOCATED);

    CHECK(tierpool_bytes_slice(&frame, 100, 32, &hash) == TIERPOOL_OK);
    tierpool_bytes_release(&frame);
    CHECK(tierpool_bytes_footprint(&hash) == 1024);
    CHECK(tierpool_bytes_compact(&hash, pool) == TIERPOOL_OK);
    CHECK(tierpool_bytes_footprint(&hash) == 256 && hash.len == 32 && hash.data[31] == 7);
    CHECK(tierpool_bytes_compact(&hash, NULL) == TIERPOOL_NULL && tierpool_bytes_compact(NULL, pool) == TIERPOOL_NULL);
    tierpool_bytes_release(&hash);

    CHECK(tierpool_bytes_zeroed(pool, 300, &frame) == TIERPOOL_OK);
    for (int i = 0; i < 300; i++) {
        CHECK(frame.data[i] == 0);
    }
    tierpool_bytes_release(&frame);
    CHECK(tierpool_bytes_zeroed(pool, 1025, &frame) == TIERPOOL_OVERSIZED && frame.data == NULL);
    CHECK(tierpool_bytes_zeroed(NULL, 1, &frame) == TIERPOOL_NULL && tierpool_bytes_zeroed(pool, 1, NULL) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_copy(pool, NULL, 1, &frame) == TIERPOOL_NULL);
    CHECK(tierpool_bytes_copy(pool, NULL, 0, &frame) == TIERPOOL_OK && frame.len == 0);
    tierpool_bytes_release(&frame);
    CHECK(tierpool_is_idle(pool));
}

int main(void) {
    tierpool_pool *pool;
    CHECK(tierpool_init(NULL, &memory, &pool) == TIERPOOL_OK);
    retain_and_release(pool);
    copy_on_write(pool);
    parts(pool);
    append(pool);
    append_from_beside(pool);
    append_to_a_copy(pool);
    raw_and_compact(pool);
    puts("bytes: ok");
    return 0;
}
