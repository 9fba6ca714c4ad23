/*
 * One source, several instruction sets. The files in `isa_sources` of the meson.build files are compiled once per set;
 * each defines a constant table of functions, named by ANB_PER_ISA, and ends with ANB_ISA_REGISTER, which defines the
 * table that callers use. Before main each of those is filled from the best set that the CPU has. The tables of all
 * sets give the same bits.
 */
#ifndef ANB_SIMD_ISA_H
#define ANB_SIMD_ISA_H

#include <stdbool.h>
#include <stddef.h>

/* For functions of some twenty instructions: fetched from one line more, they take a tenth longer. */
#define ANB_ON_A_LINE __attribute__((aligned(64)))

/* Instruction sets in rising order. Other CPUs than x86-64 have the baseline only. */
typedef enum AnbIsa { ANB_ISA_BASELINE, ANB_ISA_V3, ANB_ISA_V4, ANB_ISA_COUNT } AnbIsa;

/* The name of a table in the set being compiled: anb_kernels -> anb_kernels_v3. */
#define ANB_ISA_PASTE_(name, isa) name##_##isa
#define ANB_ISA_PASTE(name, isa) ANB_ISA_PASTE_(name, isa)
#define ANB_PER_ISA(name) ANB_ISA_PASTE(name, ANB_ISA_SUFFIX)

/* Declares the table that callers use, and that of each set. */
#define ANB_ISA_TABLE(Type, name)                                                                                      \
    extern Type name;                                                                                                  \
    extern const Type name##_baseline, name##_v3, name##_v4

/* A table in use, its size, and where the tables of the sets are; one a kernel file, linked in a list. */
typedef struct AnbIsaTable AnbIsaTable;
struct AnbIsaTable {
    void *table;
    size_t size;
    const void *per_isa[ANB_ISA_COUNT];
    AnbIsaTable *next;
};

/* Adds a table and fills it from the set in use. Before main only. */
void anb_isa_add(AnbIsaTable *table);

#ifdef ANB_HAVE_X86_LEVELS
#define ANB_ISA_TABLES_OF(name)                                                                                        \
    {                                                                                                                  \
        &name##_baseline, &name##_v3, &name##_v4                                                                       \
    }
#else
#define ANB_ISA_TABLES_OF(name)                                                                                        \
    {                                                                                                                  \
        &name##_baseline, NULL, NULL                                                                                   \
    }
#endif

/* The last line of a kernel file: the table that callers use, defined once, in the object of the baseline. */
#ifdef ANB_ISA_IS_BASELINE
#define ANB_ISA_REGISTER(Type, name)                                                                                   \
    Type name;                                                                                                         \
    static AnbIsaTable registered = {.table = &name, .size = sizeof(Type), .per_isa = ANB_ISA_TABLES_OF(name)};        \
    __attribute__((constructor)) static void add_table(void)                                                           \
    {                                                                                                                  \
        anb_isa_add(&registered);                                                                                      \
    }
#else
#define ANB_ISA_REGISTER(Type, name)
#endif

/* The set in use. */
AnbIsa anb_isa_in_use(void);

/* For tests and benchmarks: uses another set from now on; false where it is not there. Not for several threads. */
bool anb_isa_use(AnbIsa isa);

/* Whether the kernels of v4 use AVX-512 VNNI, and VBMI2; set before main where the CPU has them. Tests clear them, so
 * that they run the other way as well. Both give the same bits. */
extern bool anb_isa_vnni, anb_isa_vbmi2;

/* "baseline", "v3", "v4". */
const char *anb_isa_name(AnbIsa isa);

#endif
