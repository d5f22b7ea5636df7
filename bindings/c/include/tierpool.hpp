// tierpool for C++17: an allocator for standard containers, and copy-on-write bytes. Header only, over tierpool.h.
//
//   tierpool::allocator<T>   a pool first, then operator new: std::vector, std::map, std::basic_string, ...
//   tierpool::static_pool    a pool without an init call: `constinit tierpool::static_pool<tierpool::tier<256, 16>> rx;`
//   tierpool::static_allocator<T, rx>   the same allocator without state, for containers that are default-constructed
//   tierpool::bytes          shared bytes; a copy is one atomic addition, a write copies only while they are shared
//
// No exceptions and no run-time types are needed. What happens when there is no memory:
//
//   allocator   takes the fallback's, or operator new's; if that has none either, throws std::bad_alloc, or without exceptions
//               calls std::abort
//   bytes       takes the fallback's, if the pool has one; never throws or aborts: makers return std::nullopt, make_mut a null
//               pointer, append false
#ifndef TIERPOOL_HPP
#define TIERPOOL_HPP

#if __cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "tierpool.hpp needs C++17, -std=c++17 or later; tierpool.h is for C11 and C++11"
#else

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tierpool.h"

namespace tierpool {

namespace detail {

[[noreturn]] inline void out_of_memory() {
#if defined(__cpp_exceptions)
    throw std::bad_alloc();
#else
    std::abort();
#endif
}

}  // namespace detail

// Memory for containers: a slot of the pool, or, where that has none, of the pool's fallback. A pool without a fallback goes on to
// operator new, the program's own if it has one. Each goes back to where it came from, which the pool tells by the address. Aligned for any T, over-aligned ones included.
//
// Deallocation may run in an interrupt handler only if the memory is the pool's. A request takes the slot of its size class
// while it lives: give tables a pool with tiers of their entries' sizes.
template <class T>
class allocator {
public:
    using value_type = T;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    // Null is allowed: then all memory is operator new's.
    explicit allocator(tierpool_pool *pool) noexcept : pool_(pool) {}

    template <class U>
    allocator(const allocator<U> &other) noexcept : pool_(other.pool()) {}

    T *allocate(std::size_t count) {
        // A product that overflows is a request that is too large, for the pool's statistics, too.
        const std::size_t bytes = count <= SIZE_MAX / sizeof(T) ? count * sizeof(T) : SIZE_MAX;
        void *memory;
        if (tierpool_alloc_or_fallback(pool_, bytes, alignof(T), &memory) != TIERPOOL_OK) {
            memory = tierpool_has_fallback(pool_) ? nullptr : from_heap(bytes);
            if (memory == nullptr) {
                detail::out_of_memory();
            }
        }
        return static_cast<T *>(memory);
    }

    void deallocate(T *memory, std::size_t count) noexcept {
        if (tierpool_owns(pool_, memory)) {
            tierpool_free_sized(pool_, memory, count * sizeof(T), alignof(T));
        } else if (tierpool_has_fallback(pool_)) {
            tierpool_free_or_fallback(pool_, memory, count * sizeof(T), alignof(T));
        } else if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
            ::operator delete(memory, std::align_val_t(alignof(T)));
        } else {
            ::operator delete(memory);
        }
    }

    tierpool_pool *pool() const noexcept { return pool_; }

    template <class U>
    friend bool operator==(const allocator &a, const allocator<U> &b) noexcept {
        return a.pool() == b.pool();
    }

    template <class U>
    friend bool operator!=(const allocator &a, const allocator<U> &b) noexcept {
        return a.pool() != b.pool();
    }

private:
    static void *from_heap(std::size_t bytes) {
        void *memory = nullptr;
        // No object is larger; and a heap that rounds sizes up might come to a small one.
        if (bytes <= static_cast<std::size_t>(PTRDIFF_MAX)) {
            if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
                memory = ::operator new(bytes, std::align_val_t(alignof(T)), std::nothrow);
            } else {
                memory = ::operator new(bytes, std::nothrow);
            }
        }
        return memory;
    }

    tierpool_pool *pool_;
};

// So many slots of so many bytes.
template <std::size_t Bytes, std::size_t Slots>
struct tier {
    static_assert(Bytes >= 1 && Bytes <= 65536, "a slot has 1 to 65 536 bytes");
    static_assert(Slots >= 1 && Slots <= 1022, "a tier has 1 to 1022 slots; list a size twice for more");
    static constexpr std::size_t bytes = Bytes;
    static constexpr std::size_t slots = Slots;
};

