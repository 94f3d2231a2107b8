/* The simulated caches without QEMU: replays accesses from standard input, for the tests of the cache model.
 *
 *   replay NAME=VALUE...      the plugin's options
 *
 * A line of input is a core, `load`, `store` or `fetch`, and the number of a cache line; or, with a core and a number
 * that mean nothing, `begin` or `end` of a region of reuse distances, or `clear`. */
#include <string.h>

#include "output.h"

int main(int count, char **arguments)
{
    struct options options;
    struct hierarchy hierarchy;
    struct counts counts[MOST_CORES];
    struct result result = {"replay", 1, 1, counts, &hierarchy.reuse};
    unsigned core;
    unsigned long line;
    char kind[8];
    if (!options_read(&options, count - 1, arguments + 1) || !hierarchy_open(&hierarchy, &options.geometry))
        return 1;
    while (scanf("%u %7s %lu", &core, kind, &line) == 3)
        if (strcmp(kind, "begin") == 0)
            reuse_begin(&hierarchy.reuse);
        else if (strcmp(kind, "end") == 0)
            reuse_end(&hierarchy.reuse);
        else if (strcmp(kind, "clear") == 0)
            hierarchy_clear(&hierarchy);
        else if (strcmp(kind, "fetch") == 0)
            core_fetch(&hierarchy.cores[core], line, line);
        else
            core_access(&hierarchy.cores[core], core, line, strcmp(kind, "store") == 0);
    for (core = 0; core < options.geometry.cores; core++)
        counts[core] = hierarchy.cores[core].counts;
    output_write(options.out, &options, &result);
    return 0;
}
