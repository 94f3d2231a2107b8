/* The counted region for callgrind, which listens to instruction sequences that do nothing on a real CPU. The worker
 * calls this with one of its three commands. Counts are those since the last `SIMULATE_AND_COUNT`. */
#include <valgrind/callgrind.h>

enum { NEITHER, SIMULATE_AND_COUNT, SIMULATE };

__attribute__((visibility("default"))) void region(int command)
{
    if (command == NEITHER) {
        CALLGRIND_STOP_INSTRUMENTATION;
        return;
    }
    /* Without effect where it is on already: caches that were warmed stay warm. */
    CALLGRIND_START_INSTRUMENTATION;
    if (command == SIMULATE_AND_COUNT)
        CALLGRIND_ZERO_STATS;
}
