// The allocator without exceptions: where operator new has no memory either, the program is aborted.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <vector>

#include "check.h"
#include "tierpool.hpp"

#if defined(__cpp_exceptions)
#error "build with -fno-exceptions"
#endif

TIERPOOL_DEFAULT_MEMORY(memory);

int main() {
    tierpool_pool *pool;
    CHECK(tierpool_init(nullptr, &memory, &pool) == TIERPOOL_OK);
    tierpool::allocator<int> allocator(pool);
    {
        std::vector<int, tierpool::allocator<int>> numbers(1000, 7, allocator), few(10, 7, allocator);
        CHECK(!tierpool_owns(pool, numbers.data()) && tierpool_owns(pool, few.data()) && numbers[999] == few[9]);
    }
    for (std::size_t count : {SIZE_MAX, SIZE_MAX / sizeof(int)}) {
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            allocator.deallocate(allocator.allocate(count), count);
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
    CHECK(tierpool_is_idle(pool));
    std::puts("no exceptions: ok");
}
