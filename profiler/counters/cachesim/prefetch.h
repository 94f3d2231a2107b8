/* What a core's hardware prefetchers ask for. Only which lines, not when: the model has no time, so a line that is
 * asked for is there at once, and no prefetch comes too late.
 *
 * A prefetcher is told of every L1D refill on demand and of every first use on demand of a line that a prefetch had
 * brought into the L1D; other hits teach it nothing. It asks for nothing beyond the 4 KiB page of that line: the next
 * one may lie anywhere in physical memory.
 *
 * next-line asks for the following line, into the L1D.
 *
 * stride keeps a table of streams, the least recently used of which makes room for a new one. A stream is the lines
 * seen by one key: a 4 KiB page, or the address of an instruction. Its confidence is how many times in a row the same
 * stride (a number of lines, forward or backward) was seen. With enough of it, the L1 prefetcher asks for up to
 * `degree` lines at a time, until it is `distance` strides ahead of demand, and the L2 prefetcher, into the L2 only,
 * beyond what the L1 prefetcher has asked for. Degree 0 switches one off. */
#ifndef PREFETCH_H
#define PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

enum prefetch_kind { PREFETCH_NONE, PREFETCH_NEXT_LINE, PREFETCH_STRIDE };

enum { MOST_STREAMS = 1024, MOST_CONFIDENCE = 64, MOST_DISTANCE = 256, MOST_DEGREE = 64, PAGE_SHIFT = 12 };

struct prefetch_level {
    unsigned confidence, distance, degree;
};

struct prefetch_options {
    unsigned kind; /* enum prefetch_kind */
    unsigned by_instruction; /* 1: a stream is known by the address of the instruction, 0: by the page */
    unsigned streams;
    unsigned l1_stores; /* 0: a store's stream is prefetched into the L2 only */
    unsigned l2_lookup; /* 1: an L2 prefetch is also counted as a read of the L2 */
    struct prefetch_level l1, l2;
};

struct stream {
    uint64_t key;
    uint64_t line;   /* last seen */
    int64_t stride;  /* 0 where only one line was seen */
    unsigned confidence;
    unsigned l1_ahead, l2_ahead; /* strides ahead of `line` that were asked for */
    uint64_t used;   /* when; 0 for an empty place */
};

struct prefetcher {
    const struct prefetch_options *options;
    unsigned page_bits; /* lines of a page, as a power of two */
    uint64_t now;
    struct stream *streams;
};

/* Lines asked for, nearest first; some may be in the cache already. */
struct requests {
    unsigned l1_count, l2_count;
    uint64_t l1[MOST_DEGREE], l2[MOST_DEGREE];
};

/* False where there is no memory. */
bool prefetch_open(struct prefetcher *prefetcher, const struct prefetch_options *options, unsigned line_shift);

/* Forgets all streams. */
void prefetch_clear(struct prefetcher *prefetcher);

/* A demand that the instruction at that address made of a line. */
struct demand {
    uint64_t instruction, line;
    bool store;
};

/* What is asked for after a demand that was a refill or the first use of a prefetched line. */
void prefetch_observe(struct prefetcher *prefetcher, const struct demand *demand, struct requests *asked);

#endif
