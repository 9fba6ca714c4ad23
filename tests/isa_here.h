/* Which instruction sets a suite could not try on this CPU: a loop test over ANB_ISA_COUNT says so. */
#ifndef ANB_TESTS_ISA_HERE_H
#define ANB_TESTS_ISA_HERE_H

#include "src/simd/isa.h"
#include "suite.h"

static inline void skip_unless_here(int isa)
{
    AnbIsa before = anb_isa_in_use();
    if (!anb_isa_use((AnbIsa)isa))
        skip_test(anb_isa_name((AnbIsa)isa));
    anb_isa_use(before);
}

#endif