// A pool in static memory, of tiers by rising size. It is all zero at start, so it lies in .bss, and is never destroyed:
//
//     constinit tierpool::static_pool<tierpool::tier<256, 16>, tierpool::tier<1024, 4>> rx;   // C++17: without constinit
//
// Usable as soon as static memory is zero: before main, in constructors and destructors of static objects, in interrupt
// handlers. Whoever uses it first builds it; there is no lock, and nobody waits, see tierpool_static. Only for objects with
// static storage, as the pool lives for ever.
template <class... Tiers>
class static_pool {
    static_assert(sizeof...(Tiers) >= 1 && sizeof...(Tiers) <= TIERPOOL_MAX_TIERS, "a pool has 1 to 16 tiers");

public:
    constexpr static_pool() noexcept = default;
    static_pool(const static_pool &) = delete;
    static_pool &operator=(const static_pool &) = delete;

    // Never null. One load, and a call; the first time it builds the pool.
    tierpool_pool *get() noexcept {
        const tierpool_memory memory = {control_, sizeof control_, payload_, sizeof payload_, true};
        return tierpool_static(&made_, &geometry, &memory);
    }

    operator tierpool_pool *() noexcept { return get(); }

private:
    static constexpr tierpool_tier tiers[] = {{Tiers::bytes, Tiers::slots}...};
    static constexpr tierpool_geometry geometry = {
        tiers, sizeof...(Tiers), 0, 0, false, 0, nullptr, nullptr, nullptr, nullptr, nullptr};

    static constexpr bool rising() {
        for (std::size_t k = 1; k < sizeof...(Tiers); k++) {
            if (tiers[k - 1].bytes > tiers[k].bytes) {
                return false;
            }
        }
        return true;
    }
    static_assert(rising(), "list the tiers by rising size");

    static constexpr std::size_t slots = (Tiers::slots + ...);
    static constexpr std::size_t payload = (((Tiers::bytes * Tiers::slots + 63) / 64 * 64) + ...);

    alignas(TIERPOOL_CONTROL_ALIGN) unsigned char control_[TIERPOOL_CONTROL_BYTES(sizeof...(Tiers), slots)] = {};
    alignas(TIERPOOL_PAYLOAD_ALIGN) unsigned char payload_[payload] = {};
    tierpool_pool *made_ = nullptr;
};

namespace detail {

template <class... Tiers>
tierpool_pool *pool_of(static_pool<Tiers...> &pool) noexcept {
    return pool.get();
}

// What TIERPOOL_STATIC_POOL defines.
inline tierpool_pool *pool_of(tierpool_pool *pool()) noexcept { return pool(); }

}  // namespace detail

// As `allocator`, of the pool that is named: a static_pool, or the function that TIERPOOL_STATIC_POOL defines. It has no
// state, so a container needs no argument: `using data = std::vector<std::uint8_t, tierpool::static_allocator<std::uint8_t, rx>>`.
template <class T, auto &Pool>
class static_allocator {
public:
    using value_type = T;
    using is_always_equal = std::true_type;
    template <class U>
    struct rebind {
        using other = static_allocator<U, Pool>;
    };

    constexpr static_allocator() noexcept = default;
    template <class U>
    constexpr static_allocator(const static_allocator<U, Pool> &) noexcept {}

    T *allocate(std::size_t count) { return allocator<T>(pool()).allocate(count); }
    void deallocate(T *memory, std::size_t count) noexcept { allocator<T>(pool()).deallocate(memory, count); }

    static tierpool_pool *pool() noexcept { return detail::pool_of(Pool); }

    template <class U>
    friend constexpr bool operator==(const static_allocator &, const static_allocator<U, Pool> &) noexcept {
        return true;
    }

    template <class U>
    friend constexpr bool operator!=(const static_allocator &, const static_allocator<U, Pool> &) noexcept {
        return false;
    }
};

// Shared bytes, or a part of them: four words. Copying, slicing and destroying cost one atomic operation each and no byte
// is copied; moving costs none. They are read-only but for make_mut and append, which copy while the bytes are shared.
//
// One object is used by one thread or interrupt handler at a time; copies of it by any others.
class bytes {
public:
    using value_type = std::uint8_t;
    using const_iterator = const std::uint8_t *;
    using iterator = const_iterator;
    static constexpr std::size_t npos = SIZE_MAX;

