/* The plugin's options, as in `-plugin cachesim.so,NAME=VALUE,...`:
 *
 *   out=FILE                                   written when the process ends
 *   region=process|gate                        all of the process, or what the guest's prctl calls enclose
 *   cores=N                                    simulated cores, 1 to 64; guest thread i runs on core i % N
 *   l1i=SIZE:WAYS:LINE  l1d=SIZE:WAYS:LINE     bytes, ways, bytes; sets and lines are powers of two
 *   l2=SIZE:WAYS:LINE:private|shared           private to each core or shared by all
 *   l3=SIZE:WAYS:LINE                          shared by all; none if left out
 *   prefetch=none|next-line|stride             none if left out; see prefetch.h
 *   reuse_one_in=N                             reuse distances, see reuse.h: of one line in N, a power of two up to
 *                                              65536; 0, or left out: none
 *   reuse_hands=1  reuse_seed=1                samples, 1 to 8 and at most N; and the seed of the drawing of lines
 *
 * and for prefetch=stride (without effect on others), with these if left out:
 *
 *   prefetch_by_instruction=0                  what a stream is known by: 0 its page, 1 the instruction's address
 *   prefetch_l1_streams=16                     places in the table of streams, 1 to 1024
 *   prefetch_l1_stores=1                       0: a store has lines brought into the L2 only
 *   prefetch_l1_confidence=2                   equal strides in a row before lines are asked for, 1 to 64
 *   prefetch_l1_distance=4                     strides ahead of demand at most, 1 to 256
 *   prefetch_l1_degree=2                       lines asked for at a time, 0 (off) to 64
 *   prefetch_l2_confidence=2  prefetch_l2_distance=16  prefetch_l2_degree=2
 *   prefetch_l2_lookup=0                       1: an L2 prefetch counts as a read of the L2 (l2d_cache_rd), as where
 *                                              the prefetcher stands before the L2 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdio.h>

#include "hierarchy.h"

struct options {
    const char *out;
    unsigned gated;
    struct geometry geometry;
};

/* Reads the options; where one is wrong or missing, says so in a line on stderr and returns false. */
bool options_read(struct options *options, int argc, char **argv);

/* Writes all but `out` and those of reuse distances as the members of a JSON object, in the options' own spelling; what
 * stride prefetching takes only where it is on. */
void options_write(struct options *options, FILE *file);

#endif
