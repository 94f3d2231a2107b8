#include "reuse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A stack is kept as the times of its lines' last touches: slots, given out one after another, each marked as long as
 * it is the last touch of a line. The distance of an access is then the number of marked slots after its line's. Marks
 * are bits of words, and a Fenwick tree holds the words' sums (P. M. Fenwick, "A new data structure for cumulative
 * frequency tables", Software: Practice and Experience 24, 1994). Slots not yet given out are marked, so that giving
 * one out costs nothing, and do not matter, as they come after all others. When all are given out, the marked ones move
 * together. */

enum { WORD = 64, FEWEST_SLOTS = 1 << 12 };

/* A place of the hash map from lines to slots. */
struct place {
    uint64_t line; /* NO_LINE where it is empty */
    uint32_t slot;
    uint32_t region; /* that it was last touched in */
};

struct stack {
    struct place *places; /* twice as many as slots, so that half at least are empty */
    uint64_t *marks;
    uint32_t *owners; /* the place of each slot that was given out */
    uint32_t *sums;   /* the tree; the sum of entry i is over the words up to word i - 1 */
    uint32_t slots, next, lines;
};

/* Finds the line's place, or the empty one where it belongs. */
static struct place *find(const struct stack *stack, uint64_t line)
{
    /* The lower bits may be what dealt the line to this hand. */
    uint64_t mask = UINT64_C(2) * stack->slots - 1, at = reuse_hash(line) >> 32 & mask;
    while (stack->places[at].line != line && stack->places[at].line != NO_LINE)
        at = (at + 1) & mask;
    return &stack->places[at];
}

static void mark_all(struct stack *stack)
{
    uint32_t words = stack->slots / WORD;
    memset(stack->marks, 0xff, words * sizeof *stack->marks);
    for (uint32_t i = 1; i <= words; i++)
        stack->sums[i] = WORD * (i & -i);
}

static void unmark(struct stack *stack, uint32_t slot)
{
    uint32_t words = stack->slots / WORD;
    stack->marks[slot / WORD] &= ~(UINT64_C(1) << slot % WORD);
    for (uint32_t i = slot / WORD + 1; i <= words; i += i & -i)
        stack->sums[i]--;
}

/* Marked slots up to this one. */
static uint32_t rank(const struct stack *stack, uint32_t slot)
{
    uint32_t sum = (uint32_t)__builtin_popcountll(stack->marks[slot / WORD] << (WORD - 1 - slot % WORD));
    for (uint32_t i = slot / WORD; i > 0; i &= i - 1)
        sum += stack->sums[i];
    return sum;
}

static void stack_free(struct stack *stack)
{
    free(stack->places);
    free(stack->marks);
    free(stack->owners);
    free(stack->sums);
}

static void stack_clear(struct stack *stack)
{
    stack->next = stack->lines = 0;
    for (uint64_t i = 0; i < UINT64_C(2) * stack->slots; i++)
        stack->places[i].line = NO_LINE;
    mark_all(stack);
}

static bool stack_open(struct stack *stack, uint32_t slots)
{
    stack->slots = slots;
    stack->places = calloc(slots, 2 * sizeof *stack->places);
    stack->marks = calloc(slots / WORD, sizeof *stack->marks);
    stack->owners = calloc(slots, sizeof *stack->owners);
    stack->sums = calloc(slots / WORD + 1, sizeof *stack->sums);
    bool opened = slots && stack->places && stack->marks && stack->owners && stack->sums;
    if (opened)
        stack_clear(stack);
    else
        stack_free(stack);
    return opened;
}

static bool is_marked(const struct stack *stack, uint32_t slot)
{
    return stack->marks[slot / WORD] >> slot % WORD & 1;
}

/* Moves the marked slots to the front in their order. */
static void compact(struct stack *stack)
{
    uint32_t next = 0;
    for (uint32_t slot = 0; slot < stack->next; slot++) {
        if (!is_marked(stack, slot))
            continue;
        stack->places[stack->owners[slot]].slot = next;
        stack->owners[next++] = stack->owners[slot];
    }
    stack->next = next;
    mark_all(stack);
}

/* Gives the next slot to a place. */
static void give(struct stack *stack, struct place *place)
{
    stack->owners[stack->next] = (uint32_t)(place - stack->places);
    place->slot = stack->next++;
}

/* Moves all into a stack of twice the slots; ends the process where there is no memory. */
static void grow(struct stack *stack)
{
    struct stack larger;
    if (!stack_open(&larger, stack->slots * 2)) {
        fputs("cachesim: no memory for reuse distances: follow fewer lines (reuse_one_in)\n", stderr);
        _exit(EXIT_FAILURE);
    }
    for (uint32_t slot = 0; slot < stack->next; slot++) {
        if (!is_marked(stack, slot))
            continue;
        const struct place *from = &stack->places[stack->owners[slot]];
        struct place *to = find(&larger, from->line);
        *to = *from;
        give(&larger, to);
    }
    larger.lines = stack->lines;
    stack_free(stack);
    *stack = larger;
}

