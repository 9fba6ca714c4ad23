/*
 * One source, several instruction sets. The files in `isa_sources` (parts/meson.build) are compiled once per set and
 * each leaves a constant table of functions, named by ANB_PER_ISA. parts/isa.c lists the tables, and copies those of
 * the best set that the CPU has into the ones that the callers use, once, before main. The tables of all sets give the
 * same bits.
 */
#ifndef ANB_PARTS_ISA_H
#define ANB_PARTS_ISA_H

#include <stdbool.h>

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

/* Whether this build and this CPU have a set. */
bool anb_isa_has(AnbIsa isa);

/* The set in use. */
AnbIsa anb_isa_in_use(void);

/* For tests and benchmarks: uses another set from now on; false where it is not there. Not for several threads. */
bool anb_isa_use(AnbIsa isa);

/* "baseline", "v3", "v4". */
const char *anb_isa_name(AnbIsa isa);

#endif
