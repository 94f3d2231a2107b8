#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_LINE = 16, LARGEST_LINE = 1 << PAGE_SHIFT, MOST_WAYS = 1024 };

static const char *const REGIONS[] = {"process", "gate", NULL};
static const char *const L2_USES[] = {"private", "shared", NULL};
static const char *const PREFETCHERS[] = {"none", "next-line", "stride", NULL};

static bool refuse(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("cachesim: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return false;
}

/* An option that is a number within limits or, with `names`, one of these words: its index. */
struct setting {
    const char *name;
    unsigned *value, least, most;
    const char *const *names;
};

enum { SETTINGS = 16 };

static void settings_of(struct options *options, struct setting settings[SETTINGS])
{
    struct prefetch_options *prefetch = &options->geometry.prefetch;
    struct reuse_options *reuse = &options->geometry.reuse;
    const struct setting all[SETTINGS] = {
        {"region", &options->gated, 0, 0, REGIONS},
        {"cores", &options->geometry.cores, 1, MOST_CORES, NULL},
        {"prefetch", &prefetch->kind, 0, 0, PREFETCHERS},
        {"prefetch_by_instruction", &prefetch->by_instruction, 0, 1, NULL},
        {"prefetch_l1_streams", &prefetch->streams, 1, MOST_STREAMS, NULL},
        {"prefetch_l1_stores", &prefetch->l1_stores, 0, 1, NULL},
        {"prefetch_l1_confidence", &prefetch->l1.confidence, 1, MOST_CONFIDENCE, NULL},
        {"prefetch_l1_distance", &prefetch->l1.distance, 1, MOST_DISTANCE, NULL},
        {"prefetch_l1_degree", &prefetch->l1.degree, 0, MOST_DEGREE, NULL},
        {"prefetch_l2_confidence", &prefetch->l2.confidence, 1, MOST_CONFIDENCE, NULL},
        {"prefetch_l2_distance", &prefetch->l2.distance, 1, MOST_DISTANCE, NULL},
        {"prefetch_l2_degree", &prefetch->l2.degree, 0, MOST_DEGREE, NULL},
        {"prefetch_l2_lookup", &prefetch->l2_lookup, 0, 1, NULL},
        {"reuse_one_in", &reuse->one_in, 0, MOST_ONE_IN, NULL},
        {"reuse_hands", &reuse->hands, 1, MOST_HANDS, NULL},
        {"reuse_seed", &reuse->seed, 0, INT32_MAX, NULL},
    };
    memcpy(settings, all, sizeof all);
}

/* Reads a whole number; returns what follows it, or NULL where there is none. */
static const char *number(const char *text, unsigned *value)
{
    char *end;
    unsigned long read = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || read > INT32_MAX)
        return NULL;
    *value = (unsigned)read;
    return end;
}

static bool word(const char *text, const char *const *names, unsigned *index)
{
    for (*index = 0; names[*index]; ++*index)
        if (!strcmp(text, names[*index]))
            return true;
    return false;
}

static bool read_setting(const struct setting *setting, const char *text)
{
    if (setting->names) {
        if (word(text, setting->names, setting->value))
            return true;
        return refuse("%s=%s: neither %s nor %s%s%s", setting->name, text, setting->names[0], setting->names[1],
                      setting->names[2] ? " nor " : "", setting->names[2] ? setting->names[2] : "");
    }
    const char *rest = number(text, setting->value);
    if (rest && !*rest && *setting->value >= setting->least && *setting->value <= setting->most)
        return true;
    return refuse("%s=%s: not a whole number from %u to %u", setting->name, text, setting->least, setting->most);
}

static bool power_of_two(unsigned number)
{
    return number && !(number & (number - 1));
}

static bool possible(const char *name, const char *text, const struct cache_geometry *cache)
{
    if (!power_of_two(cache->line) || cache->line < SMALLEST_LINE || cache->line > LARGEST_LINE)
        return refuse("%s=%s: a line is not a power of two from %d to %d", name, text, SMALLEST_LINE, LARGEST_LINE);
    if (cache->ways < 1 || cache->ways > MOST_WAYS)
        return refuse("%s=%s: the ways are not from 1 to %d", name, text, MOST_WAYS);
    unsigned way = cache->ways * cache->line;
    if (cache->size % way || !power_of_two(cache->size / way))
        return refuse("%s=%s: the size is not ways x line x a power of two", name, text);
    return true;
}

