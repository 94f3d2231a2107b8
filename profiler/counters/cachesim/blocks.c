#include "blocks.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096 };

struct chunk {
    struct chunk *next;
    unsigned used;
    struct block blocks[CHUNK];
};

static struct chunk *chunks;

struct block *blocks_new(void)
{
    if (!chunks || chunks->used == CHUNK) {
        struct chunk *chunk = malloc(sizeof *chunk);
        if (!chunk)
            abort();
        chunk->next = chunks;
        chunk->used = 0;
        chunks = chunk;
    }
    return &chunks->blocks[chunks->used++];
}

void blocks_free(void)
{
    while (chunks) {
        struct chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}

static bool is_prefix(uint8_t byte)
{
    return memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf2\xf3", byte, 10) || (byte & 0xf0) == 0x40;
}

bool is_repeated_string(const uint8_t *bytes, size_t size)
{
    size_t i = 0;
    bool repeat = false;
    for (; i < size && is_prefix(bytes[i]); i++)
        repeat |= bytes[i] == 0xf2 || bytes[i] == 0xf3;
    return repeat && i < size && memchr("\x6c\x6d\x6e\x6f\xa4\xa5\xa6\xa7\xaa\xab\xac\xad\xae\xaf", bytes[i], 14);
}