bool reuse_open(struct reuse *reuse, const struct reuse_options *options)
{
    *reuse = (struct reuse){.options = options, .hands = options->hands, .deals = options->one_in - 1};
    reuse->key = reuse_hash(options->seed);
    reuse->stacks = calloc(options->hands, sizeof *reuse->stacks);
    reuse->seen = calloc(options->hands, sizeof *reuse->seen);
    bool opened = reuse->stacks && reuse->seen;
    for (unsigned hand = 0; opened && hand < options->hands; hand++)
        opened = stack_open(&reuse->stacks[hand], FEWEST_SLOTS);
    if (opened)
        reuse_clear(reuse);
    return opened;
}

static void forget_tops(struct reuse *reuse)
{
    for (unsigned hand = 0; hand < MOST_HANDS; hand++)
        reuse->tops[hand] = NO_LINE;
}

void reuse_clear(struct reuse *reuse)
{
    for (unsigned hand = 0; hand < reuse->hands; hand++)
        stack_clear(&reuse->stacks[hand]);
    forget_tops(reuse);
}

void reuse_begin(struct reuse *reuse)
{
    reuse->region++;
    reuse->counting = true;
    /* The first touch of a line in the region counts even on top of its stack. */
    forget_tops(reuse);
}

void reuse_end(struct reuse *reuse)
{
    reuse->counting = false;
}

/* The entry of a histogram that counts this distance. */
static unsigned entry_of(uint64_t distance)
{
    if (distance < 1 << FIRST_OCTAVE)
        return 0;
    unsigned octave = 63 - (unsigned)__builtin_clzll(distance);
    if (octave >= LAST_OCTAVE)
        return EDGES - 1;
    return 1 + (octave - FIRST_OCTAVE) * STEPS + (unsigned)(distance * STEPS >> octave) - STEPS;
}

/* The least distance of an entry. */
static uint64_t edge(unsigned entry)
{
    if (entry == 0)
        return 0;
    unsigned octave = FIRST_OCTAVE + (entry - 1) / STEPS;
    return ((uint64_t)(STEPS + (entry - 1) % STEPS) << octave) / STEPS;
}

/* Puts the line on top; its place before. Where it was not there, that is empty. */
static struct place push(struct stack *stack, uint64_t line, uint32_t region)
{
    if (stack->next == stack->slots) {
        if (stack->lines >= stack->slots / 2)
            grow(stack);
        else
            compact(stack);
    }
    struct place *place = find(stack, line), before = *place;
    place->line = line;
    place->region = region;
    give(stack, place);
    return before;
}

void reuse_touch(struct reuse *reuse, uint64_t line)
{
    uint64_t hand = reuse_hash(line + reuse->key) & reuse->deals;
    struct stack *stack = &reuse->stacks[hand];
    struct distances *seen = &reuse->seen[hand];
    struct place before = push(stack, line, reuse->region);
    reuse->tops[hand] = line;
    bool never = before.line == NO_LINE, again = !never && before.region == reuse->region;
    uint64_t distance = 0;
    if (never) {
        stack->lines++;
    } else {
        distance = (uint64_t)(stack->lines - rank(stack, before.slot)) * (reuse->deals + 1);
        unmark(stack, before.slot);
    }
    if (!reuse->counting)
        return;
    seen->lines += !again;
    if (never)
        seen->never++;
    else
        (again ? seen->again : seen->first)[entry_of(distance)]++;
}

static void write_histogram(FILE *file, const char *name, const uint64_t *counts)
{
    fprintf(file, ", \"%s\": ", name);
    for (unsigned i = 0; i < EDGES; i++)
        fprintf(file, "%s%" PRIu64, i ? ", " : "[", counts[i]);
    fputc(']', file);
}

void reuse_write(const struct reuse *reuse, unsigned line_size, FILE *file)
{
    fprintf(file, "{\"line\": %u, \"one_in\": %u, \"hands\": %u, \"seed\": %u,\n\"edges\": ", line_size,
            reuse->options->one_in, reuse->options->hands, reuse->options->seed);
    for (unsigned i = 0; i < EDGES; i++)
        fprintf(file, "%s%" PRIu64, i ? ", " : "[", edge(i));
    fputs("],\n\"samples\": [", file);
    for (unsigned hand = 0; hand < reuse->hands; hand++) {
        const struct distances *seen = &reuse->seen[hand];
        fprintf(file, "%s{\"lines\": %" PRIu64 ", \"first_never\": %" PRIu64, hand ? ",\n" : "\n", seen->lines,
                seen->never);
        write_histogram(file, "first", seen->first);
        write_histogram(file, "again", seen->again);
        fputc('}', file);
    }
    fputs("]}", file);
}
