#include "cache.h"

#include <stdlib.h>
#include <string.h>

bool cache_open(struct cache *cache, unsigned sets, unsigned ways)
{
    cache->set_mask = sets - 1;
    cache->ways = ways;
    cache->entries = calloc((size_t)sets * ways, sizeof *cache->entries);
    return cache->entries != NULL;
}

void cache_clear(struct cache *cache)
{
    memset(cache->entries, 0, (cache->set_mask + 1) * cache->ways * sizeof *cache->entries);
}

uint64_t cache_insert(struct cache *cache, uint64_t line, uint64_t flags)
{
    uint64_t *set = cache_set(cache, line);
    unsigned way = 0;
    while (way < cache->ways - 1 && set[way] & VALID)
        way++;
    uint64_t displaced = set[way];
    for (; way > 0; way--)
        set[way] = set[way - 1];
    set[0] = line << FLAG_BITS | flags | VALID;
    return displaced;
}
