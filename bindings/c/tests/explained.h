/* A wrong geometry: every function that takes it says so, and the text says why. */
#ifndef EXPLAINED_H
#define EXPLAINED_H

#include <string.h>

#include "check.h"
#include "tierpool.h"

static inline void explained(const tierpool_geometry *wrong, const tierpool_memory *memory, tierpool_error error,
                             const char *expected) {
    tierpool_layout layout = {1, 1, 1, 1};
    CHECK(tierpool_layout_of(wrong, &layout) == error && layout.control_bytes == 0);
    tierpool_pool *pool = (tierpool_pool *)&layout;
    CHECK(tierpool_init(wrong, memory, &pool) == error && pool == NULL);
    char text[100];
    CHECK(tierpool_geometry_explain(wrong, text, sizeof text) == strlen(expected) && strcmp(text, expected) == 0);
}

#endif
