#include "thread.h"

void thread_block(struct thread *thread, const struct block *block)
{
    if (block->repeats && thread->last == block->first)
        return;
    core_fetch(thread->core, block->first_line, block->last_line);
    thread->core->counts.inst_retired += block->instructions;
    thread->ran = true;
    thread->last = block->last;
    thread->accesses[LOAD].instruction = thread->accesses[STORE].instruction = 0;
}

void thread_access(struct thread *thread, uint64_t instruction, uint64_t address, unsigned size, unsigned write)
{
    struct access *access = &thread->accesses[write];
    struct core *core = thread->core;
    uint64_t end = address + size;
    uint64_t line = address >> core->line_shift, last_line = (end - 1) >> core->line_shift;
    if (address == access->end && instruction == access->instruction && end - access->start <= thread->widest) {
        access->end = end;
        set_limit(thread, access);
        if (line == (address - 1) >> core->line_shift)
            line++;
    } else {
        begin(thread, instruction, address, size, write);
        core_access(core, instruction, line++, write);
    }
    for (; line <= last_line; line++) {
        core->counts.crossings[write]++;
        core_access(core, instruction, line, write);
    }
}
