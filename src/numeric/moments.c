#include "moments.h"

const AnbField anb_moments_fields[] = {{ANB_MEMBER(AnbMoments, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbMoments, mean), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbMoments, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {0}};

const AnbField anb_faded_fields[] = {{ANB_MEMBER(AnbFaded, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                     {ANB_MEMBER(AnbFaded, mean), .must = ANB_FINITE},
                                     {0}};

const AnbField anb_range_fields[] = {{ANB_MEMBER(AnbRange, low), .must = ANB_FINITE},
                                     {ANB_MEMBER(AnbRange, high), .must = ANB_FINITE},
                                     {ANB_MEMBER(AnbRange, seen)},
                                     {0}};