    // ---- making

    bytes() noexcept = default;

    // A copy of these bytes in a slot of the pool. Nothing if it has no slot for them.
    static std::optional<bytes> copy_of(tierpool_pool *pool, const void *data, std::size_t len) noexcept {
        bytes made;
        return made_if(tierpool_bytes_copy(pool, static_cast<const std::uint8_t *>(data), len, &made.words_), made);
    }

    static std::optional<bytes> copy_of(tierpool_pool *pool, std::string_view text) noexcept {
        return copy_of(pool, text.data(), text.size());
    }

    // So many zeros in a slot of the pool. Nothing if it has no slot for them.
    static std::optional<bytes> zeroed(tierpool_pool *pool, std::size_t len) noexcept {
        bytes made;
        return made_if(tierpool_bytes_zeroed(pool, len, &made.words_), made);
    }

    // No bytes yet, with room for `capacity` bytes, and `headroom` in front of them. Nothing if the pool has no slot for them.
    static std::optional<bytes> with_capacity(tierpool_pool *pool, std::size_t capacity, std::size_t headroom = 0) noexcept {
        bytes made;
        return made_if(tierpool_bytes_with_capacity(pool, headroom, capacity, &made.words_), made);
    }

    // The first `len` bytes of a slot from tierpool_alloc, which the caller has written; the slot is owned from then on.
    // Nothing, and the slot is still the caller's, if it is no slot of the pool, or shorter.
    static std::optional<bytes> from_raw(tierpool_pool *pool, void *slot, std::size_t len) noexcept {
        bytes made;
        return made_if(tierpool_bytes_from_raw(pool, slot, len, &made.words_), made);
    }

    // Bytes that live for ever, such as literals and constants in flash. Copies nothing.
    static bytes from_static(std::string_view forever) noexcept {
        bytes made;
        made.words_ = tierpool_bytes_from_static(reinterpret_cast<const std::uint8_t *>(forever.data()), forever.size());
        return made;
    }

    // ---- sharing

    bytes(const bytes &other) noexcept : words_(tierpool_bytes_retain(&other.words_)) {}
    bytes(bytes &&other) noexcept : words_(std::exchange(other.words_, tierpool_bytes{})) {}

    // Also for oneself: the old reference goes last.
    bytes &operator=(bytes other) noexcept {
        swap(other);
        return *this;
    }

    ~bytes() { tierpool_bytes_release(&words_); }

    void swap(bytes &other) noexcept { std::swap(words_, other.words_); }
    friend void swap(bytes &a, bytes &b) noexcept { a.swap(b); }

    // ---- reading

    const std::uint8_t *data() const noexcept { return words_.data; }
    std::size_t size() const noexcept { return words_.len; }
    bool empty() const noexcept { return words_.len == 0; }
    const_iterator begin() const noexcept { return words_.data; }
    const_iterator end() const noexcept { return words_.data + words_.len; }
    std::uint8_t operator[](std::size_t index) const noexcept { return words_.data[index]; }

    // Good while this object keeps these bytes.
    std::string_view view() const noexcept {
        return empty() ? std::string_view() : std::string_view(reinterpret_cast<const char *>(words_.data), words_.len);
    }

    // Another object may be destroyed right after a `false`.
    bool is_unique() const noexcept { return tierpool_bytes_is_unique(&words_); }

    // Bytes of memory that this object keeps from being used again: those of its whole slot.
    std::size_t footprint() const noexcept { return tierpool_bytes_footprint(&words_); }

    // The C handle, still owned by this object.
    const tierpool_bytes &c_handle() const noexcept { return words_; }

    // ---- parts, of the same buffer: cut to the bytes that there are, and never fail

    bytes slice(std::size_t start, std::size_t len = npos) const noexcept {
        bytes part;
        start = least(start, size());
        tierpool_bytes_slice(&words_, start, least(len, size() - start), &part.words_);
        return part;
    }

    bytes left(std::size_t len) const noexcept { return slice(0, len); }
    bytes right(std::size_t len) const noexcept { return slice(size() - least(len, size())); }

    // A copy of a part, cut to the bytes that there are, in the smallest slot of the bytes' own pool or of the one that is named:
    // for what is kept for long, as a part made by `slice` keeps the whole slot of its packet. Nothing if there is no slot.
    std::optional<bytes> copied_slice(std::size_t start, std::size_t len = npos, tierpool_pool *pool = nullptr) const noexcept {
        bytes made;
        start = least(start, size());
        return made_if(tierpool_bytes_copy_slice(&words_, pool, start, least(len, size() - start), &made.words_), made);
    }

