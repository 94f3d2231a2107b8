/* One set-associative cache with least-recently-used replacement. It holds tags only, no data.
 *
 * A set is an array of entries, the most recently used first. An entry is a line's number and its flags in one word, 0
 * where the way is empty. A line's number is its address divided by the line size. */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VALID = 1,
    DIRTY = 2,   /* newer than the next level's copy; no other core has one */
    SHARED = 4,  /* another core may have a copy, so a write must invalidate there first */
    FETCHED = 8, /* brought by a prefetch and not yet used on demand */
    FLAG_BITS = 4
};

struct cache {
    uint64_t *entries;
    uint64_t set_mask;
    unsigned ways;
};

/* `sets` is a power of two. False where there is no memory. */
bool cache_open(struct cache *cache, unsigned sets, unsigned ways);

/* Empties it. */
void cache_clear(struct cache *cache);

/* Puts a line that is not there in front, in an empty way where there is one; returns the entry it displaced, or 0. */
uint64_t cache_insert(struct cache *cache, uint64_t line, uint64_t flags);

static inline uint64_t line_of(uint64_t entry)
{
    return entry >> FLAG_BITS;
}

static inline bool holds(uint64_t entry, uint64_t line)
{
    return (entry & VALID) && line_of(entry) == line;
}

static inline uint64_t *cache_set(const struct cache *cache, uint64_t line)
{
    return cache->entries + (line & cache->set_mask) * cache->ways;
}

/* The line's entry, or NULL; does not count as a use of it. */
static inline uint64_t *cache_find(const struct cache *cache, uint64_t line)
{
    uint64_t *set = cache_set(cache, line);
    for (unsigned way = 0; way < cache->ways; way++)
        if (holds(set[way], line))
            return &set[way];
    return NULL;
}

/* The line's entry, now the most recently used of its set, or NULL. */
static inline uint64_t *cache_use(struct cache *cache, uint64_t line)
{
    uint64_t *set = cache_set(cache, line);
    for (unsigned way = 0; way < cache->ways; way++) {
        uint64_t entry = set[way];
        if (holds(entry, line)) {
            for (; way > 0; way--)
                set[way] = set[way - 1];
            set[0] = entry;
            return set;
        }
    }
    return NULL;
}

#endif
