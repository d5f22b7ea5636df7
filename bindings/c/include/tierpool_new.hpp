// tierpool_new.hpp: operator new and delete of the whole program over a pool. C++11.
//
// Opt-in, and not for a library: include it in one file of the program. Name the pool first, by any expression, which is
// evaluated at each call. It may be called before main, so the pool is one that needs no init call:
//
//     TIERPOOL_STATIC_POOL(heap, (32, 256), (128, 64), (512, 16));
//     #define TIERPOOL_NEW_POOL heap()
//     #include "tierpool_new.hpp"
//
//   new ──► slot ──none──► malloc ──none──► new handler, std::bad_alloc or std::abort
//   delete: by the address, to where it came from
//
// A fallback of the pool is not asked, because it wants to be told the size of what it gets back. There is no state besides the
// pool. A second delete of a slot does nothing, as long as the slot has not been handed out again;
// with TIERPOOL_CHECKED it stops the program with a text.
#ifndef TIERPOOL_NEW_HPP
#define TIERPOOL_NEW_HPP

#ifndef TIERPOOL_NEW_POOL
#error "define TIERPOOL_NEW_POOL: an expression for the pool, such as the function of a TIERPOOL_STATIC_POOL, called"
#endif

#include <cstddef>
#include <cstdlib>
#include <new>

#include "tierpool.h"

namespace tierpool_new {

// What `new` without an alignment is aligned to.
#ifdef __STDCPP_DEFAULT_NEW_ALIGNMENT__
static const std::size_t plain = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
#else
static const std::size_t plain = alignof(std::max_align_t);
#endif

inline void *from_heap(std::size_t bytes, std::size_t align) noexcept {
#if __cplusplus >= 201703L
    if (align > plain) {
        const std::size_t whole = (bytes + align - 1) & ~(align - 1);
        return whole < bytes ? nullptr : std::aligned_alloc(align, whole);
    }
#endif
    (void)align;
    return std::malloc(bytes);
}

inline void *take(std::size_t bytes, std::size_t align) noexcept {
    bytes += bytes == 0;
    tierpool_pool *pool = TIERPOOL_NEW_POOL;
    void *memory;
    return tierpool_alloc(pool, bytes, align, &memory) == TIERPOOL_OK ? memory : from_heap(bytes, align);
}

// As the standard wants it: while there is none, the new handler, which may make some free.
inline void *take_or_handle(std::size_t bytes, std::size_t align) {
    for (;;) {
        if (void *memory = take(bytes, align)) {
            return memory;
        }
        if (std::new_handler handler = std::get_new_handler()) {
            handler();
            continue;
        }
#ifdef __cpp_exceptions
        throw std::bad_alloc();
#else
        std::abort();
#endif
    }
}

inline void *take_or_null(std::size_t bytes, std::size_t align) noexcept {
#ifdef __cpp_exceptions
    try {
        return take_or_handle(bytes, align);
    } catch (...) {
        return nullptr;
    }
#else
    return take(bytes, align);
#endif
}

inline void give_back(void *memory) noexcept {
    tierpool_pool *pool = TIERPOOL_NEW_POOL;
    if (!tierpool_owns(pool, memory)) {
        std::free(memory); // null, too
        return;
    }
    const tierpool_error error = tierpool_free(pool, memory);
    (void)error;
#ifdef TIERPOOL_CHECKED
    if (error != TIERPOOL_OK) {
        TIERPOOL_STOP(tierpool_error_text(error), __FILE__, __LINE__);
    }
#endif
}

}  // namespace tierpool_new

void *operator new(std::size_t bytes) { return tierpool_new::take_or_handle(bytes, tierpool_new::plain); }
void *operator new[](std::size_t bytes) { return tierpool_new::take_or_handle(bytes, tierpool_new::plain); }
void *operator new(std::size_t bytes, const std::nothrow_t &) noexcept { return tierpool_new::take_or_null(bytes, tierpool_new::plain); }
void *operator new[](std::size_t bytes, const std::nothrow_t &) noexcept { return tierpool_new::take_or_null(bytes, tierpool_new::plain); }
void operator delete(void *memory) noexcept { tierpool_new::give_back(memory); }
void operator delete[](void *memory) noexcept { tierpool_new::give_back(memory); }
void operator delete(void *memory, const std::nothrow_t &) noexcept { tierpool_new::give_back(memory); }
void operator delete[](void *memory, const std::nothrow_t &) noexcept { tierpool_new::give_back(memory); }
#if __cplusplus >= 201402L
void operator delete(void *memory, std::size_t) noexcept { tierpool_new::give_back(memory); }
void operator delete[](void *memory, std::size_t) noexcept { tierpool_new::give_back(memory); }
#endif

#if __cplusplus >= 201703L
void *operator new(std::size_t bytes, std::align_val_t align) {
    return tierpool_new::take_or_handle(bytes, static_cast<std::size_t>(align));
}
void *operator new[](std::size_t bytes, std::align_val_t align) {
    return tierpool_new::take_or_handle(bytes, static_cast<std::size_t>(align));
}
void *operator new(std::size_t bytes, std::align_val_t align, const std::nothrow_t &) noexcept {
    return tierpool_new::take_or_null(bytes, static_cast<std::size_t>(align));
}
void *operator new[](std::size_t bytes, std::align_val_t align, const std::nothrow_t &) noexcept {
    return tierpool_new::take_or_null(bytes, static_cast<std::size_t>(align));
}
void operator delete(void *memory, std::align_val_t) noexcept { tierpool_new::give_back(memory); }
void operator delete[](void *memory, std::align_val_t) noexcept { tierpool_new::give_back(memory); }
void operator delete(void *memory, std::size_t, std::align_val_t) noexcept { tierpool_new::give_back(memory); }
void operator delete[](void *memory, std::size_t, std::align_val_t) noexcept { tierpool_new::give_back(memory); }
void operator delete(void *memory, std::align_val_t, const std::nothrow_t &) noexcept { tierpool_new::give_back(memory); }
void operator delete[](void *memory, std::align_val_t, const std::nothrow_t &) noexcept { tierpool_new::give_back(memory); }
#endif

#endif  // TIERPOOL_NEW_HPP
