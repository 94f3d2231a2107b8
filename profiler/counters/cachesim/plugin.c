/* The QEMU side: what to instrument, when to count, where the result goes.
 *
 * With region=gate nothing is instrumented, and the guest runs at QEMU's full speed, until it asks for it by
 * prctl(0x50524f46, WHAT, 0, 0, 0), an option that no kernel knows. 2 (warm): simulate. 1 (count): simulate and
 * count; from empty caches unless it was simulating. 0 (off): neither. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"
#include "output.h"
#include "qemu_plugin_abi.h"
#include "thread.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

enum { MOST_THREADS = 4096, GATE = 0x50524f46 };
enum state { OFF, COUNT, WARM };

struct target {
    const char *name;
    int64_t prctl; /* system call number */
    unsigned widest; /* bytes that one access takes at most: a pair of X or one Q register, a YMM register */
    bool repeats;    /* has repeated string instructions */
};

static const struct target TARGETS[] = {{"aarch64", 167, 16, false}, {"x86_64", 157, 32, true}};

static const struct target *target;
static struct options options;
static char out[PATH_MAX];
static pid_t process;
static struct hierarchy hierarchy;
static struct turn turn;
static struct thread threads[MOST_THREADS];
static enum state state;
static struct result result;

/* What QEMU says of an access, taken apart once for each value and kept: asking QEMU costs more than the simulation. */

enum { FORMS = 1 << 18, STORED = 0x80, SIZE = STORED - 1 };

static uint8_t forms[FORMS]; /* size in bytes, and STORED; 0 where not yet known */

static unsigned form_of(qemu_plugin_meminfo_t info)
{
    unsigned form = 1u << qemu_plugin_mem_size_shift(info) | (qemu_plugin_mem_is_store(info) ? STORED : 0);
    if (info < FORMS)
        forms[info] = (uint8_t)form;
    return form;
}

static inline unsigned known_form(qemu_plugin_meminfo_t info)
{
    return info < FORMS ? forms[info] : 0;
}

/* Execution. */

#define STEP __attribute__((noinline))

/* An access takes the first of three steps that can do it. They are functions of their own, and pass their arguments
 * on, because most accesses end with the first and should not pay for the registers of the others. */

static STEP void simulate_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *instruction)
{
    struct thread *thread = &threads[vcpu];
    unsigned form = form_of(info);
    turn_enter(&turn, &thread->taker);
    thread_access(thread, (uintptr_t)instruction, address, form & SIZE, form / STORED);
    turn_leave(&turn, &thread->taker);
}

static STEP void begin_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *instruction)
{
    struct thread *thread = &threads[vcpu];
    unsigned form = known_form(info);
    bool done = form && turn_enter_quickly(&turn, &thread->taker) &&
                thread_begin(thread, (uintptr_t)instruction, address, form & SIZE, form / STORED);
    turn_leave_quickly(&thread->taker);
    if (!done)
        simulate_access(vcpu, info, address, instruction);
}

static void on_memory(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *instruction)
{
    struct thread *thread = &threads[vcpu];
    unsigned form = known_form(info);
    bool done = form && turn_enter_quickly(&turn, &thread->taker) &&
                thread_continue(thread, (uintptr_t)instruction, address, form & SIZE, form / STORED);
    turn_leave_quickly(&thread->taker);
    if (!done)
        begin_access(vcpu, info, address, instruction);
}

static STEP void simulate_block(struct thread *thread, const struct block *block)
{
    turn_enter(&turn, &thread->taker);
    thread_block(thread, block);
    turn_leave(&turn, &thread->taker);
}

static void on_block(unsigned vcpu, void *block)
{
    struct thread *thread = &threads[vcpu];
    bool done = turn_enter_quickly(&turn, &thread->taker) && thread_block_quickly(thread, block);
    turn_leave_quickly(&thread->taker);
    if (!done)
        simulate_block(thread, block);
}

static void on_thread(qemu_plugin_id_t id, unsigned vcpu)
{
    (void)id;
    if (vcpu >= MOST_THREADS) {
        fprintf(stderr, "cachesim: more than %d threads\n", MOST_THREADS);
        _exit(EXIT_FAILURE);
    }
    threads[vcpu].core = &hierarchy.cores[vcpu % options.geometry.cores];
    threads[vcpu].widest = target->widest;
}

