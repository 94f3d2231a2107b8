#include "prefetch.h"

#include <stdlib.h>
#include <string.h>

bool prefetch_open(struct prefetcher *prefetcher, const struct prefetch_options *options, unsigned line_shift)
{
    prefetcher->options = options;
    prefetcher->page_bits = PAGE_SHIFT - line_shift;
    prefetcher->streams = calloc(options->streams, sizeof *prefetcher->streams);
    return prefetcher->streams != NULL;
}

void prefetch_clear(struct prefetcher *prefetcher)
{
    prefetcher->now = 0;
    memset(prefetcher->streams, 0, prefetcher->options->streams * sizeof *prefetcher->streams);
}

static bool same_page(const struct prefetcher *prefetcher, uint64_t line, uint64_t other)
{
    return (line ^ other) >> prefetcher->page_bits == 0;
}

/* The stream of `key`, or the place to put it: an empty one or the least recently used. */
static struct stream *place_of(struct prefetcher *prefetcher, uint64_t key)
{
    struct stream *oldest = prefetcher->streams;
    for (unsigned i = 0; i < prefetcher->options->streams; i++) {
        struct stream *stream = &prefetcher->streams[i];
        if (stream->used && stream->key == key)
            return stream;
        if (stream->used < oldest->used)
            oldest = stream;
    }
    return oldest;
}

/* Moves the stream to `line`; false where that taught nothing. */
static bool advance(struct stream *stream, uint64_t line)
{
    int64_t stride = (int64_t)(line - stream->line);
    if (stride == 0)
        return false;
    stream->line = line;
    if (stride != stream->stride) {
        stream->stride = stride;
        stream->confidence = 1;
        stream->l1_ahead = stream->l2_ahead = 0;
        return true;
    }
    stream->confidence++;
    if (stream->l1_ahead)
        stream->l1_ahead--;
    if (stream->l2_ahead)
        stream->l2_ahead--;
    return true;
}

/* Asks for the next lines of a stream for one level; returns how many. */
static unsigned ask(const struct prefetcher *prefetcher, const struct stream *stream,
                    const struct prefetch_level *level, unsigned *ahead, uint64_t lines[MOST_DEGREE])
{
    unsigned count = 0;
    if (stream->confidence < level->confidence)
        return 0;
    while (count < level->degree && *ahead < level->distance) {
        uint64_t line = stream->line + (uint64_t)(stream->stride * (int64_t)(*ahead + 1));
        if (!same_page(prefetcher, line, stream->line))
            break;
        (*ahead)++;
        lines[count++] = line;
    }
    return count;
}

static void observe_stride(struct prefetcher *prefetcher, const struct demand *demand, struct requests *asked)
{
    const struct prefetch_options *options = prefetcher->options;
    uint64_t key = options->by_instruction ? demand->instruction : demand->line >> prefetcher->page_bits;
    struct stream *stream = place_of(prefetcher, key);
    bool known = stream->used && stream->key == key;
    if (!known)
        *stream = (struct stream){.key = key, .line = demand->line};
    stream->used = ++prefetcher->now;
    if (!known || !advance(stream, demand->line))
        return;
    if (options->l1_stores || !demand->store)
        asked->l1_count = ask(prefetcher, stream, &options->l1, &stream->l1_ahead, asked->l1);
    if (stream->l2_ahead < stream->l1_ahead)
        stream->l2_ahead = stream->l1_ahead;
    asked->l2_count = ask(prefetcher, stream, &options->l2, &stream->l2_ahead, asked->l2);
}

void prefetch_observe(struct prefetcher *prefetcher, const struct demand *demand, struct requests *asked)
{
    uint64_t next = demand->line + 1;
    asked->l1_count = asked->l2_count = 0;
    if (prefetcher->options->kind == PREFETCH_STRIDE) {
        observe_stride(prefetcher, demand, asked);
    } else if (prefetcher->options->kind == PREFETCH_NEXT_LINE && same_page(prefetcher, demand->line, next)) {
        asked->l1[0] = next;
        asked->l1_count = 1;
    }
}
