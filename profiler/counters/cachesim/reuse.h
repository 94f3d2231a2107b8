/* Reuse (stack) distances of all cores' line accesses, of a sample of the lines.
 *
 * The accesses are those that hierarchy.h counts as l1i_cache and l1d_cache: all cores' make one stream, in which
 * loads, stores and fetches are alike. The distance of an access is the number of distinct lines touched since the
 * last access to its line; a fully associative LRU cache of C lines misses exactly where it is at least C (R. L.
 * Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger, "Evaluation techniques for storage hierarchies", IBM Systems
 * Journal 9, 1970). A hash deals each line to one of `one_in` hands, and the first `hands` of them are followed. In
 * each the distance is counted in lines of the same hand and stands for `one_in` times as many (fixed-rate sampling of
 * C. A. Waldspurger, N. Park, A. Garthwaite, I. Ahmad, "Efficient MRC construction with SHARDS", FAST 2015).
 *
 * The stacks live as long as the caches are simulated. Accesses are counted in the region only, apart for the first
 * touch of a line there; a further one is not if its line is the last that its hand touched, for its distance is 0. */
#ifndef REUSE_H
#define REUSE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>

enum {
    MOST_ONE_IN = 65536,
    MOST_HANDS = 8,
    FIRST_OCTAVE = 4, /* distances below 2^4 lines are one entry of a histogram; then every octave is divided into */
    STEPS = 8,        /* so many, up to */
    LAST_OCTAVE = 24,
    EDGES = 1 + (LAST_OCTAVE - FIRST_OCTAVE) * STEPS + 1
};

#define NO_LINE UINT64_MAX

struct reuse_options {
    unsigned one_in; /* 0: nothing is followed */
    unsigned hands, seed;
};

/* What one hand saw in the regions. */
struct distances {
    uint64_t lines; /* distinct lines, each counted anew in every region */
    uint64_t never; /* of these, lines never seen since the stacks were empty */
    uint64_t first[EDGES], again[EDGES]; /* by distance, the other first touches and the later ones */
};

struct stack;

struct reuse {
    uint64_t key;   /* what the seed makes of the hash */
    uint64_t deals; /* hands that lines are dealt to, less one */
    uint64_t tops[MOST_HANDS]; /* the line that each hand touched last; NO_LINE where any touch must be looked at */
    unsigned hands;
    bool counting;
    unsigned region; /* number of the present or last one */
    const struct reuse_options *options;
    struct stack *stacks;
    struct distances *seen;
};

/* Sets up empty stacks, which do not count. False where there is no memory. */
bool reuse_open(struct reuse *reuse, const struct reuse_options *options);

/* Empties the stacks; what was counted remains. */
void reuse_clear(struct reuse *reuse);

/* Counts from here on as a new region, or no longer. */
void reuse_begin(struct reuse *reuse);
void reuse_end(struct reuse *reuse);

/* Takes an access to a line that reuse_passes does not pass. Where there is no memory, says so and ends the process. */
void reuse_touch(struct reuse *reuse, uint64_t line);

/* The distances as a JSON object. */
void reuse_write(const struct reuse *reuse, unsigned line_size, FILE *file);

/* The finaliser of Java's SplittableRandom, which leaves no stride of lines in the result: G. L. Steele, D. Lea, C. H.
 * Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; constants by D. Stafford (Mix13). */
static inline uint64_t reuse_hash(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* Whether an access to the line changes nothing: no hand follows it, or it is the last that its hand touched. */
static inline bool reuse_passes(const struct reuse *reuse, uint64_t line)
{
    uint64_t hand = reuse_hash(line + reuse->key) & reuse->deals;
    return hand >= reuse->hands || reuse->tops[hand] == line;
}

#endif
