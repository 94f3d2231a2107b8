#define _GNU_SOURCE
#include "turn.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a thread lets another have its turn: some thousand accesses. */
enum { PATIENCE_NS = 20000 };

/* Stands for the holder while the turn changes hands. */
static struct taker changing;

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

void turn_open(struct turn *turn)
{
    atomic_init(&turn->holder, NULL);
    /* A forked child inherits the registration. */
    turn->brief = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void take_away(struct turn *turn, struct taker *holder, struct taker *taker)
{
    struct taker *expected = holder;
    if (!atomic_compare_exchange_strong(&turn->holder, &expected, &changing))
        return;
    membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    while (atomic_load_explicit(&holder->inside, memory_order_acquire))
        sched_yield();
    atomic_store_explicit(&turn->holder, taker, memory_order_release);
}

static void wait(struct turn *turn, struct taker *taker)
{
    int64_t limit = 0;
    for (;;) {
        struct taker *holder = atomic_load_explicit(&turn->holder, memory_order_acquire);
        if (holder == taker)
            return;
        if (!holder) {
            atomic_compare_exchange_strong(&turn->holder, &holder, taker);
            continue;
        }
        if (!limit)
            limit = now_ns() + PATIENCE_NS;
        if (!turn->brief && holder != &changing && now_ns() > limit)
            take_away(turn, holder, taker);
        else
            sched_yield();
    }
}

void turn_enter(struct turn *turn, struct taker *taker)
{
    while (!turn_enter_quickly(turn, taker)) {
        turn_leave_quickly(taker);
        wait(turn, taker);
    }
}

void turn_leave(struct turn *turn, struct taker *taker)
{
    turn_leave_quickly(taker);
    if (turn->brief)
        turn_give_up(turn, taker);
}

void turn_give_up(struct turn *turn, struct taker *taker)
{
    struct taker *expected = taker;
    atomic_compare_exchange_strong(&turn->holder, &expected, NULL);
}
