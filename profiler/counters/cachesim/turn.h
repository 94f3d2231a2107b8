/* Guest threads run in parallel; one at a time may use the simulated caches.
 *
 * The thread whose turn it is keeps it over many accesses and pays two stores and a load for each, no atomic
 * operation. It gives the turn up when it makes a system call. Another thread that wants it leaves it to the holder
 * for a little, lest both hand it back and forth for every access, and then takes it away: it marks the turn as
 * changing hands and makes all running threads of the process pass a memory barrier (membarrier(2)); the former
 * holder then either sees the mark or is seen to be inside an access, whose end is waited for. Where there is no
 * membarrier, a turn lasts for one access. */
#ifndef TURN_H
#define TURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One thread; `inside` while it uses what the turn protects, or finds that it may not. */
struct taker {
    atomic_bool inside;
};

struct turn {
    _Atomic(struct taker *) holder;
    _Atomic int64_t since; /* when the holder began, in nanoseconds */
    bool brief;            /* for one access only */
};

void turn_open(struct turn *turn);

/* Waits until it is the taker's turn, and enters. */
void turn_enter(struct turn *turn, struct taker *taker);

/* Leaves after turn_enter. */
void turn_leave(struct turn *turn, struct taker *taker);

/* Gives the turn up, where the taker has it and is not inside. */
void turn_give_up(struct turn *turn, struct taker *taker);

/* Enters if it is the taker's turn already; in either case turn_leave_quickly must follow. */
static inline bool turn_enter_quickly(struct turn *turn, struct taker *taker)
{
    atomic_store_explicit(&taker->inside, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return __builtin_expect(atomic_load_explicit(&turn->holder, memory_order_acquire) == taker, 1);
}

static inline void turn_leave_quickly(struct taker *taker)
{
    atomic_store_explicit(&taker->inside, false, memory_order_release);
}

#endif
