/* sweep KIB PASSES r|w [HOW]: reads or writes one byte in each line of a block, PASSES times, as the counted region;
 * where PROFILER_GATE is not set there is none.
 *
 * HOW warm: once more before, only to warm the caches. twice: the region is entered twice, longer at first. fork: a
 * child sweeps a hundred times as much. threads: two threads sweep. killed: by another process, within the region. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile char *block;
static size_t size;
static long passes;
static int writes;

static void sweep(long times)
{
    volatile char *const first = block, *const end = block + size;
    if (writes)
        while (times-- > 0)
            for (volatile char *line = first; line < end; line += 64)
                *line = 1;
    else
        while (times-- > 0)
            for (volatile char *line = first; line < end; line += 64)
                (void)*line;
}

static void *in_thread(void *nothing)
{
    sweep(passes);
    return nothing;
}

static void no_region(int command)
{
    (void)command;
}

int main(int argc, char **argv)
{
    const char *gate = getenv("PROFILER_GATE"), *how = argc > 4 ? argv[4] : "";
    void (*region)(int) = no_region;
    if (gate)
        region = (void (*)(int))dlsym(dlopen(strchr(gate, ':') + 1, RTLD_NOW), "region");
    size = (size_t)atol(argv[1]) * 1024;
    passes = atol(argv[2]);
    writes = argv[3][0] == 'w';
    block = aligned_alloc(4096, size);
    memset((char *)block, 1, size);
    region(0);
    if (!strcmp(how, "warm")) {
        region(2);
        sweep(1);
    } else if (!strcmp(how, "twice")) {
        region(1);
        sweep(5 * passes);
        region(0);
    } else if (!strcmp(how, "fork")) {
        if (fork() == 0) {
            sweep(100 * passes);
            return 0;
        }
        wait(NULL);
    }
    region(1);
    if (!strcmp(how, "threads")) {
        pthread_t other;
        pthread_create(&other, NULL, in_thread, NULL);
        sweep(passes);
        pthread_join(other, NULL);
    } else
        sweep(passes);
    if (!strcmp(how, "killed")) {
        if (fork() == 0)
            return kill(getppid(), SIGKILL);
        pause();
    }
    region(0);
    return 0;
}
