/* The state of `linear`, shared with its direct table (linear_isa.c). */
#ifndef ANB_LEARNERS_LINEAR_H
#define ANB_LEARNERS_LINEAR_H

#include "src/numeric/moments.h"
#include "src/numeric/weight_unit.h"
#include "src/simd/isa.h"
#include <anabranch/learners.h>

typedef struct Linear {
    double b;
    AnbMoments target; /* where normalized */
    AnbWeightUnit unit;
    double unused[2]; /* w starts on a cache line */
    double w[];       /* the field behind this struct */
} Linear;

/* Past 1 / (1 + |x|^2), which is 1 / square, a step would carry the row's own prediction beyond its target. */
static inline double anb_linear_bounded(const AnbLinearOptions *o, double step, double square)
{
    return o->bounded && step * square > 1 ? 1 / square : step;
}

ANB_ISA_TABLE(AnbDirectTable, anb_linear_direct);

#endif
