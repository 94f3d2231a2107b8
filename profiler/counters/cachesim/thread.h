/* One guest thread's instructions and memory accesses, as QEMU reports them, made into line accesses of a core. */
#ifndef THREAD_H
#define THREAD_H

#include "blocks.h"
#include "hierarchy.h"
#include "turn.h"

/* The access that a further part may belong to; addresses. It takes parts up to `limit` without further ado: the end of
 * its line or as far as an access reaches, whichever comes first. */
struct access {
    uint64_t instruction, start, end, limit;
};

struct thread {
    struct taker taker;
    bool ran;
    struct core *core;
    uint64_t last; /* address of the last instruction */
    unsigned widest; /* bytes of one access at most */
    struct access accesses[2]; /* the last load and the last store */
} __attribute__((aligned(64)));

/* Counts a block and fetches its lines. The first execution of a repeated string instruction counts it; the elements
 * that follow are neither instructions nor fetches, and their accesses join as one execution's. */
void thread_block(struct thread *thread, const struct block *block);

/* As thread_block, if that is quickly done, as it is for most. False, and nothing done, otherwise. */
static inline bool thread_block_quickly(struct thread *thread, const struct block *block)
{
    struct core *core = thread->core;
    if (block->repeats || !core_fetch_quickly(core, block->first_line, block->last_line))
        return block->repeats && thread->last == block->first;
    core->counts.inst_retired += block->instructions;
    thread->ran = true;
    thread->last = block->last;
    thread->accesses[LOAD].instruction = thread->accesses[STORE].instruction = 0;
    return true;
}

/* QEMU splits vector accesses into parts of at most 8 or 16 bytes. Parts of one execution of an instruction that
 * continue one another are one access, up to `widest` bytes: what the widest load or store of the instruction set, or
 * the core's port, takes at once. */
void thread_access(struct thread *thread, uint64_t instruction, uint64_t address, unsigned size, unsigned write);

/* Lets the access, so far from its start to its end, take parts in the line where it ends. */
static inline void set_limit(const struct thread *thread, struct access *access)
{
    uint64_t line_end = ((access->end - 1) | (thread->core->line_size - 1)) + 1, reach = access->start + thread->widest;
    access->limit = reach < line_end ? reach : line_end;
}

static inline void begin(struct thread *thread, uint64_t instruction, uint64_t address, unsigned size, unsigned write)
{
    struct access *access = &thread->accesses[write];
    access->instruction = instruction;
    access->start = address;
    access->end = address + size;
    set_limit(thread, access);
    thread->core->counts.mem_access[write]++;
}

/* Takes a part that continues the last access in its line. False, and nothing done, if it is none. */
static inline bool thread_continue(struct thread *thread, uint64_t instruction, uint64_t address, unsigned size,
                                   unsigned write)
{
    struct access *access = &thread->accesses[write];
    uint64_t end = address + size;
    if (address != access->end || instruction != access->instruction || end > access->limit)
        return false;
    access->end = end;
    return true;
}

/* Does an access that lies in one line, which the core has ready, as most do. False, and nothing done, if it does not
 * or may continue the last access in another line. */
static inline bool thread_begin(struct thread *thread, uint64_t instruction, uint64_t address, unsigned size,
                                unsigned write)
{
    const struct access *access = &thread->accesses[write];
    struct core *core = thread->core;
    uint64_t in_line = address & (core->line_size - 1);
    if (in_line == 0 && address == access->end && instruction == access->instruction)
        return false;
    if (in_line + size > core->line_size || !core_has_ready(core, address >> core->line_shift, write))
        return false;
    begin(thread, instruction, address, size, write);
    return true;
}

#endif
