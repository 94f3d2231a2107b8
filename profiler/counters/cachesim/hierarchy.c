#include "hierarchy.h"

#include <stdlib.h>
#include <string.h>

static bool cache_of(struct cache *cache, const struct cache_geometry *geometry)
{
    return cache_open(cache, geometry->size / geometry->line / geometry->ways, geometry->ways);
}

bool hierarchy_open(struct hierarchy *all, const struct geometry *geometry)
{
    unsigned l2s = geometry->l2_shared ? 1 : geometry->cores;
    all->geometry = geometry;
    all->line_shift = (unsigned)__builtin_ctz(geometry->l1d.line);
    all->cores = calloc(geometry->cores, sizeof *all->cores);
    all->l2s = calloc(l2s, sizeof *all->l2s);
    bool reuses = geometry->reuse.one_in != 0;
    bool opened = all->cores && all->l2s && (!geometry->l3.size || cache_of(&all->l3, &geometry->l3)) &&
                  (!reuses || reuse_open(&all->reuse, &geometry->reuse));
    for (unsigned i = 0; opened && i < l2s; i++)
        opened = cache_of(&all->l2s[i], &geometry->l2);
    for (unsigned i = 0; opened && i < geometry->cores; i++) {
        struct core *core = &all->cores[i];
        core->all = all;
        core->reuse = reuses ? &all->reuse : NULL;
        core->line_shift = all->line_shift;
        core->line_size = geometry->l1d.line;
        core->l2 = &all->l2s[i % l2s];
        opened = cache_of(&core->l1i, &geometry->l1i) && cache_of(&core->l1d, &geometry->l1d) &&
                 prefetch_open(&core->prefetcher, &geometry->prefetch, all->line_shift);
    }
    if (opened)
        hierarchy_clear(all);
    return opened;
}

void hierarchy_clear(struct hierarchy *all)
{
    for (unsigned i = 0; i < all->geometry->cores; i++) {
        struct core *core = &all->cores[i];
        cache_clear(&core->l1i);
        cache_clear(&core->l1d);
        cache_clear(core->l2);
        prefetch_clear(&core->prefetcher);
        core->fetched = UINT64_MAX;
        core->counts = (struct counts){0};
    }
    if (all->geometry->l3.size)
        cache_clear(&all->l3);
    if (all->geometry->reuse.one_in)
        reuse_clear(&all->reuse);
}

/* The level beyond the L2: the L3, or memory, which has everything and is not modelled. */

static void l3_insert(struct core *core, uint64_t line, uint64_t flags)
{
    if (cache_insert(&core->all->l3, line, flags) & DIRTY)
        core->counts.l3d_cache_wb++;
}

static enum served read_beyond_l2(struct core *core, uint64_t line)
{
    if (!core->all->geometry->l3.size)
        return BY_MEMORY;
    core->counts.l3d_cache_rd++;
    if (cache_use(&core->all->l3, line))
        return BY_L3;
    core->counts.l3d_cache_refill++;
    l3_insert(core, line, 0);
    return BY_MEMORY;
}

static void write_beyond_l2(struct core *core, uint64_t line)
{
    core->counts.l2d_cache_wb++;
    if (!core->all->geometry->l3.size)
        return;
    core->counts.l3d_cache_wr++;
    uint64_t *entry = cache_use(&core->all->l3, line);
    if (entry)
        *entry |= DIRTY;
    else
        l3_insert(core, line, DIRTY);
}

/* Coherence: what the other cores do when one reads or is about to write a line. */

/* A dirty line of the L1D goes to the L2, which has a place for it, being inclusive. */
static void write_to_l2(struct core *core, uint64_t line)
{
    core->counts.l1d_cache_wb++;
    core->counts.l2d_cache_wr++;
    *cache_find(core->l2, line) |= DIRTY;
}

/* The entry of another core's copy after a read or, with `write`, none. */
static uint64_t downgraded(uint64_t entry, bool write)
{
    return write ? 0 : (entry & ~(uint64_t)DIRTY) | SHARED;
}

static bool snoop_l1d(struct core *core, uint64_t line, bool write)
{
    uint64_t *entry = cache_find(&core->l1d, line);
    if (!entry)
        return false;
    if (*entry & DIRTY)
        write_to_l2(core, line);
    if (write)
        core->counts.l1d_cache_inval++;
    *entry = downgraded(*entry, write);
    return true;
}

static bool snoop_l2(struct core *core, uint64_t line, bool write)
{
    uint64_t *entry = cache_find(core->l2, line);
    if (!entry)
        return false;
    snoop_l1d(core, line, write);
    if (*entry & DIRTY)
        write_beyond_l2(core, line);
    if (write)
        core->counts.l2d_cache_inval++;
    *entry = downgraded(*entry, write);
    return true;
}

/* SHARED where another core keeps a copy, else 0. */
static uint64_t snoop_others(struct core *core, uint64_t line, bool write)
{
    const struct geometry *geometry = core->all->geometry;
    bool kept = false;
    for (unsigned i = 0; i < geometry->cores; i++) {
        struct core *other = &core->all->cores[i];
        if (other == core)
            continue;
        bool had = geometry->l2_shared ? snoop_l1d(other, line, write) : snoop_l2(other, line, write);
        kept |= had && !write;
    }
    return kept ? SHARED : 0;
}

/* The L2. */

