// What all packages have to bring: the headers, the archive, and what it needs of the system.
#include <cstdio>
#include <vector>

#include "tierpool.hpp"

tierpool::static_pool<tierpool::tier<64, 32>, tierpool::tier<512, 16>> rx;

int main() {
    std::vector<std::uint8_t, tierpool::static_allocator<std::uint8_t, rx>> data(300, 7);
    char line[160];
    tierpool_stats_print(rx, line, sizeof line);
    std::puts(line);
    return tierpool_owns(rx, data.data()) ? 0 : 1;
}
