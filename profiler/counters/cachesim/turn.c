#define _GNU_SOURCE
#include "turn.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a thread may have its turn when others want it: tens of thousands of accesses. */
enum { PATIENCE_NS = 100000 };

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

/* Marks the turn as changing hands, if `holder` still has it; hand_over must follow. */
static bool seize(struct turn *turn, struct taker *holder)
{
    return atomic_compare_exchange_strong(&turn->holder, &holder, &changing);
}

static void hand_over(struct turn *turn, struct taker *taker)
{
    atomic_store_explicit(&turn->since, now_ns(), memory_order_relaxed);
    atomic_store_explicit(&turn->holder, taker, memory_order_release);
}

static bool overdue(struct turn *turn)
{
    return !turn->brief && now_ns() - atomic_load_explicit(&turn->since, memory_order_relaxed) > PATIENCE_NS;
}

static void wait(struct turn *turn, struct taker *taker)
{
    for (;;) {
        struct taker *holder = atomic_load_explicit(&turn->holder, memory_order_acquire);
        if (holder == taker)
            return;
        if (!holder && seize(turn, NULL)) {
            hand_over(turn, taker);
        } else if (holder && holder != &changing && overdue(turn) && seize(turn, holder)) {
            membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
            while (atomic_load_explicit(&holder->inside, memory_order_acquire))
                sched_yield();
            hand_over(turn, taker);
        } else {
            sched_yield();
        }
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
