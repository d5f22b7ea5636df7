// All that the headers for C++ define, for compilers that warn of everything. With C++11 those that it can have.
#define TIERPOOL_CHECKED
#include "tierpool_bytes_buffer_pool.hpp"

TIERPOOL_STATIC_POOL(heap, (64, 64), (256, 16));
#define TIERPOOL_NEW_POOL heap()
#include "tierpool_new.hpp"

int use() {
    BytesBufferPool &pool = BytesBufferPool::instance();
    BytesBufferPool::Allocation frame = pool.allocate(500);
    pool.deallocate(frame.first, frame.second);
    pool.logStats();
    return static_cast<int>(pool.hit_rate());
}

#if __cplusplus >= 201703L
#include <vector>

#include "tierpool.hpp"

tierpool::static_pool<tierpool::tier<64, 32>, tierpool::tier<512, 16>> rx;

template class tierpool::static_pool<tierpool::tier<64, 1>>;
template class tierpool::allocator<long double>;
template class tierpool::static_allocator<int, rx>;
template class tierpool::static_allocator<char, heap>;

std::size_t use_more() {
    std::vector<int, tierpool::allocator<int>> a(3, 1, tierpool::allocator<int>(rx));
    std::vector<int, tierpool::static_allocator<int, rx>> b(a.begin(), a.end());
    struct alignas(128) Line {
        unsigned char bytes[128];
    };
    std::vector<Line, tierpool::allocator<Line>> c(1, Line(), tierpool::allocator<Line>(rx));
    std::optional<tierpool::bytes> packet = tierpool::bytes::copy_of(rx, "packet");
    return packet && packet->append("s") && *packet == "packets" ? packet->size() + b.size() + c.size() : 0;
}
#endif
