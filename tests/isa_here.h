/* Instruction sets in tests: what runs on each that this CPU has, and which ones a suite could not try. */
#ifndef ANB_TESTS_ISA_HERE_H
#define ANB_TESTS_ISA_HERE_H

#include "src/simd/isa.h"
#include "suite.h"
#include <stdint.h>

/* Calls prepare and then body on every instruction set that this CPU has. */
static inline void on_each_isa(void (*prepare)(void), void (*body)(void))
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa)) {
            prepare();
            body();
        }
    anb_isa_use(before);
}

/* The hash of n has to be the same on every instruction set as on the baseline. */
static inline void assert_same_hash(uint64_t (*hash)(size_t n), size_t n)
{
    AnbIsa before = anb_isa_in_use();
    anb_isa_use(ANB_ISA_BASELINE);
    const uint64_t wanted = hash(n);
    for (int isa = ANB_ISA_BASELINE + 1; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            ck_assert_msg(hash(n) == wanted, "%zu features on %s", n, anb_isa_name((AnbIsa)isa));
    anb_isa_use(before);
}

/* Uses an instruction set; where this CPU lacks it, says that it is skipped and stays with the one in use. Returns that
 * one. */
static inline AnbIsa take_isa(int isa)
{
    AnbIsa before = anb_isa_in_use();
    if (!anb_isa_use((AnbIsa)isa))
        skip_test(anb_isa_name((AnbIsa)isa));
    return before;
}

START_TEST(this_cpu_has_it)
{
    anb_isa_use(take_isa(_i));
}
END_TEST

/* One test an instruction set, skipped by its name where this CPU lacks it: what the suite's other tests did
 * not try. */
static inline void add_isa_skips(TCase *tests)
{
    tcase_add_loop_test(tests, this_cpu_has_it, 0, ANB_ISA_COUNT);
}

#endif
