/* Each macro of the header, for compilers that warn of everything. Also as C++. */
#define TIERPOOL_CHECKED
#include "tierpool.h"

TIERPOOL_DEFAULT_MEMORY(by_default);
TIERPOOL_MEMORY(by_hand, 2, 64 + 16, 64 * 32 + 16 * 1536);
TIERPOOL_STATIC_POOL(one, (256, 16));
TIERPOOL_STATIC_POOL(more, (64, 1022), (256, 16), (65536, 1));

int use(void);

int use(void) {
    tierpool_pool *pool;
    void *slot;
    if (tierpool_init(NULL, &by_default, &pool) != TIERPOOL_OK || tierpool_alloc(one(), 10, 1, &slot) != TIERPOOL_OK) {
        return 1;
    }
    tierpool_free_sized(one(), slot, 10, 1);
    tierpool_free_or_fallback(more(), NULL, 10, 1);
    return tierpool_init(NULL, &by_hand, &pool) == TIERPOOL_OK ? 0 : 1;
}