/* Reads SIZE:WAYS:LINE and, where there is something to say who uses it, `:private` or `:shared`. */
static bool read_cache(const char *name, const char *text, struct cache_geometry *cache, unsigned *shared)
{
    unsigned *const parts[] = {&cache->size, &cache->ways, &cache->line};
    const char *rest = text;
    for (int i = 0; i < 3 && rest; i++) {
        rest = number(rest, parts[i]);
        if (rest && (i < 2 || shared))
            rest = *rest == ':' ? rest + 1 : NULL;
    }
    if (!rest || (shared ? !word(rest, L2_USES, shared) : *rest))
        return refuse("%s=%s: not SIZE:WAYS:LINE%s", name, text, shared ? ":private or SIZE:WAYS:LINE:shared" : "");
    return possible(name, text, cache);
}

static bool read_option(struct options *options, const char *name, const char *text)
{
    struct geometry *geometry = &options->geometry;
    struct setting settings[SETTINGS];
    settings_of(options, settings);
    for (int i = 0; i < SETTINGS; i++)
        if (!strcmp(name, settings[i].name))
            return read_setting(&settings[i], text);
    if (!strcmp(name, "l1i"))
        return read_cache(name, text, &geometry->l1i, NULL);
    if (!strcmp(name, "l1d"))
        return read_cache(name, text, &geometry->l1d, NULL);
    if (!strcmp(name, "l2"))
        return read_cache(name, text, &geometry->l2, &geometry->l2_shared);
    if (!strcmp(name, "l3"))
        return read_cache(name, text, &geometry->l3, NULL);
    if (strcmp(name, "out"))
        return refuse("%s is not an option", name);
    options->out = text;
    return true;
}

/* Whether nothing is missing and the caches fit each other. */
static bool whole(const struct options *options)
{
    const struct geometry *geometry = &options->geometry;
    const struct cache_geometry *caches[] = {&geometry->l1i, &geometry->l1d, &geometry->l2, &geometry->l3};
    const char *const names[] = {"l1i", "l1d", "l2", "l3"};
    if (!options->out || !*options->out)
        return refuse("out=FILE is missing");
    for (int i = 0; i < 4; i++) {
        if (i < 3 && !caches[i]->size)
            return refuse("%s=SIZE:WAYS:LINE is missing", names[i]);
        if (caches[i]->size && caches[i]->line != caches[0]->line)
            return refuse("%s has lines of %u bytes and l1i of %u: one line size for all is needed", names[i],
                          caches[i]->line, caches[0]->line);
    }
    if (geometry->l2.size < geometry->l1d.size)
        return refuse("the L2 includes the L1D and cannot be smaller");
    const struct reuse_options *reuse = &geometry->reuse;
    if (reuse->one_in && !power_of_two(reuse->one_in))
        return refuse("reuse_one_in=%u: not a power of two", reuse->one_in);
    if (reuse->one_in && reuse->hands > reuse->one_in)
        return refuse("reuse_hands=%u: more than reuse_one_in=%u", reuse->hands, reuse->one_in);
    return true;
}

bool options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.geometry.cores = 1};
    options->geometry.prefetch =
        (struct prefetch_options){.streams = 16, .l1_stores = 1, .l1 = {2, 4, 2}, .l2 = {2, 16, 2}};
    options->geometry.reuse = (struct reuse_options){.hands = 1, .seed = 1};
    for (int i = 0; i < argc; i++) {
        char *name = argv[i], *equals = strchr(name, '=');
        if (!equals)
            return refuse("%s has no value", name);
        *equals = '\0';
        bool good = read_option(options, name, equals + 1);
        *equals = '=';
        if (!good)
            return false;
    }
    return whole(options);
}

static void write_cache(FILE *file, const char *name, const struct cache_geometry *cache, const char *use)
{
    fprintf(file, ", \"%s\": \"%u:%u:%u%s%s\"", name, cache->size, cache->ways, cache->line, *use ? ":" : "", use);
}

void options_write(struct options *options, FILE *file)
{
    const struct geometry *geometry = &options->geometry;
    struct setting settings[SETTINGS];
    settings_of(options, settings);
    for (int i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        if (!strncmp(setting->name, "reuse_", 6) ||
            (geometry->prefetch.kind != PREFETCH_STRIDE && !strncmp(setting->name, "prefetch_", 9)))
            continue;
        fprintf(file, i ? ", \"%s\": " : "\"%s\": ", setting->name);
        if (setting->names)
            fprintf(file, "\"%s\"", setting->names[*setting->value]);
        else
            fprintf(file, "%u", *setting->value);
    }
    write_cache(file, "l1i", &geometry->l1i, "");
    write_cache(file, "l1d", &geometry->l1d, "");
    write_cache(file, "l2", &geometry->l2, L2_USES[geometry->l2_shared]);
    if (geometry->l3.size)
        write_cache(file, "l3", &geometry->l3, "");
}
