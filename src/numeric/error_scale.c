#include "error_scale.h"
#include "weight_unit.h"

enum { AFTER_0_1 = 2 }; /* the layout of every type that has one: those of release 0.1.0, of version 1, had none */

const AnbField anb_error_scale_fields[] = {
    {ANB_MEMBER(AnbErrorScale, level), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = AFTER_0_1},
    {ANB_MEMBER(AnbErrorScale, seen), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = AFTER_0_1},
    {ANB_MEMBER(AnbErrorScale, evidence), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = AFTER_0_1},
    {0}};

const AnbField anb_weight_unit_fields[] = {
    {ANB_MEMBER(AnbWeightUnit, mean), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = AFTER_0_1},
    {ANB_MEMBER(AnbWeightUnit, seen), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = AFTER_0_1},
    {0}};