/* Drops the L1D's copy of a line that leaves the L2; true where it was newer. */
static bool drop_from_l1d(struct core *core, uint64_t line)
{
    uint64_t *entry = cache_find(&core->l1d, line);
    bool dirty = entry && *entry & DIRTY;
    if (dirty) {
        core->counts.l1d_cache_wb++;
        core->counts.l2d_cache_wr++;
    }
    if (entry)
        *entry = 0;
    return dirty;
}

static void l2_insert(struct core *core, uint64_t line, uint64_t flags)
{
    uint64_t victim = cache_insert(core->l2, line, flags);
    bool dirty = victim & DIRTY;
    if (!(victim & VALID))
        return;
    if (core->all->geometry->l2_shared)
        for (unsigned i = 0; i < core->all->geometry->cores; i++)
            dirty |= drop_from_l1d(&core->all->cores[i], line_of(victim));
    else
        dirty |= drop_from_l1d(core, line_of(victim));
    if (!dirty)
        return;
    core->counts.l2d_cache_wb_victim++;
    write_beyond_l2(core, line_of(victim));
}

/* A line and how an L1 may hold it. */
struct line_state {
    enum served by;
    uint64_t shared; /* SHARED or 0 */
};

/* A read by an L1, before a write if `write`. */
static struct line_state l2_read(struct core *core, uint64_t line, bool write)
{
    struct line_state state = {BY_L2, 0};
    bool snoops_l1ds = core->all->geometry->l2_shared;
    core->counts.l2d_cache_rd++;
    if (snoops_l1ds)
        state.shared = snoop_others(core, line, write);
    uint64_t *entry = cache_use(core->l2, line);
    if (entry) {
        if (write && *entry & SHARED) {
            snoop_others(core, line, true);
            *entry &= ~(uint64_t)SHARED;
        }
        state.shared |= *entry & SHARED;
        return state;
    }
    core->counts.l2d_cache_refill++;
    if (!snoops_l1ds)
        state.shared = snoop_others(core, line, write);
    state.by = read_beyond_l2(core, line);
    l2_insert(core, line, snoops_l1ds ? 0 : state.shared);
    return state;
}

/* The L1s. */

static void l1d_insert(struct core *core, uint64_t line, uint64_t flags)
{
    uint64_t victim = cache_insert(&core->l1d, line, flags);
    if (victim & DIRTY)
        write_to_l2(core, line_of(victim));
}

static void prefetch_into_l1d(struct core *core, uint64_t line)
{
    if (cache_find(&core->l1d, line))
        return;
    core->counts.prefetch_l1++;
    struct line_state state = l2_read(core, line, false);
    l1d_insert(core, line, FETCHED | state.shared);
}

static void prefetch_into_l2(struct core *core, uint64_t line)
{
    if (core->all->geometry->prefetch.l2_lookup)
        core->counts.l2d_cache_rd++;
    if (cache_find(core->l2, line))
        return;
    core->counts.prefetch_l2++;
    uint64_t shared = snoop_others(core, line, false);
    read_beyond_l2(core, line);
    l2_insert(core, line, shared);
}

static void teach_prefetcher(struct core *core, const struct demand *demand)
{
    struct requests asked;
    prefetch_observe(&core->prefetcher, demand, &asked);
    for (unsigned i = 0; i < asked.l1_count; i++)
        prefetch_into_l1d(core, asked.l1[i]);
    for (unsigned i = 0; i < asked.l2_count; i++)
        prefetch_into_l2(core, asked.l2[i]);
}

/* Another core may have a copy of a line that this one is about to write. */
static void claim(struct core *core, uint64_t line)
{
    snoop_others(core, line, true);
    if (!core->all->geometry->l2_shared)
        *cache_find(core->l2, line) &= ~(uint64_t)SHARED;
}

static void l1d_refill(struct core *core, uint64_t line, unsigned write)
{
    core->counts.l1d_cache_refill[write]++;
    struct line_state state = l2_read(core, line, write == STORE);
    core->counts.served[state.by]++;
    l1d_insert(core, line, write == STORE ? DIRTY : state.shared);
}

static void follow(struct core *core, uint64_t line)
{
    if (!core_passes(core, line))
        reuse_touch(core->reuse, line);
}

void core_access(struct core *core, uint64_t instruction, uint64_t line, unsigned write)
{
    follow(core, line);
    uint64_t *entry = cache_use(&core->l1d, line);
    bool teaches = !entry || *entry & FETCHED;
    if (!entry) {
        l1d_refill(core, line, write);
    } else {
        if (write == STORE && *entry & SHARED)
            claim(core, line);
        *entry &= ~(uint64_t)FETCHED;
        if (write == STORE)
            *entry = (*entry | DIRTY) & ~(uint64_t)SHARED;
    }
    if (teaches && core->all->geometry->prefetch.kind != PREFETCH_NONE)
        teach_prefetcher(core, &(struct demand){instruction, line, write == STORE});
}

void core_fetch(struct core *core, uint64_t first, uint64_t last)
{
    for (uint64_t line = first; line <= last; line++) {
        if (line == core->fetched)
            continue;
        core->fetched = line;
        core->counts.l1i_cache++;
        follow(core, line);
        if (cache_use(&core->l1i, line))
            continue;
        core->counts.l1i_cache_refill++;
        core->counts.served[l2_read(core, line, false).by]++;
        cache_insert(&core->l1i, line, 0);
    }
}
