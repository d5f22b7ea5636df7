/*
 * tierpool: lock-free, multi-tier byte-buffer pools with copy-on-write handles, for multicore firmware.
 *
 * Generated from bindings/c/src by `cargo xtask capi --keep`. bindings/c/README.md is the introduction, tierpool.hpp is for C++.
 *
 *   memory of the caller ──tierpool_init──► tierpool_pool
 *                                            │      │
 *             tierpool_alloc, tierpool_free ◄┘      └► tierpool_bytes: retain, release, slice, make_mut, append
 *
 * Needs C11 or C++11. No function allocates from a heap or takes a lock. All that do not say otherwise may be called from
 * any core, task or interrupt handler at any time.
 */


#ifndef TIERPOOL_H
#define TIERPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX > 0xffffffffu
#define TIERPOOL_POINTERS_OF_64_BITS
#else
#define TIERPOOL_POINTERS_OF_32_BITS
#endif

#ifdef __cplusplus
#define TIERPOOL_ALIGNAS alignas
#else
#define TIERPOOL_ALIGNAS _Alignas
#endif

/*
 * A library that is built with the feature `reserve` or `histogram` needs more memory a pool: then define TIERPOOL_HISTOGRAM
 * or TIERPOOL_RESERVE in front of this header. Where that is forgotten, `tierpool_init` says TIERPOOL_CONTROL_TOO_SHORT.
 */
#ifdef TIERPOOL_HISTOGRAM
#define TIERPOOL_COUNTS_BYTES TIERPOOL_HISTOGRAM_BYTES
#else
#define TIERPOOL_COUNTS_BYTES 0u
#endif
#ifdef TIERPOOL_RESERVE
#define TIERPOOL_LIST_BYTES (TIERPOOL_TIER_BYTES + TIERPOOL_RESERVE_TIER_BYTES)
#define TIERPOOL_REST_BYTES (TIERPOOL_POOL_BYTES + TIERPOOL_COUNTS_BYTES + TIERPOOL_RESERVE_BYTES)
#else
#define TIERPOOL_LIST_BYTES TIERPOOL_TIER_BYTES
#define TIERPOOL_REST_BYTES (TIERPOOL_POOL_BYTES + TIERPOOL_COUNTS_BYTES)
#endif

/**
 * Bytes of control memory for so many tiers and slots (all tiers' together): a constant expression. With lanes, pass the
 * number of tiers times that of lanes. With a reserve, add one for each tier that has one, and count its slots.
 */
#define TIERPOOL_CONTROL_BYTES(tiers, slots) \
    ((slots) * TIERPOOL_SLOT_BYTES + TIERPOOL_ROUNDED(tiers) * TIERPOOL_LIST_BYTES + TIERPOOL_REST_BYTES)
#define TIERPOOL_ROUNDED(lists) \
    ((lists) <= 4 ? 4u : (lists) <= 8 ? 8u : (lists) <= 16 ? 16u : (lists) <= 32 ? 32u : (lists) <= 64 ? 64u \
        : (lists) <= 128 ? 128u : (lists) <= 256 ? 256u : (lists) <= 512 ? 512u : (lists) <= 1024 ? 1024u : 1040u)

/**
 * Declares static memory, a `tierpool_memory` of this name, for a pool of so many tiers (with lanes: tiers times lanes; with reserves:
 * and those) and slots,
 * with `payload` bytes of payload: the sum of size times number, each size rounded up to the geometry's `align`, and each product to a multiple of 64 to be on
 * the safe side. For a geometry with an `align` above 64, or payload in a section of its own, fill in a `tierpool_memory` by hand.
 */