    // ---- writing

    // The bytes for writing; copied first while they are shared, into their own pool or the one that is named. Null if that
    // has no slot, or they have no pool, or there are no bytes; then nothing has changed. Good until the object is used for
    // anything else.
    std::uint8_t *make_mut(tierpool_pool *pool = nullptr) noexcept {
        std::uint8_t *data;
        return tierpool_bytes_make_mut(&words_, pool, &data) == TIERPOOL_OK && !empty() ? data : nullptr;
    }

    // Appends, in place if there is room and the bytes are not shared; else they move, within their own pool or into the one
    // that is named. `false` if that has no slot, or they have no pool; then the bytes are the same.
    bool append(const void *data, std::size_t len, tierpool_pool *pool = nullptr) noexcept {
        return tierpool_bytes_append(&words_, pool, static_cast<const std::uint8_t *>(data), len) == TIERPOOL_OK;
    }

    bool append(std::string_view text, tierpool_pool *pool = nullptr) noexcept {
        return append(text.data(), text.size(), pool);
    }

    bool append(const bytes &more, tierpool_pool *pool = nullptr) noexcept { return append(more.data(), more.size(), pool); }

    // Puts bytes in front, in place if there is headroom and the bytes are not shared; otherwise as append.
    bool prepend(const void *data, std::size_t len, tierpool_pool *pool = nullptr) noexcept {
        return tierpool_bytes_prepend(&words_, pool, static_cast<const std::uint8_t *>(data), len) == TIERPOOL_OK;
    }

    bool prepend(std::string_view text, tierpool_pool *pool = nullptr) noexcept {
        return prepend(text.data(), text.size(), pool);
    }

    bool prepend(const bytes &more, tierpool_pool *pool = nullptr) noexcept { return prepend(more.data(), more.size(), pool); }

    // Makes room for so many more bytes, so that appending them moves nothing. Moves the bytes, and fails, as append does.
    bool reserve(std::size_t additional, tierpool_pool *pool = nullptr) noexcept {
        return tierpool_bytes_reserve(&words_, pool, additional) == TIERPOOL_OK;
    }

    // Makes the bytes so long: cuts them, which copies nothing, or adds zeros, as append adds bytes.
    bool resize(std::size_t len, tierpool_pool *pool = nullptr) noexcept {
        return tierpool_bytes_resize(&words_, pool, len) == TIERPOOL_OK;
    }

    // How long the bytes can become without a move. Just their length while they are shared.
    std::size_t capacity() const noexcept { return tierpool_bytes_capacity(&words_); }

    // The room in front of them, for prepend. None while they are shared.
    std::size_t headroom() const noexcept { return tierpool_bytes_headroom(&words_); }

    // Moves the bytes into the smallest slot that fits, if that frees memory: a short part of a long packet, kept for hours.
    bool compact(tierpool_pool *pool) noexcept { return tierpool_bytes_compact(&words_, pool) == TIERPOOL_OK; }

    // ---- comparing, byte by byte

    int compare(std::string_view other) const noexcept { return view().compare(other); }

    friend bool operator==(const bytes &a, const bytes &b) noexcept { return a.view() == b.view(); }
    friend bool operator!=(const bytes &a, const bytes &b) noexcept { return a.view() != b.view(); }
    friend bool operator<(const bytes &a, const bytes &b) noexcept { return a.view() < b.view(); }
    friend bool operator==(const bytes &a, std::string_view b) noexcept { return a.view() == b; }
    friend bool operator!=(const bytes &a, std::string_view b) noexcept { return a.view() != b; }
    friend bool operator==(std::string_view a, const bytes &b) noexcept { return a == b.view(); }
    friend bool operator!=(std::string_view a, const bytes &b) noexcept { return a != b.view(); }

private:
    // Arduino's core makes `min` a macro.
    static constexpr std::size_t least(std::size_t a, std::size_t b) noexcept { return a < b ? a : b; }

    static std::optional<bytes> made_if(tierpool_error error, bytes &made) noexcept {
        if (error != TIERPOOL_OK) {
            return std::nullopt;
        }
        return std::optional<bytes>(std::move(made));
    }

    tierpool_bytes words_{};
};

}  // namespace tierpool

#endif  // C++17
#endif  // TIERPOOL_HPP
