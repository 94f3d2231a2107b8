/* The caches of a few simulated cores, and what is counted there.
 *
 * Every core has an L1I and an L1D, and a private L2 or its share of one L2; an L3, where there is one, is shared by
 * all. Least-recently-used replacement, write-back, write-allocate, one line size, virtual addresses. The L2 includes
 * every L1D of its cores (a line that leaves the L2 leaves these too), not the L1Is; the L3 neither includes nor
 * excludes. The L1Is are not kept coherent. The L1Ds, and private L2s, are, as by MESI: a write invalidates the line
 * in the other cores, and a read of a line that another core has dirty first writes it to the level both share, which
 * leaves two shared clean copies. Caches start empty. There is no translation, no kernel, no speculation, no time;
 * and not what QEMU does not report: the lines that aarch64's DC ZVA zeroes, as memset does. */
#ifndef HIERARCHY_H
#define HIERARCHY_H

#include "cache.h"
#include "prefetch.h"
#include "reuse.h"

enum { LOAD, STORE };
enum served { BY_L2, BY_L3, BY_MEMORY };

enum { MOST_CORES = 64 };

/* What one core did; Arm's names (Arm Architecture Reference Manual, PMU events), of which output.c adds up those that
 * are sums. `rd` and `wr` are the indices LOAD and STORE. A line that is written back or invalidated is counted at the
 * core that loses it, and a victim of a shared cache at the core that displaced it. */
struct counts {
    uint64_t inst_retired;     /* instructions; a repeated x86 string instruction is one */
    uint64_t mem_access[2];    /* loads and stores, before they are split at line ends */
    uint64_t crossings[2];     /* those that reach into a further line: one more l1d_cache_rd or _wr each */
    uint64_t l1i_cache;        /* instruction fetches that enter another line than the last */
    uint64_t l1i_cache_refill; /* of these, lines that had to be brought in */
    uint64_t l1d_cache_refill[2]; /* lines brought in for a load, for a store; none that a prefetch had brought */
    uint64_t l1d_cache_wb;        /* dirty lines written to the L2: victims, snooped, or leaving with the L2's copy */
    uint64_t l1d_cache_inval;     /* lines invalidated by other cores' writes, not by refills */
    uint64_t l2d_cache_rd;     /* lookups for L1I and L1D refills and L1 prefetches; with l2_lookup for L2 prefetches */
    uint64_t l2d_cache_wr;     /* lines written back from the L1D */
    uint64_t l2d_cache_refill; /* lines brought in for those reads (so also _rd); none that an L2 prefetch brought */
    uint64_t l2d_cache_wb;     /* dirty lines written out: victims, and those that another core reads or writes */
    uint64_t l2d_cache_wb_victim; /* of these, the victims of lines brought in */
    uint64_t l2d_cache_inval;     /* lines of a private L2 invalidated by other cores' writes, never by refills */
    uint64_t l3d_cache_rd;     /* lookups for lines that the L2 brings in, for whatever reason */
    uint64_t l3d_cache_wr;     /* dirty lines written out by an L2 */
    uint64_t l3d_cache_refill; /* of the reads, those that missed and brought the line from memory */
    uint64_t l3d_cache_wb;     /* dirty lines written to memory */
    uint64_t prefetch_l1;      /* lines that prefetches brought into the L1D */
    uint64_t prefetch_l2;      /* lines that prefetches brought into the L2 only */
    uint64_t served[3];        /* L1I and L1D refills on demand, by what had the line; indices `enum served` */
};

struct cache_geometry {
    unsigned size, ways, line; /* bytes, ways, bytes; size 0 for a cache that is not there */
};

struct geometry {
    unsigned cores;
    struct cache_geometry l1i, l1d, l2, l3;
    unsigned l2_shared; /* 0 private to each core, 1 shared by all */
    struct prefetch_options prefetch;
    struct reuse_options reuse;
};

struct core {
    struct cache l1d;
    struct reuse *reuse; /* NULL where no line is followed */
    unsigned line_shift, line_size;
    uint64_t fetched; /* the line of the last instruction fetch */
    struct counts counts;
    struct cache l1i;
    struct cache *l2;
    struct hierarchy *all;
    struct prefetcher prefetcher;
};

struct hierarchy {
    const struct geometry *geometry;
    unsigned line_shift;
    struct core *cores;
    struct cache *l2s; /* one a core, or one for all */
    struct cache l3;
    struct reuse reuse;
};

/* Sets up empty caches of a geometry that options.c found possible. False where there is no memory. */
bool hierarchy_open(struct hierarchy *all, const struct geometry *geometry);

/* Empties the caches and the stacks of reuse distances, forgets prefetch streams and zeroes the counts. */
void hierarchy_clear(struct hierarchy *all);

/* Instruction fetches from one line to another. */
void core_fetch(struct core *core, uint64_t first, uint64_t last);

/* Whether an access to the line leaves all reuse distances as they are. */
static inline bool core_passes(const struct core *core, uint64_t line)
{
    return __builtin_expect(!core->reuse, 1) || reuse_passes(core->reuse, line);
}

/* As core_fetch, if all lines are in front of their L1I sets and pass. False, and nothing done, otherwise. */
static inline bool core_fetch_quickly(struct core *core, uint64_t first, uint64_t last)
{
    for (uint64_t line = first; line <= last; line++) {
        if (__builtin_expect(*cache_set(&core->l1i, line) != (line << FLAG_BITS | VALID), 0))
            return false;
        if (line != core->fetched && !core_passes(core, line))
            return false;
    }
    core->counts.l1i_cache += last - first + (first != core->fetched);
    core->fetched = last;
    return true;
}

/* Whether a line is in front of its L1D set and, for a store, dirty already, and passes: most do, and nothing is to be
 * done. */
static inline bool core_has_ready(const struct core *core, uint64_t line, unsigned write)
{
    uint64_t any = write == STORE ? 0 : DIRTY | SHARED;
    return (*cache_set(&core->l1d, line) | any) == (line << FLAG_BITS | VALID | DIRTY | any) && core_passes(core, line);
}

/* A load or store in one line, by the instruction at that address. */
void core_access(struct core *core, uint64_t instruction, uint64_t line, unsigned write);

#endif
