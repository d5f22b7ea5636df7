/* Under AddressSanitizer, with a library of the feature `asan`: what is used after it was freed stops the program. The argument
 * says what is done; without one, nothing wrong is. */
#include <string.h>

#include "check.h"
#include "tierpool.h"

TIERPOOL_MEMORY(memory, 2, 2 + 1, 2 * 24 + 1 * 512);

static volatile unsigned char read_byte;

int main(int arguments, char **argument) {
    static const tierpool_tier tiers[] = {{24, 2}, {512, 1}};
    const char *what = arguments > 1 ? argument[1] : "";
    const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .zero_on_free = strcmp(what, "wiped") == 0};
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, &memory, &pool) == TIERPOOL_OK);
    /* Slots beside each other, each used to its last byte, again and again. */
    for (int round = 0; round < 10; round++) {
        void *a, *b;
        tierpool_bytes large;
        CHECK(tierpool_alloc(pool, 24, 1, &a) == TIERPOOL_OK && tierpool_alloc(pool, 20, 1, &b) == TIERPOOL_OK);
        CHECK(tierpool_bytes_zeroed(pool, 512, &large) == TIERPOOL_OK);
        memset(a, round, 24);
        memset(b, round, 24);
        CHECK(tierpool_free(pool, a) == TIERPOOL_OK);
        memset(b, round, 24);
        CHECK(tierpool_free_sized(pool, b, 20, 1) == TIERPOOL_OK);
        uint8_t *data;
        CHECK(tierpool_bytes_make_mut(&large, NULL, &data) == TIERPOOL_OK);
        memset(data, round, 512);
        tierpool_bytes part;
        CHECK(tierpool_bytes_slice(&large, 500, 12, &part) == TIERPOOL_OK);
        tierpool_bytes_release(&large);
        read_byte = part.data[11];
        tierpool_bytes_release(&part);
    }
    if (strcmp(what, "raw") == 0 || strcmp(what, "wiped") == 0) {
        void *slot;
        CHECK(tierpool_alloc(pool, 100, 1, &slot) == TIERPOOL_OK && tierpool_free(pool, slot) == TIERPOOL_OK);
        read_byte = *(volatile unsigned char *)slot;
    } else if (strcmp(what, "bytes") == 0) {
        tierpool_bytes bytes;
        CHECK(tierpool_bytes_zeroed(pool, 20, &bytes) == TIERPOOL_OK);
        const uint8_t *data = bytes.data;
        tierpool_bytes_release(&bytes);
        read_byte = data[19];
    }
    puts("poison: nothing was wrong");
    return 0;
}
