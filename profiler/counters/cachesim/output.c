#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void counts_add(struct counts *sum, const struct counts *counts)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)counts;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

struct named_count {
    const char *name;
    uint64_t value;
};

static void write_named(FILE *file, const struct named_count *counts, size_t count, const char *before)
{
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s\"%s\": %" PRIu64, i ? ", " : before, counts[i].name, counts[i].value);
}

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void write_counts(FILE *file, const struct counts *c, bool has_l3)
{
    uint64_t l1d_rd = c->mem_access[LOAD] + c->crossings[LOAD];
    uint64_t l1d_wr = c->mem_access[STORE] + c->crossings[STORE];
    const struct named_count counts[] = {
        {"inst_retired", c->inst_retired},
        {"mem_access", c->mem_access[LOAD] + c->mem_access[STORE]},
        {"mem_access_rd", c->mem_access[LOAD]},
        {"mem_access_wr", c->mem_access[STORE]},
        {"l1i_cache", c->l1i_cache},
        {"l1i_cache_refill", c->l1i_cache_refill},
        {"l1d_cache", l1d_rd + l1d_wr},
        {"l1d_cache_rd", l1d_rd},
        {"l1d_cache_wr", l1d_wr},
        {"l1d_cache_refill", c->l1d_cache_refill[LOAD] + c->l1d_cache_refill[STORE]},
        {"l1d_cache_refill_rd", c->l1d_cache_refill[LOAD]},
        {"l1d_cache_refill_wr", c->l1d_cache_refill[STORE]},
        {"l1d_cache_wb", c->l1d_cache_wb},
        {"l1d_cache_inval", c->l1d_cache_inval},
        {"l2d_cache", c->l2d_cache_rd + c->l2d_cache_wr},
        {"l2d_cache_rd", c->l2d_cache_rd},
        {"l2d_cache_wr", c->l2d_cache_wr},
        {"l2d_cache_refill", c->l2d_cache_refill},
        {"l2d_cache_refill_rd", c->l2d_cache_refill}, /* the L1s bring in by reads alone */
        {"l2d_cache_wb", c->l2d_cache_wb},
        {"l2d_cache_wb_victim", c->l2d_cache_wb_victim},
        {"l2d_cache_inval", c->l2d_cache_inval},
        {"prefetch_l1", c->prefetch_l1},
        {"prefetch_l2", c->prefetch_l2},
        {"served_l2", c->served[BY_L2]},
        {"served_l3", c->served[BY_L3]},
        {"served_memory", c->served[BY_MEMORY]},
    };
    const struct named_count l3_counts[] = {
        {"l3d_cache", c->l3d_cache_rd + c->l3d_cache_wr},
        {"l3d_cache_rd", c->l3d_cache_rd},
        {"l3d_cache_refill", c->l3d_cache_refill},
        {"l3d_cache_wb", c->l3d_cache_wb},
        {"ll_cache_rd", c->l3d_cache_rd},
        {"ll_cache_miss_rd", c->l3d_cache_refill},
    };
    write_named(file, counts, LENGTH(counts), "{");
    if (has_l3)
        write_named(file, l3_counts, LENGTH(l3_counts), ", ");
    fputc('}', file);
}

static void write_result(FILE *file, struct options *options, const struct result *result)
{
    const struct geometry *geometry = &options->geometry;
    bool has_l3 = geometry->l3.size != 0;
    struct counts sum = {0};
    for (unsigned i = 0; i < geometry->cores; i++)
        counts_add(&sum, &result->per_core[i]);
    fprintf(file, "{\"schema\": 1, \"target\": \"%s\", \"cores\": %u, \"threads\": %u, \"regions\": %u,\n",
            result->target, geometry->cores, result->threads, result->regions);
    fputs("\"geometry\": {", file);
    options_write(options, file);
    fputs("},\n\"counts\": ", file);
    write_counts(file, &sum, has_l3);
    for (unsigned i = 0; i < geometry->cores; i++) {
        fputs(i ? ",\n" : ",\n\"per_core\": [\n", file);
        write_counts(file, &result->per_core[i], has_l3);
    }
    fputc(']', file);
    if (geometry->reuse.one_in) {
        fputs(",\n\"reuse\": ", file);
        reuse_write(result->reuse, geometry->l1d.line, file);
    }
    fputs("}\n", file);
}

void output_write(const char *path, struct options *options, const struct result *result)
{
    char part[PATH_MAX];
    int length = snprintf(part, sizeof part, "%s.part", path);
    FILE *file = length < (int)sizeof part ? fopen(part, "w") : NULL;
    bool written = file;
    if (file) {
        write_result(file, options, result);
        written = !ferror(file);
        written = fclose(file) == 0 && written;
    }
    if (!written || rename(part, path) != 0)
        fprintf(stderr, "cachesim: cannot write %s: %s\n", path, strerror(errno));
}