#define TIERPOOL_MEMORY(name, tiers, slots, payload) \
    TIERPOOL_ALIGNAS(TIERPOOL_CONTROL_ALIGN) static unsigned char name##_control[TIERPOOL_CONTROL_BYTES(tiers, slots)]; \
    TIERPOOL_ALIGNAS(TIERPOOL_PAYLOAD_ALIGN) static unsigned char name##_payload[((payload) + 63) / 64 * 64]; \
    static const tierpool_memory name = {name##_control, sizeof name##_control, name##_payload, sizeof name##_payload, true}

/**
 * Declares static memory for a pool of the default geometry.
 */
#define TIERPOOL_DEFAULT_MEMORY(name) TIERPOOL_MEMORY(name, 3, 3 * 16, 16 * (256 + 512 + 1024))

/**
 * Defines a pool that needs no init call, and a function `tierpool_pool *name(void)` that returns it. Write it once, at file scope:
 *
 *     TIERPOOL_STATIC_POOL(rx, (256, 16), (512, 16), (1024, 16));
 *
 * The tiers are bytes and slots, by rising size, 1 to 16 of them. The function may be called at any time, on any core, in
 * interrupt handlers, before `main` and in constructors of static objects: as soon as static memory is zero. The pool is
 * built by whoever calls it first. There is no lock, and nobody waits: `tierpool_static` says why. Null if the
 * tiers are wrong. Options, such as spill, take `tierpool_static` with a geometry.
 */
#define TIERPOOL_STATIC_POOL(name, ...) \
    static const tierpool_tier name##_tiers[] = {TIERPOOL_EACH(TIERPOOL_ROW, __VA_ARGS__)}; \
    TIERPOOL_MEMORY(name##_memory, sizeof name##_tiers / sizeof name##_tiers[0], \
                    0 TIERPOOL_EACH(TIERPOOL_ADD_SLOTS, __VA_ARGS__), 0 TIERPOOL_EACH(TIERPOOL_ADD_BYTES, __VA_ARGS__)); \
    static tierpool_pool *name##_made; \
    static const tierpool_geometry name##_geometry = { \
        name##_tiers, sizeof name##_tiers / sizeof name##_tiers[0], 0, 0, false, 0, NULL, NULL, NULL, NULL, NULL}; \
    static inline tierpool_pool *name(void) { \
        return tierpool_static(&name##_made, &name##_geometry, &name##_memory); \
    } \
    struct name##_is_a_pool
#define TIERPOOL_ROW(bytes, slots) {bytes, slots},
#define TIERPOOL_ADD_ONE(bytes, slots) +1
#define TIERPOOL_ADD_SLOTS(bytes, slots) +(slots)
#define TIERPOOL_ADD_BYTES(bytes, slots) +((bytes) * (sizeof(char) * (slots)) + 63) / 64 * 64
#define TIERPOOL_EACH(what, ...) \
    TIERPOOL_PICK(__VA_ARGS__, TIERPOOL_EACH_16, TIERPOOL_EACH_15, TIERPOOL_EACH_14, TIERPOOL_EACH_13, TIERPOOL_EACH_12, \
                  TIERPOOL_EACH_11, TIERPOOL_EACH_10, TIERPOOL_EACH_9, TIERPOOL_EACH_8, TIERPOOL_EACH_7, TIERPOOL_EACH_6, \
                  TIERPOOL_EACH_5, TIERPOOL_EACH_4, TIERPOOL_EACH_3, TIERPOOL_EACH_2, TIERPOOL_EACH_1, )(what, __VA_ARGS__)
#define TIERPOOL_PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, which, ...) which
#define TIERPOOL_EACH_1(what, first) what first
#define TIERPOOL_EACH_2(what, first, ...) what first TIERPOOL_EACH_1(what, __VA_ARGS__)
#define TIERPOOL_EACH_3(what, first, ...) what first TIERPOOL_EACH_2(what, __VA_ARGS__)
#define TIERPOOL_EACH_4(what, first, ...) what first TIERPOOL_EACH_3(what, __VA_ARGS__)
#define TIERPOOL_EACH_5(what, first, ...) what first TIERPOOL_EACH_4(what, __VA_ARGS__)
#define TIERPOOL_EACH_6(what, first, ...) what first TIERPOOL_EACH_5(what, __VA_ARGS__)
#define TIERPOOL_EACH_7(what, first, ...) what first TIERPOOL_EACH_6(what, __VA_ARGS__)
#define TIERPOOL_EACH_8(what, first, ...) what first TIERPOOL_EACH_7(what, __VA_ARGS__)
#define TIERPOOL_EACH_9(what, first, ...) what first TIERPOOL_EACH_8(what, __VA_ARGS__)
#define TIERPOOL_EACH_10(what, first, ...) what first TIERPOOL_EACH_9(what, __VA_ARGS__)
#define TIERPOOL_EACH_11(what, first, ...) what first TIERPOOL_EACH_10(what, __VA_ARGS__)
#define TIERPOOL_EACH_12(what, first, ...) what first TIERPOOL_EACH_11(what, __VA_ARGS__)
#define TIERPOOL_EACH_13(what, first, ...) what first TIERPOOL_EACH_12(what, __VA_ARGS__)
#define TIERPOOL_EACH_14(what, first, ...) what first TIERPOOL_EACH_13(what, __VA_ARGS__)
#define TIERPOOL_EACH_15(what, first, ...) what first TIERPOOL_EACH_14(what, __VA_ARGS__)
#define TIERPOOL_EACH_16(what, first, ...) what first TIERPOOL_EACH_15(what, __VA_ARGS__)


/**
 * The most tiers of one pool.
 */
#define TIERPOOL_MAX_TIERS 16

/**
 * The most lanes of one pool.
 */
#define TIERPOOL_MAX_LANES 64

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * What control memory is aligned to, in bytes.
 */
#define TIERPOOL_CONTROL_ALIGN 128
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * What control memory is aligned to, in bytes.
 */
#define TIERPOOL_CONTROL_ALIGN 8
#endif

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * Control memory for one slot, in bytes: a cache line where there are caches, else one word.
 */
#define TIERPOOL_SLOT_BYTES 128
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * Control memory for one slot, in bytes: a cache line where there are caches, else one word.
 */
#define TIERPOOL_SLOT_BYTES 4
#endif

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * Control memory for one free list, in bytes: there is one for each tier, or for each lane of each
 * tier. Their number is rounded up to a power of two, at least 4.
 */
#define TIERPOOL_TIER_BYTES 192
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * Control memory for one free list, in bytes: there is one for each tier, or for each lane of each
 * tier. Their number is rounded up to a power of two, at least 4.
 */
#define TIERPOOL_TIER_BYTES 56
#endif

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * Control memory for the rest, in bytes.
 */
#define TIERPOOL_POOL_BYTES 256
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * Control memory for the rest, in bytes.
 */
#define TIERPOOL_POOL_BYTES 128
#endif

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * Control memory that a pool takes besides where the library is built with the feature
 * `histogram`, in bytes.
 */
#define TIERPOOL_HISTOGRAM_BYTES 512
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * Control memory that a pool takes besides where the library is built with the feature
 * `histogram`, in bytes.
 */
#define TIERPOOL_HISTOGRAM_BYTES 392
#endif

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * Control memory that a free list takes besides where the library is built with the feature
 * `reserve`, in bytes.
 */
#define TIERPOOL_RESERVE_TIER_BYTES 0
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * Control memory that a free list takes besides where the library is built with the feature
 * `reserve`, in bytes.
 */
#define TIERPOOL_RESERVE_TIER_BYTES 4
#endif

#if defined(TIERPOOL_POINTERS_OF_64_BITS)
/**
 * Control memory that a pool takes besides where the library is built with the feature `reserve`,
 * in bytes.
 */
#define TIERPOOL_RESERVE_BYTES 128
#endif

#if defined(TIERPOOL_POINTERS_OF_32_BITS)
/**
 * Control memory that a pool takes besides where the library is built with the feature `reserve`,
 * in bytes.
 */
#define TIERPOOL_RESERVE_BYTES 16
#endif

/**
 * What payload memory is aligned to unless the geometry asks for more, in bytes.
 */
#define TIERPOOL_PAYLOAD_ALIGN 64

/**
 * The result of a function. The values are part of the interface and stay as they are.
 *
 * Every error leaves the caller all it had, unless its function says otherwise.
 */
typedef enum tierpool_error {
    /**
     * Done.
     */
    TIERPOOL_OK = 0,
    /**
     * All slots that may serve the request are in use. Worth trying again later.
     */
    TIERPOOL_EXHAUSTED = 1,
    /**
     * Larger than the largest tier, or more strictly aligned than any. Waiting will not help.
     */
    TIERPOOL_OVERSIZED = 2,
    /**
     * The bytes belong to no pool (they are static, or empty from the start): name one.
     */
    TIERPOOL_NO_POOL = 3,
    /**
     * The range goes beyond the bytes that there are.
     */
    TIERPOOL_RANGE = 4,
    /**
     * The pointer does not lie in this pool.
     */
    TIERPOOL_FOREIGN = 5,
    /**
     * The pointer lies inside a slot, not at its start.
     */
    TIERPOOL_INTERIOR = 6,
    /**
     * The slot is not allocated: freed already, or owned by handles.
     */
    TIERPOOL_NOT_ALLOCATED = 7,
    /**
     * A pointer is null that must not be.
     */
    TIERPOOL_NULL = 8,
    /**
     * The alignment is no power of two, or, in a geometry, above 4096.
     */
    TIERPOOL_ALIGN = 9,
    /**
     * No tier, or more than 16.
     */
    TIERPOOL_TIERS = 10,
    /**
     * A tier of 0 bytes, or of more than 65 536.
     */
    TIERPOOL_SIZE = 11,
    /**
     * A tier without a slot, or with more than 1022; list the same size twice, with spill, for
     * more.
     */
    TIERPOOL_SLOTS = 12,
    /**
     * A tier smaller than the one before it; list them by rising size.
     */
    TIERPOOL_DESCENDING = 13,
    /**
     * The control memory is too short: `tierpool_layout_of` says what is needed.
     */
    TIERPOOL_CONTROL_TOO_SHORT = 14,
    /**
     * The control memory does not begin at a multiple of `TIERPOOL_CONTROL_ALIGN`.
     */
    TIERPOOL_CONTROL_MISALIGNED = 15,
    /**
     * The payload memory is too short: `tierpool_layout_of` says what is needed.
     */
    TIERPOOL_PAYLOAD_TOO_SHORT = 16,
    /**
     * The payload memory is misaligned: `tierpool_layout_of` says what is needed.
     */
    TIERPOOL_PAYLOAD_MISALIGNED = 17,
    /**
     * The memory holds a pool already, which would have been reset.
     */
    TIERPOOL_IN_USE = 18,
    /**
     * More than 64 lanes.
     */
    TIERPOOL_LANES = 19,
    /**
     * A tier has fewer slots than lanes.
     */
    TIERPOOL_SLOTS_PER_LANE = 20,
    /**
     * Several lanes, but no `lane` that says where a request begins.
     */
    TIERPOOL_NO_LANE_FUNCTION = 21,
    /**
     * Several lanes, but the library is built without its feature `lanes`.
     */
    TIERPOOL_WITHOUT_LANES = 22,
    /**
     * A tier with more than 1022 reserved slots.
     */
    TIERPOOL_RESERVED = 23,
    /**
     * Reserved slots or `on_low`, but the library is built without its feature `reserve`.
     */
    TIERPOOL_WITHOUT_RESERVE = 24,
    /**
     * A fallback without `link`, `allocate` or `deallocate`.
     */
    TIERPOOL_FALLBACK = 25,
    /**
     * The size or alignment is not that of the allocation: another tier serves it.
     */
    TIERPOOL_WRONG_SIZE = 26,
    /**
     * An error that this version of the C interface has no name for.
     */
    TIERPOOL_UNKNOWN = 255,
} tierpool_error;

/**
 * A pool. Lock-free: all functions on it may be called from any core, task or interrupt handler at
 * any time, where they do not say otherwise.
 */
typedef struct tierpool_pool tierpool_pool;

/**
 * One size class.
 */
typedef struct tierpool_tier {
    /**
     * Bytes of a slot, 1 to 65 536.
     */
    size_t bytes;
    /**
     * Number of slots, 1 to 1022.
     */
    size_t slots;
} tierpool_tier;

/**
 * Memory for requests that no slot serves, because the slots that fit are in use, or because the
 * request is larger than all of them. It is named in the geometry, lives for ever, and does not
 * change.
 *
 * ```c
 * // void *psram_alloc(void *context, size_t bytes, size_t align) {
 * //     return heap_caps_aligned_alloc(align, bytes, MALLOC_CAP_SPIRAM);
 * // }
 * // void psram_free(void *context, void *memory, size_t bytes, size_t align) { heap_caps_free(memory); }
 * static const tierpool_fallback psram = {
 *     .link = tierpool_fallback_link, .allocate = psram_alloc, .deallocate = psram_free};
 * static const tierpool_tier tiers[] = {{512, 16}};
 * static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .fallback = &psram};
 * ```
 */
typedef struct tierpool_fallback {
    /**
     * `tierpool_fallback_link`.
     */
    bool (*link)(const struct tierpool_fallback *fallback, void *words);
    /**
     * Memory of at least `bytes` bytes, which are never 0, aligned to `align`; null if there is
     * none. It belongs to the pool until `deallocate`. The pool gives misaligned memory back, and
     * the request then fails. Must not throw.
     *
     * It runs where bytes or memory are asked for. So a pool with a fallback serves an interrupt
     * handler only if this function may run there.
     */
    void *(*allocate)(void *context, size_t bytes, size_t align);
    /**
     * Takes memory back, of the size and alignment that it was asked for with. Must not throw.
     */
    void (*deallocate)(void *context, void *memory, size_t bytes, size_t align);
    /**
     * What both functions get.
     */
    void *context;
    /**
     * The last release of a buffer calls `deallocate`, wherever that release is. Set it only if
     * `deallocate` may run there: in an interrupt handler, if handlers release such buffers. If it
     * is false, buffers wait until the next request of the fallback, or `tierpool_reclaim`.
     */
    bool free_at_once;
    /**
     * Where the control blocks lie, of 16 bytes on 32-bit chips, one for each buffer. Null: in
     * front of the payload. Atomic instructions must work there, and do not in the PSRAM of ESP32,
     * S2 and S3: there name a fallback in internal RAM. Its own `control` is not read.
     */
    const struct tierpool_fallback *control;
} tierpool_fallback;

/**
 * Tiers and options of a pool. What is left zero is off.
 *
 * Where a function takes a geometry, null is the default one: 256, 512 and 1024 bytes, 16 slots
 * each.
 *
 * ```c
 * static const tierpool_tier tiers[] = {{64, 32}, {512, 16}};
 * static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .spill = 1};
 * tierpool_layout layout;
 * tierpool_error error = tierpool_layout_of(&geometry, &layout);
 * ```
 */
typedef struct tierpool_geometry {
    /**
     * By rising size. Read by the function that takes the geometry, and not kept.
     */
    const struct tierpool_tier *tiers;
    /**
     * 1 to `TIERPOOL_MAX_TIERS`.
     */
    size_t tier_count;
    /**
     * Bytes, a power of two up to 4096: every slot is aligned to it, and its size rounded up to
     * it. With 0 or 1 a slot is as aligned as its size allows: 256-byte slots to 64 bytes, 24-byte
     * slots to 8.
     */
    size_t align;
    /**
     * How many of the next larger tiers serve a request whose own tier is exhausted.
     */
    size_t spill;
    /**
     * Overwrite each slot with zeros when it is freed.
     */
    bool zero_on_free;
    /**
     * Free lists for each tier, so that cores do not share one: 1 to `TIERPOOL_MAX_LANES`, and at
     * most the slots of any tier. With 0 or 1 there is one. More need a library that is built with
     * its feature `lanes`.
     *
     * A request begins in the lane that `lane` names. If that is empty, it goes on to the other
     * lanes of the tier, and then to larger tiers. A slot goes back to the lane that it is of.
     */
    size_t lanes;
    /**
     * The lane of the caller, for more than one: the number of its core or thread. Any number is
     * taken modulo `lanes`. It may change at any moment, because a wrong answer costs speed alone.
     *
     * Called wherever memory or bytes are allocated, possibly in an interrupt handler: it must be
     * quick, and must not throw.
     *
     * ```c
     * static const tierpool_tier tiers[] = {{512, 16}};
     * // size_t current_core(void) { return (size_t)xPortGetCoreID(); }
     * static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .lanes = 2, .lane = current_core};
     * ```
     */
    size_t (*lane)(void);
    /**
     * Called with the pool when a slot has come back that somebody waits for, see
     * `tierpool_arm_free_notify`. Null is no function. The slot is free already.
     *
     * It runs where the slot was freed, possibly in an interrupt handler: it must be quick, and
     * must not throw. On an RTOS it wakes a task by a function that handlers may call.
     *
     * ```c
     * static const tierpool_tier tiers[] = {{512, 16}};
     * // void wake(tierpool_pool *pool) { vTaskNotifyGiveFromISR(receiver, NULL); }
     * static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .on_free = wake};
     * ```
     */
    void (*on_free)(struct tierpool_pool *pool);
    /**
     * Reserved slots of each tier, 0 to 1022, beside those of `tiers`: `tier_count` numbers, read
     * by the function that takes the geometry, and not kept. Null is no reserve. Only
     * `tierpool_alloc_reserved` takes such slots. They need a library that is built with its
     * feature `reserve`.
     *
     * A reserve takes as much control memory as a tier, and its slots as much as other slots.
     *
     * ```c
     * static const tierpool_tier tiers[] = {{256, 16}, {1536, 12}};
     * static const size_t reserved[] = {0, 4};
     * static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .reserved = reserved};
     * ```
     */
    const size_t *reserved;
    /**
     * Called with the pool and the bytes of a slot when a plain request finds a tier empty: its own,
     * or with `spill` a larger one. For each tier it is called once, and again only when the tier
     * has served a request in between. So a router can shed load. Null is no function. It needs a library that is built with its feature `reserve`.
     *
     * It runs where the request was made, possibly in an interrupt handler, before the request tries
     * larger tiers. It may use the pool, and must not throw.
     *
     * ```c
     * static const tierpool_tier tiers[] = {{512, 16}};
     * // void low(tierpool_pool *pool, size_t bytes) { shed_load = true; }
     * static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .on_low = low};
     * ```
     */
    void (*on_low)(struct tierpool_pool *pool, size_t bytes);
    /**
     * Where the memory comes from for what no slot serves. It lives for ever. Null is nowhere: such
     * requests fail.
     */
    const struct tierpool_fallback *fallback;
} tierpool_geometry;

/**
 * The memory that a pool takes. Sizes and alignments in bytes.
 */
typedef struct tierpool_layout {
    /**
     * Size of the control memory.
     */
    size_t control_bytes;
    /**
     * What control memory must be aligned to.
     */
    size_t control_align;
    /**
     * Size of the payload, a multiple of its alignment.
     */
    size_t payload_bytes;
    /**
     * What payload must be aligned to.
     */
    size_t payload_align;
} tierpool_layout;

/**
 * Memory for a pool, for `tierpool_init`. The macros `TIERPOOL_DEFAULT_MEMORY` and
 * `TIERPOOL_MEMORY` declare some.
 */
typedef struct tierpool_memory {
    /**
     * Heads, states and descriptor: in RAM where atomic instructions work, so not in PSRAM on
     * ESP32, S2 and S3.
     */
    void *control;
    /**
     * Its size in bytes.
     */
    size_t control_bytes;
    /**
     * The slots: in any memory.
     */
    void *payload;
    /**
     * Its size in bytes.
     */
    size_t payload_bytes;
    /**
     * The control memory was all zero when the program started, as static memory is that lies in
     * no section of its own. Then `tierpool_init` refuses to make a second pool in it. Memory of a
     * heap may hold anything, so there it is not checked.
     */
    bool zeroed;
} tierpool_memory;

/**
 * A reference to shared bytes, or to a part of them. All zero is a reference to no bytes, which
 * needs no release. Whatever else was made is released, whatever its length: a buffer of no bytes
 * has a slot, too.
 *
 * Read `len` bytes at `data`; write through `tierpool_bytes_make_mut` only. The view may be
 * narrowed by hand: a larger `data`, a smaller `len`. A plain copy of the struct is the *same*
 * reference by another name, not one more: of the two only one may be used and released. One more
 * is made by `tierpool_bytes_retain`.
 *
 * Different handles, of the same bytes too, may be used at the same time by different cores, tasks
 * and interrupt handlers; one handle by one of them at a time.
 */
typedef struct tierpool_bytes {
    /**
     * The first byte.
     */
    const uint8_t *data;
    /**
     * How many there are.
     */
    size_t len;
    /**
     * The library's own.
     */
    const void *reserved[2];
} tierpool_bytes;

/**
 * The counts of one tier.
 */
typedef struct tierpool_tier_stats {
    /**
     * Bytes of a slot.
     */
    size_t bytes;
    /**
     * Number of slots.
     */
    size_t slots;
    /**
     * Slots held now.
     */
    size_t in_use;
    /**
     * Largest number of slots that were away at once. In a pool with lanes it is an upper bound: the
     * sum over the lanes.
     */
    size_t peak;
    /**
     * Requests that this tier has served, spilled ones included.
     */
    uint64_t served;
    /**
     * Requests that found this tier empty, whether a larger one then served them or not.
     */
    uint64_t missed;
    /**
     * The tier stood still while `in_use` was counted.
     */
    bool exact;
    /**
     * Number of reserved slots. They are not among `slots`, and all figures above leave them out.
     */
    size_t reserve_slots;
    /**
     * Reserved slots held now.
     */
    size_t reserve_in_use;
    /**
     * Largest number of reserved slots that were held at once.
     */
    size_t reserve_peak;
    /**
     * Requests that the reserve has served.
     */
    uint64_t reserve_served;
} tierpool_tier_stats;

/**
 * A snapshot of a pool's counts. Exact while nobody allocates or frees.
 */
typedef struct tierpool_stats {
    /**
     * All requests: for handles, memory, growth and copies.
     */
    uint64_t requests;
    /**
     * Requests that a tier served.
     */
    uint64_t hits;
    /**
     * Requests that no tier served. The fallback may have: `fallbacks`. Whether a heap of the
     * caller then did, the pool does not know.
     */
    uint64_t misses;
    /**
     * Those that a tier fits, but none that may serve them had a free slot.
     */
    uint64_t exhausted;
    /**
     * Those larger than the largest tier.
     */
    uint64_t oversized;
    /**
     * Requests that the fallback of the geometry served.
     */
    uint64_t fallbacks;
    /**
     * Buffers of the fallback that handles hold now.
     */
    uint32_t fallback_live;
    /**
     * How many of the tiers below there are.
     */
    size_t tier_count;
    /**
     * By rising size.
     */
    struct tierpool_tier_stats tiers[TIERPOOL_MAX_TIERS];
} tierpool_stats;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * What an error means, and what to do about it, as a string that lives for ever. Never null; takes
 * any number.
 *
 * Interrupt handler: yes. Cost: no atomic operation.
 *
 * ```c
 * puts(tierpool_error_text(tierpool_free(pool, &pool)));
 * ```
 */
const char *tierpool_error_text(unsigned int error);

/**
 * How much memory a pool of this geometry takes.
 *
 * Interrupt handler: yes. Cost: no atomic operation.
 *
 * # Errors
 * `TIERPOOL_NULL`; `TIERPOOL_ALIGN`, `TIERPOOL_TIERS`, `TIERPOOL_SIZE`, `TIERPOOL_SLOTS`,
 * `TIERPOOL_DESCENDING`, `TIERPOOL_LANES`, `TIERPOOL_SLOTS_PER_LANE`, `TIERPOOL_NO_LANE_FUNCTION`,
 * `TIERPOOL_WITHOUT_LANES`, `TIERPOOL_RESERVED`, `TIERPOOL_WITHOUT_RESERVE`, `TIERPOOL_FALLBACK` for a wrong geometry, which `tierpool_geometry_explain` puts into words.
 * `layout` is then all zero.
 *
 * # Safety
 * `geometry` is null (the default) or valid to read with its tiers, reserves and fallback; `layout`
 * is null or valid to write.
 *
 * ```c
 * tierpool_layout layout;
 * if (tierpool_layout_of(NULL, &layout) == TIERPOOL_OK) {
 *     printf("%zu bytes, %zu of them payload\n", layout.control_bytes + layout.payload_bytes, layout.payload_bytes);
 * }
 * ```
 */
enum tierpool_error tierpool_layout_of(const struct tierpool_geometry *geometry,
                                       struct tierpool_layout *layout);

/**
 * Says in words what is wrong with a geometry, and which of its tiers is, into a buffer of `bytes`
 * bytes: cut where that ends, always closed by a zero byte. Returns the length of the whole text;
 * 0 if nothing is wrong.
 *
 * Interrupt handler: better not (it formats). Cost: no atomic operation.
 *
 * # Safety
 * `geometry` as in `tierpool_layout_of`; `text` is null or has `bytes` bytes to write.
 *
 * ```c
 * static const tierpool_tier falling[] = {{512, 16}, {256, 16}};
 * static const tierpool_geometry geometry = {.tiers = falling, .tier_count = 2};
 * char text[100];
 * if (tierpool_geometry_explain(&geometry, text, sizeof text) > 0) {
 *     puts(text); // tier 1 (256 bytes): smaller than the tier before it; list the tiers by rising size
 * }
 * ```
 */
size_t tierpool_geometry_explain(const struct tierpool_geometry *geometry, char *text, size_t bytes);

/**
 * Makes a pool in memory of the caller. Call it once for each pool, at start. There is no function
 * that ends a pool.
 *
 * Interrupt handler: no. Cost: writes the control memory; payload is not touched.
 *
 * # Errors
 * Those of `tierpool_layout_of`; `TIERPOOL_CONTROL_TOO_SHORT`, `TIERPOOL_CONTROL_MISALIGNED`,
 * `TIERPOOL_PAYLOAD_TOO_SHORT`, `TIERPOOL_PAYLOAD_MISALIGNED`. `TIERPOOL_IN_USE` if there is a
 * pool in the memory already, and `memory` says `zeroed`, as that of the macros does: that pool is
 * unchanged. `*pool` is then null.
 *
 * # Safety
 * `geometry` as in `tierpool_layout_of`. The memory that `memory` names is the pool's alone from
 * now on and for ever: it is static, or never freed. `pool` is null or valid to write.
 *
 * ```c
 * TIERPOOL_DEFAULT_MEMORY(memory);
 * tierpool_pool *packets;
 * tierpool_error error = tierpool_init(NULL, &memory, &packets);
 * if (error != TIERPOOL_OK) {
 *     puts(tierpool_error_text(error));
 * }
 * ```
 */
enum tierpool_error tierpool_init(const struct tierpool_geometry *geometry,
                                  const struct tierpool_memory *memory,
                                  struct tierpool_pool **pool);

/**
 * The pool of a `TIERPOOL_STATIC_POOL`, which calls this: built by whoever uses it first, and found
 * by all others. Null if the geometry is wrong or the memory too short; then every function says
 * `TIERPOOL_NULL`, and `tierpool_geometry_explain` says why.
 *
 * No lock, and nobody waits. Several callers may build the pool at the same time, on several cores,
 * or one in an interrupt handler that has interrupted the other. All of them write the same words
 * into memory that was zero, each word is written once, and the pool is used by whoever has written
 * or seen all of them. What changes in a pool is zero while it is fresh, so a caller that is late
 * resets nothing.
 *
 * `*made` is null at start, and belongs to the library.
 *
 * Interrupt handler: yes, also before `main`. Cost: one load; while the pool is not built, up to
 * about 40 compare-and-swaps, and 10 more for each tier.
 *
 * # Safety
 * `geometry` as in `tierpool_layout_of`. `made` and `memory` are null or valid; `made` lives for
 * ever, and was null at start. The memory that `memory` names is the pool's alone, static, and its
 * control memory was zero when the program started. All calls for one `made` bring the same.
 *
 * ```c
 * TIERPOOL_DEFAULT_MEMORY(memory);
 * static tierpool_pool *made;
 * assert(tierpool_static(&made, NULL, &memory) == tierpool_static(&made, NULL, &memory));
 * ```
 */
struct tierpool_pool *tierpool_static(struct tierpool_pool **made,
                                      const struct tierpool_geometry *geometry,
                                      const struct tierpool_memory *memory);

/**
 * Takes a slot for `bytes` bytes, aligned to `align`: the smallest that fits, then, with `spill`,
 * the next ones. The contents are whatever was there. 0 bytes take a slot, too.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`; `TIERPOOL_OVERSIZED` also where no slot is aligned so; `TIERPOOL_ALIGN` if
 * that is no power of two; `TIERPOOL_NULL`. `*memory` is then null.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`; `memory` is null or valid to write.
 *
 * ```c
 * void *memory;
 * if (tierpool_alloc(pool, sizeof(uint32_t[100]), _Alignof(uint32_t), &memory) == TIERPOOL_OK) {
 *     memset(memory, 0, sizeof(uint32_t[100]));
 *     tierpool_free(pool, memory);
 * }
 * ```
 */
enum tierpool_error tierpool_alloc(struct tierpool_pool *pool, size_t bytes, size_t align, void **memory);

/**
 * As `tierpool_alloc`, but takes a reserved slot where the plain ones are used up: for what must
 * get through so that others can go on, as acknowledgements do. A reserved slot is of the same
 * tier or a larger one, and goes back to the reserve, by any of the functions that free.
 * `tierpool_bytes_from_raw` makes a handle of it.
 *
 * Without a reserve (`reserved` of the geometry) it is `tierpool_alloc`.
 *
 * Interrupt handler: yes. Cost: two compare-and-swaps.
 *
 * # Errors
 * Those of `tierpool_alloc`. `*memory` is then null.
 *
 * # Safety
 * As `tierpool_alloc`.
 *
 * ```c
 * void *answer;
 * if (tierpool_alloc_reserved(pool, 64, 1, &answer) == TIERPOOL_OK) {
 *     tierpool_free(pool, answer);
 * }
 * ```
 */
enum tierpool_error tierpool_alloc_reserved(struct tierpool_pool *pool, size_t bytes, size_t align, void **memory);

/**
 * Gives a slot back, found and checked by its address alone. Null is nothing to give back.
 *
 * Interrupt handler: yes. Cost: two compare-and-swaps.
 *
 * # Errors
 * `TIERPOOL_FOREIGN`, `TIERPOOL_INTERIOR`, `TIERPOOL_NULL` (the pool); `TIERPOOL_NOT_ALLOCATED`:
 * of two frees of one allocation exactly one succeeds, also when they race, until the slot is
 * handed out again. The pool is whole and unchanged.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`. If `memory` is a slot of this pool, the caller owns it
 * and nobody uses it any more.
 *
 * ```c
 * void *memory;
 * if (tierpool_alloc(pool, 100, 1, &memory) == TIERPOOL_OK) {
 *     tierpool_free(pool, memory);
 *     puts(tierpool_error_text(tierpool_free(pool, memory))); // the slot is not allocated: ...
 * }
 * ```
 */
enum tierpool_error tierpool_free(struct tierpool_pool *pool, void *memory);

/**
 * Gives a slot back, found by the size and alignment that it was asked for with, and not checked.
 * Any other size will do that the same tier serves. Null is nothing to give back.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap.
 *
 * # Errors
 * `TIERPOOL_NULL` (the pool), `TIERPOOL_ALIGN`. Anything else that is wrong is undefined
 * behaviour.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`. `memory` is null, or from `tierpool_alloc` or
 * `tierpool_alloc_reserved` of this pool with the same `align`, and the same `bytes` or others that
 * the same tier serves. It has not been given back, and nobody uses it any more.
 *
 * ```c
 * void *memory;
 * if (tierpool_alloc(pool, 100, 1, &memory) == TIERPOOL_OK) {
 *     tierpool_free_sized(pool, memory, 100, 1);
 * }
 * ```
 */
enum tierpool_error tierpool_free_sized(struct tierpool_pool *pool, void *memory, size_t bytes, size_t align);

/**
 * As `tierpool_free_sized`, and checks what the caller says. A program that defines
 * `TIERPOOL_CHECKED` in front of the header calls this wherever it writes `tierpool_free_sized`, as
 * the allocators for C++ do, and stops with the text of the error.
 *
 * Interrupt handler: yes. Cost: two compare-and-swaps.
 *
 * # Errors
 * `TIERPOOL_WRONG_SIZE` if no request of this size and alignment gets such a slot;
 * `TIERPOOL_ALIGN`, and those of `tierpool_free`. The pool is whole and unchanged.
 *
 * # Safety
 * As `tierpool_free`.
 *
 * ```c
 * void *memory;
 * if (tierpool_alloc(pool, 100, 1, &memory) == TIERPOOL_OK) {
 *     assert(tierpool_free_sized_checked(pool, memory, 500, 1) == TIERPOOL_WRONG_SIZE);
 *     assert(tierpool_free_sized_checked(pool, memory, 100, 1) == TIERPOOL_OK);
 *     assert(tierpool_free_sized_checked(pool, memory, 100, 1) == TIERPOOL_NOT_ALLOCATED);
 * }
 * ```
 */
enum tierpool_error tierpool_free_sized_checked(struct tierpool_pool *pool, void *memory, size_t bytes, size_t align);

/**
 * True if `memory` lies anywhere in this pool's slots, whoever owns them.
 *
 * Interrupt handler: yes. Cost: no atomic operation.
 *
 * # Safety
 * `pool` is null (which owns nothing) or from `tierpool_init`. `memory` may be any pointer.
 *
 * ```c
 * int elsewhere = 0;
 * assert(!tierpool_owns(pool, &elsewhere));
 * ```
 */
bool tierpool_owns(const struct tierpool_pool *pool, const void *memory);

/**
 * The bytes of the slot in which `memory` lies, whoever owns it: how much of it may be used. 0 if it
 * lies in no slot of this pool.
 *
 * Interrupt handler: yes. Cost: no atomic operation.
 *
 * # Safety
 * `pool` is null (which has no slots) or from `tierpool_init`. `memory` may be any pointer.
 *
 * ```c
 * void *memory;
 * if (tierpool_alloc(pool, 300, 1, &memory) == TIERPOOL_OK) {
 *     assert(tierpool_slot_bytes(pool, memory) == 512);
 *     tierpool_free_sized(pool, memory, 512, 1); // any size of its tier
 * }
 * ```
 */
size_t tierpool_slot_bytes(const struct tierpool_pool *pool, const void *memory);

/**
 * Brings the code for fallbacks into a program: write it into `link`, and do not call it. False if a
 * function is missing.
 *
 * # Safety
 * `fallback` lives for ever, and is as its fields ask; `words` has room for two pointers.
 */
bool tierpool_fallback_link(const struct tierpool_fallback *fallback, void *words);

/**
 * As `tierpool_alloc`, and memory of the pool's fallback where no slot serves. The statistics count
 * it as the fallback's. Free it by `tierpool_free_or_fallback`.
 *
 * Interrupt handler: as the fallback. Cost: that of `tierpool_alloc`, and what the fallback takes.
 *
 * # Errors
 * Those of `tierpool_alloc`, where the fallback has no memory either. `*memory` is then null.
 *
 * # Safety
 * As `tierpool_alloc`.
 *
 * ```c
 * void *table;
 * if (tierpool_alloc_or_fallback(pool, 20000, 8, &table) == TIERPOOL_OK) {
 *     tierpool_free_or_fallback(pool, table, 20000, 8);
 * }
 * ```
 */
enum tierpool_error tierpool_alloc_or_fallback(struct tierpool_pool *pool, size_t bytes, size_t align, void **memory);

/**
 * Gives memory of `tierpool_alloc_or_fallback` back to where it came from. Null is nothing to give
 * back.
 *
 * Interrupt handler: if it is a slot, or if `deallocate` of the fallback may run there. Cost: one
 * compare-and-swap, or what the fallback takes.
 *
 * # Errors
 * `TIERPOOL_NULL` (the pool), `TIERPOOL_ALIGN`. Anything else that is wrong is undefined
 * behaviour.
 *
 * # Safety
 * As `tierpool_free_sized`, of memory of `tierpool_alloc_or_fallback`.
 *
 * ```c
 * void *memory;
 * if (tierpool_alloc_or_fallback(pool, 100, 1, &memory) == TIERPOOL_OK) {
 *     tierpool_free_or_fallback(pool, memory, 100, 1);
 * }
 * ```
 */
enum tierpool_error tierpool_free_or_fallback(struct tierpool_pool *pool, void *memory, size_t bytes, size_t align);

/**
 * True if the geometry of the pool has named a fallback.
 *
 * Interrupt handler: yes. Cost: no atomic operation.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`.
 *
 * ```c
 * assert(!tierpool_has_fallback(pool));
 * ```
 */
bool tierpool_has_fallback(const struct tierpool_pool *pool);

/**
 * Gives the buffers that wait for it back to the fallback, and returns how many. Call it from a
 * task, now and then, if the fallback does not free at once, and buffers of it are released where
 * it must not be entered.
 *
 * Interrupt handler: no. Cost: one swap if there is anything to do, and what the fallback takes.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`.
 *
 * ```c
 * assert(tierpool_reclaim(pool) == 0);
 * ```
 */
size_t tierpool_reclaim(struct tierpool_pool *pool);

/**
 * Asks for one call of `on_free` of the geometry when a slot comes back that can serve `bytes`
 * bytes.
 *
 * Call it after a request that failed with `TIERPOOL_EXHAUSTED`. If it returns true, the next such
 * free calls `on_free`: sleep until then, and try again. If it returns false, a slot has come back
 * meanwhile, so try again at once. It also returns false if there is nothing to wait for: no tier
 * fits, `on_free` is null, the pool is null.
 *
 * `on_free` sees all that the caller did before this call. So first note which task is to be
 * woken, and then call it. With `spill`, all tiers that may serve the request are asked, so there
 * may be one call for each. A call is a hint: another task may be faster, and a slot of a tier
 * that is less aligned than the request asked for calls, too. So sleep with a time-out. Reserved
 * slots that come back do not call.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap a tier. Frees pay nothing unless they call.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`.
 *
 * ```c
 * void *memory;
 * while (tierpool_alloc(pool, 500, 1, &memory) == TIERPOOL_EXHAUSTED) {
 *     if (tierpool_arm_free_notify(pool, 500)) {
 *         // ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(100)), which `on_free` ends
 *     }
 * }
 * tierpool_free(pool, memory);
 * ```
 */
bool tierpool_arm_free_notify(struct tierpool_pool *pool, size_t bytes);

/**
 * `len` bytes of zeros in a slot of the pool. `*out` is not read: release what it held before.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap, `len` bytes written.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; `*out` is then no bytes.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`; `out` is null or valid to write.
 *
 * ```c
 * tierpool_bytes reply;
 * if (tierpool_bytes_zeroed(pool, 200, &reply) == TIERPOOL_OK) {
 *     tierpool_bytes_release(&reply);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_zeroed(struct tierpool_pool *pool, size_t len, struct tierpool_bytes *out);

/**
 * A copy of `len` bytes in a slot of the pool. `*out` is not read: release what it held before.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap, the copy.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; `*out` is then no bytes.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`; `len` bytes at `data` are valid to read; `out` is null
 * or valid to write.
 *
 * ```c
 * tierpool_bytes frame;
 * if (tierpool_bytes_copy(pool, received, length, &frame) == TIERPOOL_OK) {
 *     tierpool_bytes_release(&frame);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_copy(struct tierpool_pool *pool,
                                        const uint8_t *data,
                                        size_t len,
                                        struct tierpool_bytes *out);

/**
 * Makes a slot from `tierpool_alloc` a handle on its first `len` bytes, without a copy: for a
 * driver that has filled it. The slot then goes back with the last release, and not by
 * `tierpool_free`.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap.
 *
 * # Errors
 * Those of `tierpool_free`; `TIERPOOL_RANGE` if the slot is shorter than `len`. The slot is then
 * still the caller's, and `*out` no bytes.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`. If `memory` is a slot of it, the caller owns it, has
 * written `len` bytes there, and does not use the pointer any more. `out` is null or valid to
 * write.
 *
 * ```c
 * void *slot;
 * if (tierpool_alloc(pool, 500, 1, &slot) == TIERPOOL_OK) {
 *     memcpy(slot, received, length); // or by DMA
 *     tierpool_bytes frame;
 *     if (tierpool_bytes_from_raw(pool, slot, length, &frame) == TIERPOOL_OK) {
 *         tierpool_bytes_release(&frame);
 *     }
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_from_raw(struct tierpool_pool *pool,
                                            void *memory,
                                            size_t len,
                                            struct tierpool_bytes *out);

/**
 * A handle on bytes that live for ever and do not change, such as constants in flash. Copies and
 * counts nothing; null is no bytes.
 *
 * Interrupt handler: yes. Cost: no atomic operation.
 *
 * # Safety
 * `len` bytes at `data` are valid to read for ever, and nobody writes them; or `data` is null.
 *
 * ```c
 * tierpool_bytes hello = tierpool_bytes_from_static((const uint8_t *)"hello", 5);
 * assert(hello.len == 5);
 * ```
 */
struct tierpool_bytes tierpool_bytes_from_static(const uint8_t *data, size_t len);

/**
 * One more reference to the same bytes, to be released on its own. Null, and what is all zero,
 * give no bytes.
 *
 * Interrupt handler: yes. Cost: one atomic addition; 2^27 references to one buffer end in a trap.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference.
 *
 * ```c
 * tierpool_bytes queued = tierpool_bytes_retain(packet);
 * tierpool_bytes_release(&queued);
 * ```
 */
struct tierpool_bytes tierpool_bytes_retain(const struct tierpool_bytes *bytes);

/**
 * Gives up a reference; with the last one the slot goes back to its pool. The handle is no bytes
 * afterwards, so that a second release of it does nothing. Null does nothing.
 *
 * Interrupt handler: yes. Cost: the last reference, one load and one compare-and-swap; the others
 * one load and one subtraction.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference, or no bytes.
 *
 * ```c
 * tierpool_bytes frame;
 * tierpool_bytes_copy(pool, received, length, &frame); // no bytes if it fails
 * tierpool_bytes_release(&frame);
 * ```
 */
void tierpool_bytes_release(struct tierpool_bytes *bytes);

/**
 * One more reference, to `len` bytes from `start`. An empty part has its place in `data`, but
 * holds no slot. `*out` is not read: release what it held before; it is not `bytes`.
 *
 * Interrupt handler: yes. Cost: one atomic addition.
 *
 * # Errors
 * `TIERPOOL_RANGE` if there are fewer bytes; `TIERPOOL_NULL`. `*out` is then no bytes.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference; `out` is null or valid to write.
 *
 * ```c
 * tierpool_bytes header;
 * if (tierpool_bytes_slice(packet, 0, 19, &header) == TIERPOOL_OK) {
 *     tierpool_bytes_release(&header);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_slice(const struct tierpool_bytes *bytes,
                                         size_t start,
                                         size_t len,
                                         struct tierpool_bytes *out);

/**
 * True if no other handle refers to the buffer, so that a write would not copy. Static bytes, and
 * what has no slot, are not unique.
 *
 * Interrupt handler: yes. Cost: one atomic load.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference.
 *
 * ```c
 * tierpool_bytes other = tierpool_bytes_retain(packet);
 * assert(!tierpool_bytes_is_unique(packet));
 * tierpool_bytes_release(&other);
 * ```
 */
bool tierpool_bytes_is_unique(const struct tierpool_bytes *bytes);

/**
 * Bytes of memory that this handle keeps from being used again: those of its whole slot, however
 * short the part; 0 for static bytes and none.
 *
 * Interrupt handler: yes. Cost: no read-modify-write.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference.
 *
 * ```c
 * printf("%zu of %zu bytes used\n", packet->len, tierpool_bytes_footprint(packet));
 * ```
 */
size_t tierpool_bytes_footprint(const struct tierpool_bytes *bytes);

/**
 * The bytes for writing: `*data` is where they are, and good until the next call on this handle.
 * Copied first while another handle shares them, or if they are static, so `bytes->data` may
 * change: into `pool`, or, if that is null, into the pool that they lie in; and no more than these
 * bytes. A handle of no bytes stays as it is, shared or not: there is nothing to copy.
 *
 * Interrupt handler: yes. Cost: one atomic load; with a copy an allocation and a release besides.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
 * unchanged, and `*data` null.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`;
 * `data` is null or valid to write.
 *
 * ```c
 * uint8_t *data;
 * if (tierpool_bytes_make_mut(packet, NULL, &data) == TIERPOOL_OK && packet->len > 1) {
 *     data[1] += 1; // nobody else sees it
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_make_mut(struct tierpool_bytes *bytes, struct tierpool_pool *pool, uint8_t **data);

/**
 * Appends `len` bytes. While nobody shares the buffer and they fit into its slot, in place; else
 * the bytes move first, into a slot of `pool`, or, if that is null, of the pool that they lie in.
 * `data` may point into `bytes` itself, and to what lies beside them in their slot.
 *
 * Interrupt handler: yes. Cost: the copy; if the bytes move, an allocation, a release and a copy
 * besides.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
 * unchanged.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`;
 * `len` bytes at `data` are valid to read.
 *
 * ```c
 * tierpool_bytes frame = {0}; // no bytes, of no pool
 * if (tierpool_bytes_append(&frame, pool, received, length) == TIERPOOL_OK) {
 *     tierpool_bytes_append(&frame, NULL, frame.data, frame.len); // twice as long
 * }
 * tierpool_bytes_release(&frame);
 * ```
 */
enum tierpool_error tierpool_bytes_append(struct tierpool_bytes *bytes,
                                          struct tierpool_pool *pool,
                                          const uint8_t *data,
                                          size_t len);

/**
 * Moves the bytes into the smallest slot of `pool` that fits, if that holds less memory than now:
 * so that a 32-byte part does not pin a 1024-byte slot for hours.
 *
 * Interrupt handler: yes. Cost: an allocation, the copy, a release; nothing if it would not help.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; the handle is unchanged.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`.
 *
 * ```c
 * tierpool_bytes hash;
 * if (tierpool_bytes_slice(packet, 2, 16, &hash) == TIERPOOL_OK) {
 *     tierpool_bytes_compact(&hash, pool);
 *     tierpool_bytes_release(&hash);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_compact(struct tierpool_bytes *bytes, struct tierpool_pool *pool);

/**
 * No bytes yet, in a slot of the pool with room for `capacity` bytes, and `headroom` bytes in front
 * of them for `tierpool_bytes_prepend`. `*out` is not read: release what it held before.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; `*out` is then no bytes.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`; `out` is null or valid to write.
 *
 * ```c
 * tierpool_bytes frame;
 * if (tierpool_bytes_with_capacity(pool, 19, 481, &frame) == TIERPOOL_OK) {
 *     tierpool_bytes_append(&frame, NULL, received, length);              // in place
 *     tierpool_bytes_prepend(&frame, NULL, (const uint8_t *)"header", 6); // in place
 *     tierpool_bytes_release(&frame);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_with_capacity(struct tierpool_pool *pool,
                                                 size_t headroom,
                                                 size_t capacity,
                                                 struct tierpool_bytes *out);

/**
 * How long the bytes can become without a move: `len`, and the room behind them. Just `len` while
 * another handle shares their buffer, and for static bytes.
 *
 * Interrupt handler: yes. Cost: one atomic load.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference.
 *
 * ```c
 * assert(tierpool_bytes_capacity(packet) >= packet->len);
 * ```
 */
size_t tierpool_bytes_capacity(const struct tierpool_bytes *bytes);

/**
 * The room in front of the bytes, for `tierpool_bytes_prepend`. None while another handle shares
 * their buffer, and for static bytes.
 *
 * Interrupt handler: yes. Cost: one atomic load.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference.
 *
 * ```c
 * packet->data += 4; // strips a header,
 * packet->len -= 4;
 * assert(tierpool_bytes_headroom(packet) >= 4); // whose bytes become room for the next one
 * ```
 */
size_t tierpool_bytes_headroom(const struct tierpool_bytes *bytes);

/**
 * Makes room for `additional` bytes behind the bytes, so that appending them moves nothing. Where
 * the buffer has no such room, or another handle shares it, the bytes move first, into a slot of
 * `pool`, or, if that is null, of the pool that they lie in.
 *
 * Interrupt handler: yes. Cost: one atomic load; if the bytes move, an allocation, a release and
 * the copy besides.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
 * unchanged.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`.
 *
 * ```c
 * if (tierpool_bytes_reserve(packet, NULL, 400) == TIERPOOL_OK) {
 *     assert(tierpool_bytes_capacity(packet) >= packet->len + 400);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_reserve(struct tierpool_bytes *bytes, struct tierpool_pool *pool, size_t additional);

/**
 * Makes the bytes `len` long: cuts them, which moves nothing, or adds zeros behind them, as
 * `tierpool_bytes_append` adds bytes.
 *
 * Interrupt handler: yes. Cost: shorter, no atomic operation; longer, that of
 * `tierpool_bytes_reserve`, one atomic load and the zeros.
 *
 * # Errors
 * Those of `tierpool_bytes_reserve`; the handle is unchanged.
 *
 * # Safety
 * As of `tierpool_bytes_reserve`.
 *
 * ```c
 * if (tierpool_bytes_resize(packet, NULL, 200) == TIERPOOL_OK) {
 *     assert(packet->len == 200 && packet->data[199] == 0);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_resize(struct tierpool_bytes *bytes, struct tierpool_pool *pool, size_t len);

/**
 * Puts `len` bytes in front: in place, while nobody shares the buffer and it has such headroom;
 * else the bytes move first, into a slot of `pool`, or, if that is null, of the pool that they lie
 * in. `data` may point into `bytes` itself, which then moves.
 *
 * Interrupt handler: yes. Cost: one atomic load, the copy; if the bytes move, an allocation, a
 * release and a copy besides.
 *
 * # Errors
 * `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
 * unchanged.
 *
 * # Safety
 * As of `tierpool_bytes_append`.
 *
 * ```c
 * if (tierpool_bytes_prepend(packet, NULL, (const uint8_t *)"to: all, ", 9) == TIERPOOL_OK) {
 *     assert(packet->data[0] == 't');
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_prepend(struct tierpool_bytes *bytes,
                                           struct tierpool_pool *pool,
                                           const uint8_t *data,
                                           size_t len);

/**
 * A copy of `len` bytes from `start`, in the smallest slot of `pool`, or, if that is null, of the
 * pool that the bytes lie in. For what is kept for long: a part made by `tierpool_bytes_slice` keeps
 * the whole slot of its packet. `*out` is not read: release what it held before; it is not `bytes`.
 *
 * Interrupt handler: yes. Cost: one compare-and-swap, the copy.
 *
 * # Errors
 * `TIERPOOL_RANGE` if there are fewer bytes; `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`,
 * `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`. `*out` is then no bytes.
 *
 * # Safety
 * `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`;
 * `out` is null or valid to write.
 *
 * ```c
 * tierpool_bytes key;
 * if (tierpool_bytes_copy_slice(packet, NULL, 2, 16, &key) == TIERPOOL_OK) {
 *     assert(tierpool_bytes_footprint(&key) == 256 && memcmp(key.data, packet->data + 2, 16) == 0);
 *     tierpool_bytes_release(&key);
 * }
 * ```
 */
enum tierpool_error tierpool_bytes_copy_slice(const struct tierpool_bytes *bytes,
                                              struct tierpool_pool *pool,
                                              size_t start,
                                              size_t len,
                                              struct tierpool_bytes *out);

/**
 * Reads all counts of a pool.
 *
 * Interrupt handler: better not (it scans all slots' states). Cost: up to four compare-and-swaps a
 * tier; about 3.5 KB of stack on 64-bit hosts, 2.5 KB on 32-bit targets.
 *
 * # Errors
 * `TIERPOOL_NULL`.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`; `stats` is null or valid to write.
 *
 * ```c
 * tierpool_stats stats;
 * if (tierpool_stats_read(pool, &stats) == TIERPOOL_OK) {
 *     printf("%zu of %zu slots\n", stats.tiers[0].in_use, stats.tiers[0].slots);
 * }
 * ```
 */
enum tierpool_error tierpool_stats_read(const struct tierpool_pool *pool, struct tierpool_stats *stats);

/**
 * Makes of `stats` what has happened since `earlier`, a snapshot of the same pool: it subtracts
 * the requests. What is true of a moment stays: slots in use, and peaks. For the peak of the time
 * between, call `tierpool_reset_peak` at the earlier one.
 *
 * A difference below 0, of snapshots that are confused, is 0.
 *
 * Interrupt handler: yes. Cost: no atomic operation, a subtraction a tier and count.
 *
 * # Errors
 * `TIERPOOL_NULL`.
 *
 * # Safety
 * Both are null or valid to read, `stats` also to write. They are not the same.
 *
 * ```c
 * tierpool_stats noon, since;
 * if (tierpool_stats_read(pool, &noon) == TIERPOOL_OK && tierpool_stats_read(pool, &since) == TIERPOOL_OK) {
 *     tierpool_stats_since(&since, &noon);
 *     printf("%llu requests\n", (unsigned long long)since.requests);
 * }
 * ```
 */
enum tierpool_error tierpool_stats_since(struct tierpool_stats *stats, const struct tierpool_stats *earlier);

/**
 * Forgets the peaks of all tiers: from now on they tell the largest number of slots since this
 * call. Null does nothing.
 *
 * Interrupt handler: yes. Cost: one load a slot, and one compare-and-swap a free slot that was
 * used since the last reset.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`.
 *
 * ```c
 * tierpool_reset_peak(pool); // at midnight
 * ```
 */
void tierpool_reset_peak(struct tierpool_pool *pool);

/**
 * The number of free slots of the tier that serves requests for `bytes` bytes, without its
 * reserve. 0 if no tier fits, and for a null pool. Others may take slots at any time.
 *
 * Interrupt handler: yes. Cost: one load a slot of the tier.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`.
 *
 * ```c
 * if (tierpool_free_slots(pool, 1000) < 4) {
 *     puts("time to ask the sender for a pause");
 * }
 * ```
 */
size_t tierpool_free_slots(const struct tierpool_pool *pool, size_t bytes);

/**
 * Prints the counts as one line, `requests=… hits=… misses=… hit_rate=…% 256=1/16 …` (slots in use
 * and in all), into a buffer of `bytes` bytes: cut where that ends, always closed by a zero byte.
 * Returns the length of the whole line, as `snprintf` does; 0 for a null pool.
 *
 * Interrupt handler: no (it formats). Cost: as `tierpool_stats_read`.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`; `text` is null or has `bytes` bytes to write.
 *
 * ```c
 * char line[160];
 * tierpool_stats_print(pool, line, sizeof line);
 * puts(line);
 * ```
 */
size_t tierpool_stats_print(const struct tierpool_pool *pool, char *text, size_t bytes);

/**
 * As `tierpool_stats_print`, as a table with a line for each tier.
 *
 * Interrupt handler: no (it formats). Cost: as `tierpool_stats_read`.
 *
 * # Safety
 * As `tierpool_stats_print`.
 *
 * ```c
 * char table[1024];
 * tierpool_stats_table(pool, table, sizeof table);
 * puts(table);
 * ```
 */
size_t tierpool_stats_table(const struct tierpool_pool *pool, char *text, size_t bytes);

/**
 * As `tierpool_stats_print`: how many requests there were of which sizes, as the program `tierpool
 * fit` reads it, which finds tiers that fit better. About 20 bytes for each size class that was asked
 * for, and at most 2.5 KB. Needs a library that is built with the feature `histogram`, and
 * `TIERPOOL_HISTOGRAM` for the header; else there is nothing to print, and it returns 0.
 *
 * Interrupt handler: no (it formats). Cost: as `tierpool_stats_read`, and a load a size class.
 *
 * # Safety
 * As `tierpool_stats_print`.
 *
 * ```c
 * static char sizes[2500];
 * if (tierpool_histogram_print(pool, sizes, sizeof sizes) > 0) {
 *     puts(sizes);
 * }
 * ```
 */
size_t tierpool_histogram_print(const struct tierpool_pool *pool, char *text, size_t bytes);

/**
 * True if every slot is free; then all that was done with them has happened before. Meant for
 * moments of rest: while others allocate and free, the answer is out of date. False for a null
 * pool.
 *
 * Interrupt handler: better not (it walks the lists). Cost: one compare-and-swap a tier.
 *
 * # Safety
 * `pool` is null or from `tierpool_init`.
 *
 * ```c
 * if (!tierpool_is_idle(pool)) {
 *     puts("somebody holds a slot");
 * }
 * ```
 */
bool tierpool_is_idle(const struct tierpool_pool *pool);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TIERPOOL_H */

/*
 * Checked builds: with TIERPOOL_CHECKED defined for the whole program, `tierpool_free_sized` and `tierpool_free_or_fallback` look
 * at the slot, and stop the program where the memory is not the pool's, is free already, or was asked for with another size.
 * Otherwise such a free hands one slot to two owners without a word. TIERPOOL_STOP(text, file, line) may be the program's own; it
 * must not return.
 */
#if defined(TIERPOOL_CHECKED) && !defined(TIERPOOL_CHECKED_H)
#define TIERPOOL_CHECKED_H
#ifndef TIERPOOL_STOP
#include <stdio.h>
#include <stdlib.h>
#define TIERPOOL_STOP(text, file, line) (fprintf(stderr, "%s:%d: %s\n", file, line, text), abort())
#endif
static inline tierpool_error tierpool_free_or_stop(tierpool_pool *pool, void *memory, size_t bytes, size_t align,
                                                   const char *file, int line) {
    tierpool_error error = tierpool_free_sized_checked(pool, memory, bytes, align);
    if (error != TIERPOOL_OK) {
        TIERPOOL_STOP(tierpool_error_text(error), file, line);
    }
    return error;
}
static inline tierpool_error tierpool_free_both_or_stop(tierpool_pool *pool, void *memory, size_t bytes, size_t align,
                                                        const char *file, int line) {
    if (memory == NULL || tierpool_owns(pool, memory) || !tierpool_has_fallback(pool)) {
        return tierpool_free_or_stop(pool, memory, bytes, align, file, line);
    }
    return tierpool_free_or_fallback(pool, memory, bytes, align);
}
#define tierpool_free_or_fallback(pool, memory, bytes, align) \
    tierpool_free_both_or_stop(pool, memory, bytes, align, __FILE__, __LINE__)
#define tierpool_free_sized(pool, memory, bytes, align) \
    tierpool_free_or_stop(pool, memory, bytes, align, __FILE__, __LINE__)
#endif
