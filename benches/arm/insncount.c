/*
 * A plugin for qemu-user (7.2 and later): counts the instructions that an ARM program of 64 or 32 bits executes.
 *
 *     cc -O2 -shared -fPIC -o insncount.so insncount.c
 *     qemu-aarch64 -plugin ./insncount.so[,functions=N][,log=stdout] PROGRAM ...
 *
 * When the program ends it prints one line, on standard error unless told otherwise: all instructions, and how many of them multiply eight-bit numbers, load and
 * store vectors, and load and store anything else. With functions=N, the N functions with the most come behind.
 *
 * Instructions of 32 bits are told apart as A64 or, for qemu-arm, as A32. Thumb code, as the C library of 32-bit ARM is,
 * is counted rightly in all, and its instructions of 32 bits wrongly by kind.
 *
 * Blocks of guest code are looked at once, when they are translated; running one adds up what was found. Programs are
 * expected to do their work on one thread: counts of others are added without a lock, and could be lost.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of QEMU's plugin interface, version 1. */
typedef uint64_t qemu_plugin_id_t;
/* The first field of a larger structure. */
struct qemu_info_t {
    const char *target_name;
};
struct qemu_plugin_tb;
struct qemu_plugin_insn;
int qemu_plugin_version __attribute__((visibility("default"))) = 1;
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
extern const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);

/* Bits of an instruction word that must have a value: Arm ARM, C4.1, "A64 instruction set encoding". */
struct pattern {
    uint32_t mask, value;
};

/* SDOT, UDOT, USDOT, SUDOT; SMMLA, UMMLA, USMMLA; SMULL, UMULL, SMLAL, UMLAL and their second halves. */
static const struct pattern multiplies[] = {
    {0x9f20fc00, 0x0e009400}, {0xbf20fc00, 0x0e009c00}, {0x9f00f400, 0x0f00e000}, {0xbf00f400, 0x0f00f000},
    {0xdf20fc00, 0x4e00a400}, {0xff20fc00, 0x4e00ac00}, {0x9f20fc00, 0x0e20c000}, {0x9f20fc00, 0x0e208000},
};

/* VMULL and VMLAL of 8-bit integers: Arm ARM, F4.1.20, "Advanced SIMD two registers and a scalar, three of different
 * length". */
static const struct pattern multiplies_32[] = {{0xfeb00f50, 0xf2800c00}, {0xfeb00f50, 0xf2800800}};

struct counts {
    uint64_t all, multiplies, vector_loads, vector_stores, loads, stores;
};

/* A block of guest code, or a function. */
struct block {
    uint64_t runs;
    struct counts counts;
    const char *function;
    struct block *next;
};

static struct block *blocks;
static unsigned functions_shown;
static bool on_stdout, is_32_bits;

static bool is_one_of(uint32_t word, const struct pattern *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((word & patterns[i].mask) == patterns[i].value)
            return true;
    return false;
}

/* C4.1.94, "Loads and stores": bit 27 set, bit 25 clear; bit 26 tells vectors. */
static void look_at_memory(uint32_t word, struct counts *counts)
{
    bool vector = word >> 26 & 1;
    bool literal = (word & 0x3b000000) == 0x18000000;
    bool single = (word & 0x38000000) == 0x38000000;
    unsigned operation = word >> 22 & 3;
    /* Pairs, exclusives and structures have one bit for the way; single registers two. */
    bool load = literal || (single && !vector ? operation != 0 : operation & 1);
    if (vector)
        load ? counts->vector_loads++ : counts->vector_stores++;
    else
        load ? counts->loads++ : counts->stores++;
}

/* A32, F4.1: loads and stores of vectors have 0xf4 on top, or are those of the coprocessors 10 and 11; all others lie
 * below 0xf0000000. Bit 20 tells loads, and bit 21 those of structures of vectors. */
static void look_at_32(uint32_t word, struct counts *counts)
{
    bool load = word >> 20 & 1;
    if (is_one_of(word, multiplies_32, sizeof multiplies_32 / sizeof *multiplies_32))
        counts->multiplies++;
    else if ((word & 0xff100000) == 0xf4000000)
        word >> 21 & 1 ? counts->vector_loads++ : counts->vector_stores++;
    else if (word >= 0xf0000000)
        return;
    else if ((word & 0x0e000e00) == 0x0c000a00)
        load ? counts->vector_loads++ : counts->vector_stores++;
    else if (((word & 0x0c000000) == 0x04000000 && (word & 0x02000010) != 0x02000010) ||
             (word & 0x0e000000) == 0x08000000 || ((word & 0x0e000090) == 0x00000090 && (word & 0x60)))
        load ? counts->loads++ : counts->stores++;
}

