/* Memory accesses whose cache counts follow from arithmetic, for the tests of the cache simulator.
 *
 *   strided_loop KEY=VALUE...
 *
 *   order=forward|backward|random|string|turns|threads|fork|killed    what is done, see below
 *   size, stride     bytes of the buffer, which starts a page, and between accesses
 *   offset           of the first access in the buffer
 *   bytes=8|16       of an access
 *   write=0|1
 *   passes           over the buffer, counted
 *   warm             passes before these, simulated but not counted
 *   regions          times that all this is done
 *   outside          passes between the regions, neither simulated nor counted */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { GATE = 0x50524f46, OFF = 0, COUNT = 1, WARM = 2, PAGE = 4096 };
enum { SIZE, STRIDE, OFFSET, BYTES, WRITE, PASSES, WARM_PASSES, REGIONS, OUTSIDE, NUMBERS };

typedef uint64_t pair __attribute__((vector_size(16), aligned(1)));

static const char *const NAMES[NUMBERS] = {"size",   "stride", "offset",  "bytes",  "write",
                                           "passes", "warm",   "regions", "outside"};
static size_t number[NUMBERS] = {PAGE, 64, 0, 8, 0, 1, 0, 1, 0};
static const char *order = "forward";
static char *buffer;

/* How a loop goes, in variables of its own: what it stores then cannot be what it reads. */
struct way {
    size_t size, stride;
    int wide, write;
};

static inline struct way way(void)
{
    return (struct way){number[SIZE], number[STRIDE], number[BYTES] == 16, number[WRITE] == 1};
}

static inline void touch(const struct way *way, char *place)
{
    if (way->wide && way->write)
        *(volatile pair *)place = (pair){1, 1};
    else if (way->wide)
        (void)*(volatile pair *)place;
    else if (way->write)
        *(volatile uint64_t *)place = 1;
    else
        (void)*(volatile uint64_t *)place;
}

static void forward(char *from)
{
    const struct way go = way();
    for (size_t at = 0; at < go.size; at += go.stride)
        touch(&go, from + at);
}

static void backward(char *from)
{
    const struct way go = way();
    for (size_t at = go.size; at > 0; at -= go.stride)
        touch(&go, from + at - go.stride);
}

/* As many places as the buffer has, drawn from it by Knuth's linear congruential generator. */
static void scattered(char *from)
{
    static uint64_t last = 1;
    const struct way go = way();
    uint64_t drawn = last;
    for (size_t i = 0; i < go.size / go.stride; i++) {
        drawn = drawn * 6364136223846793005u + 1442695040888963407u;
        touch(&go, from + (drawn >> 33) % (go.size / go.stride) * go.stride);
    }
    last = drawn;
}

/* One repeated string instruction, where there is one. */
static void string(char *from)
{
#ifdef __x86_64__
    size_t count = number[SIZE];
    __asm__ volatile("rep stosb" : "+D"(from), "+c"(count) : "a"(1) : "memory");
#else
    (void)from, abort();
#endif
}

static void walk(void (*pass)(char *), size_t passes)
{
    for (size_t i = 0; i < passes; i++)
        pass(buffer + number[OFFSET]);
}

static void in_regions(void (*pass)(char *))
{
    for (size_t i = 0; i < number[REGIONS]; i++) {
        if (number[WARM_PASSES])
            prctl(GATE, WARM, 0, 0, 0);
        walk(pass, number[WARM_PASSES]);
        prctl(GATE, COUNT, 0, 0, 0);
        walk(pass, number[PASSES]);
        prctl(GATE, OFF, 0, 0, 0);
        walk(pass, number[OUTSIDE]);
    }
}

static _Alignas(256) atomic_int turn;
static _Alignas(256) atomic_int over;
enum { REHEARSAL = 16 };

/* Waits for its turn and gives it to the other, so many times. */
static void take_turns(int me, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        while (atomic_load(&turn) != me)
            sched_yield();
        atomic_store(&turn, !me);
    }
}

static void *take_other_turns(void *unused)
{
    take_turns(1, REHEARSAL + number[PASSES]);
    while (!atomic_load(&over))
        sched_yield();
    return unused;
}

/* Takes turns with the other thread until the last turn is seen to be over. */
static void in_turns(size_t times)
{
    take_turns(0, times);
    while (atomic_load(&turn))
        sched_yield();
}

/* Two threads take turns, `passes` of them counted. Before these both have been at it, so that a thread's beginning and
 * end are in no count and each write finds the line in the other's cache, however the threads are scheduled. */
static void with_rehearsal(void)
{
    pthread_t other;
    prctl(GATE, WARM, 0, 0, 0);
    pthread_create(&other, NULL, take_other_turns, NULL);
    in_turns(REHEARSAL);
    prctl(GATE, COUNT, 0, 0, 0);
    in_turns(number[PASSES]);
    prctl(GATE, WARM, 0, 0, 0);
    atomic_store(&over, 1);
    pthread_join(other, NULL);
    /* Alone again: QEMU 7.2 may crash in an atomic instruction of one thread while another ends the instrumenting. */
    prctl(GATE, OFF, 0, 0, 0);
}

/* Goes over its own quarter of the buffer. */
static void *take_quarter(void *quarter)
{
    const struct way go = way();
    char *from = buffer + (uintptr_t)quarter * (go.size / 4);
    for (size_t i = 0; i < number[PASSES]; i++)
        for (size_t at = 0; at < go.size / 4; at += go.stride)
            touch(&go, from + at);
    return NULL;
}

/* This thread and some others do the same with a number of their own. */
static void in_threads(void *(*body)(void *), uintptr_t threads)
{
    pthread_t others[4];
    prctl(GATE, COUNT, 0, 0, 0);
    for (uintptr_t i = 1; i < threads; i++)
        pthread_create(&others[i], NULL, body, (void *)i);
    body(NULL);
    for (uintptr_t i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
    prctl(GATE, OFF, 0, 0, 0);
}

/* A child goes over the buffer once more, in the region, after its parent has ended. */
static void with_child(void)
{
    int ends[2];
    char byte;
    prctl(GATE, COUNT, 0, 0, 0);
    walk(forward, number[PASSES]);
    if (pipe(ends) || fork())
        return;
    close(ends[1]);
    if (read(ends[0], &byte, 1) == 0)
        walk(forward, number[PASSES]);
}

static void read_arguments(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        *value++ = '\0';
        for (int j = 0; j < NUMBERS; j++)
            if (!strcmp(arguments[i], NAMES[j]))
                number[j] = strtoul(value, NULL, 10);
        if (!strcmp(arguments[i], "order"))
            order = value;
    }
}

int main(int count, char **arguments)
{
    read_arguments(count, arguments);
    buffer = aligned_alloc(PAGE, number[SIZE] + PAGE);
    memset(buffer, 1, number[SIZE] + PAGE);
    if (chdir("/"))
        return 1;
    if (!strcmp(order, "forward"))
        in_regions(forward);
    else if (!strcmp(order, "backward"))
        in_regions(backward);
    else if (!strcmp(order, "random"))
        in_regions(scattered);
    else if (!strcmp(order, "string"))
        in_regions(string);
    else if (!strcmp(order, "turns"))
        with_rehearsal();
    else if (!strcmp(order, "threads"))
        in_threads(take_quarter, 4);
    else if (!strcmp(order, "fork"))
        with_child();
    else if (!strcmp(order, "killed"))
        raise(SIGKILL);
    else
        return 1;
    return 0;
}
