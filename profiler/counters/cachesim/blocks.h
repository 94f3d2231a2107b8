/* The blocks that QEMU translated, and what is known of each before it is executed. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of instructions that QEMU translates and executes as one. */
struct block {
    uint64_t first_line, last_line;
    uint64_t first, last; /* addresses of instructions */
    unsigned instructions;
    bool repeats; /* one repeated x86 string instruction: QEMU executes it once for every element */
};

/* Memory for a block. QEMU translates in one thread at a time. */
struct block *blocks_new(void);

/* Frees all blocks, as QEMU has dropped its translations. */
void blocks_free(void);

/* Whether an x86-64 instruction is INS, OUTS, MOVS, CMPS, STOS, LODS or SCAS with a repeat prefix. */
bool is_repeated_string(const uint8_t *bytes, size_t size);

#endif
