/* The file that the plugin leaves: one JSON object. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "options.h"

struct result {
    const char *target; /* instruction set, as QEMU calls it */
    unsigned threads;   /* that executed an instruction while counting */
    unsigned regions;   /* times that counting began */
    struct counts *per_core;
    const struct reuse *reuse; /* written where lines are followed */
};

/* Adds one core's counts to another's. */
void counts_add(struct counts *sum, const struct counts *counts);

/* Writes the result beside `path` and renames it; where that fails, says so in a line on stderr. */
void output_write(const char *path, struct options *options, const struct result *result);

#endif