/* Translation. */

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(tb);
    struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0), *last = qemu_plugin_tb_get_insn(tb, count - 1);
    struct block *block = blocks_new();
    block->first = qemu_plugin_insn_vaddr(first);
    block->last = qemu_plugin_insn_vaddr(last);
    block->first_line = block->first >> hierarchy.line_shift;
    block->last_line = (block->last + qemu_plugin_insn_size(last) - 1) >> hierarchy.line_shift;
    block->instructions = (unsigned)count;
    block->repeats = target->repeats && count == 1 &&
                     is_repeated_string(qemu_plugin_insn_data(first), qemu_plugin_insn_size(first));
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                         (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
    }
}

static void on_flush(qemu_plugin_id_t id)
{
    (void)id;
    blocks_free();
}

/* Regions. */

static void start_counting(void)
{
    for (unsigned i = 0; i < options.geometry.cores; i++)
        hierarchy.cores[i].counts = (struct counts){0};
    for (unsigned i = 0; i < MOST_THREADS; i++)
        threads[i].ran = false;
    reuse_begin(&hierarchy.reuse);
    result.regions++;
}

static void stop_counting(void)
{
    unsigned ran = 0;
    for (unsigned i = 0; i < options.geometry.cores; i++)
        counts_add(&result.per_core[i], &hierarchy.cores[i].counts);
    for (unsigned i = 0; i < MOST_THREADS; i++)
        ran += threads[i].ran;
    if (result.threads < ran)
        result.threads = ran;
    reuse_end(&hierarchy.reuse);
}

static void enter_state(enum state next)
{
    if (state == next)
        return;
    if (state == OFF)
        hierarchy_clear(&hierarchy);
    if (state == COUNT)
        stop_counting();
    if (next == COUNT)
        start_counting();
    state = next;
}

static void subscribe(qemu_plugin_id_t id);

static void on_system_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t option, uint64_t what,
                           uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    struct taker *taker = &threads[vcpu].taker;
    if (options.gated && number == target->prctl && option == GATE && what <= WARM) {
        turn_enter(&turn, taker);
        bool reinstrument = (state == OFF) != (what == OFF);
        enter_state((enum state)what);
        turn_leave(&turn, taker);
        if (reinstrument)
            qemu_plugin_reset(id, subscribe);
    }
    turn_give_up(&turn, taker);
}

static void on_exit_of_process(qemu_plugin_id_t id, void *data)
{
    (void)id, (void)data;
    if (getpid() != process)
        return;
    enter_state(OFF);
    output_write(out, &options, &result);
}

/* After a reset, QEMU has forgotten all callbacks and translations. */
static void subscribe(qemu_plugin_id_t id)
{
    if (state != OFF)
        qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_init_cb(id, on_thread);
    qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
    qemu_plugin_register_flush_cb(id, on_flush);
    qemu_plugin_register_atexit_cb(id, on_exit_of_process, NULL);
}

static bool refuse(const char *reason)
{
    fprintf(stderr, "cachesim: %s\n", reason);
    return false;
}

static bool find_target(const qemu_info_t *info)
{
    for (size_t i = 0; i < sizeof TARGETS / sizeof *TARGETS; i++)
        if (!info->system_emulation && !strcmp(info->target_name, TARGETS[i].name))
            target = &TARGETS[i];
    return target || refuse("simulates user programs of aarch64 and x86_64 only");
}

/* The guest may change its directory, and QEMU's own with it. */
static bool find_out(void)
{
    char folder[PATH_MAX] = "";
    if (*options.out != '/' && !getcwd(folder, sizeof folder - 1))
        return refuse("the current directory has no name");
    if (*folder)
        strcat(folder, "/");
    return snprintf(out, sizeof out, "%s%s", folder, options.out) < (int)sizeof out || refuse("out= is too long");
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    if (!find_target(info) || !options_read(&options, argc, argv) || !find_out())
        return -1;
    result.target = target->name;
    result.reuse = &hierarchy.reuse;
    result.per_core = calloc(options.geometry.cores, sizeof *result.per_core);
    if (!result.per_core || !hierarchy_open(&hierarchy, &options.geometry)) {
        refuse("no memory for the simulated caches");
        return -1;
    }
    turn_open(&turn);
    process = getpid();
    if (!options.gated)
        enter_state(COUNT);
    subscribe(id);
    return 0;
}