static void look_at_64(uint32_t word, struct counts *counts)
{
    if (is_one_of(word, multiplies, sizeof multiplies / sizeof *multiplies))
        counts->multiplies++;
    else if ((word & 0x0a000000) == 0x08000000)
        look_at_memory(word, counts);
}

static void run(unsigned cpu, void *block)
{
    (void)cpu;
    ((struct block *)block)->runs++;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    size_t length = qemu_plugin_tb_n_insns(tb);
    struct block *block = calloc(1, sizeof *block);
    if (!block || !length)
        return;
    for (size_t i = 0; i < length; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
        uint32_t word;
        block->counts.all++;
        if (qemu_plugin_insn_size(instruction) != sizeof word)
            continue;
        memcpy(&word, qemu_plugin_insn_data(instruction), sizeof word);
        is_32_bits ? look_at_32(word, &block->counts) : look_at_64(word, &block->counts);
    }
    const char *function = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
    block->function = function ? function : "?";
    block->next = blocks;
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, run, 0, block);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct block *const *)a)->function, (*(struct block *const *)b)->function);
}

static int by_count(const void *a, const void *b)
{
    uint64_t x = (*(struct block *const *)a)->counts.all, y = (*(struct block *const *)b)->counts.all;
    return (x < y) - (x > y);
}

static void print(const char *what, const struct counts *counts)
{
    fprintf(on_stdout ? stdout : stderr,
            "%s: instructions %" PRIu64 " multiplies %" PRIu64 " vector_loads %" PRIu64 " vector_stores %" PRIu64
            " loads %" PRIu64 " stores %" PRIu64 "\n",
            what, counts->all, counts->multiplies, counts->vector_loads, counts->vector_stores, counts->loads,
            counts->stores);
}

static void add(struct counts *to, const struct counts *from)
{
    to->all += from->all;
    to->multiplies += from->multiplies;
    to->vector_loads += from->vector_loads;
    to->vector_stores += from->vector_stores;
    to->loads += from->loads;
    to->stores += from->stores;
}

static void times_runs(struct block *block)
{
    struct counts *counts = &block->counts;
    counts->all *= block->runs;
    counts->multiplies *= block->runs;
    counts->vector_loads *= block->runs;
    counts->vector_stores *= block->runs;
    counts->loads *= block->runs;
    counts->stores *= block->runs;
}

static void print_functions(size_t count)
{
    struct block **all = calloc(count, sizeof *all);
    if (!all)
        return;
    size_t at = 0, functions = 0;
    for (struct block *block = blocks; block; block = block->next)
        all[at++] = block;
    qsort(all, count, sizeof *all, by_name);
    for (size_t i = 0; i < count; i++) {
        if (functions && !strcmp(all[functions - 1]->function, all[i]->function))
            add(&all[functions - 1]->counts, &all[i]->counts);
        else
            all[functions++] = all[i];
    }
    qsort(all, functions, sizeof *all, by_count);
    for (size_t i = 0; i < functions && i < functions_shown; i++)
        print(all[i]->function, &all[i]->counts);
    free(all);
}

static void ended(qemu_plugin_id_t id, void *nothing)
{
    (void)id, (void)nothing;
    struct counts total = {0};
    size_t count = 0;
    for (struct block *block = blocks; block; block = block->next, count++) {
        times_runs(block);
        add(&total, &block->counts);
    }
    print("insncount", &total);
    if (functions_shown && count)
        print_functions(count);
    fflush(stdout);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                                                               int argc, char **argv)
{
    is_32_bits = !strcmp(info->target_name, "arm");
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "functions=", 10)) {
            functions_shown = (unsigned)atoi(argv[i] + 10);
        } else if (!strcmp(argv[i], "log=stdout")) {
            on_stdout = true;
        } else {
            fprintf(stderr, "insncount: %s: only functions=N and log=stdout are known\n", argv[i]);
            return -1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
