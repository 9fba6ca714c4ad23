/*
 * Formulas that have the same bits for one number and for lanes of them: each is written once and defined for a type.
 * TYPE is double or a vector of doubles; QUALIFIERS stand before it (static inline).
 */
#ifndef ANB_SIMD_FORMULAS_H
#define ANB_SIMD_FORMULAS_H

/* ln 2 as a sum: 42 bits, so that k times it is exact for |k| < 2^11, and the rest. */
#define ANB_LN2_HIGH 0x1.62e42fee00000p-1
#define ANB_LN2_LOW 0x1.a39ef35793c76p-33

/* (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2: Taylor's series to the 13th power of r, in Estrin's order. */
#define ANB_DEFINE_EXP_SERIES(QUALIFIERS, TYPE, name)                                                                  \
    QUALIFIERS TYPE name(TYPE r)                                                                                       \
    {                                                                                                                  \
        TYPE r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;                                                                   \
        TYPE a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));                                        \
        TYPE b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));                             \
        TYPE c = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));             \
        return a + r4 * b + r8 * c;                                                                                    \
    }

/* log(1 + f) + k ln 2 + tail, for 1 + f between sqrt(1/2) and sqrt(2); src/numeric/elementary.c has the derivation. */
#define ANB_DEFINE_LOG_CORE(QUALIFIERS, TYPE, name)                                                                    \
    QUALIFIERS TYPE name(TYPE f, TYPE k, TYPE tail)                                                                    \
    {                                                                                                                  \
        TYPE s = f / (2 + f), z = s * s, w = z * z;                                                                    \
        TYPE odd = w * (0x1.99999999952d7p-2 + w * (0x1.c71c62e3f11e6p-3 + w * 0x1.39fe51a7c18f9p-3));                 \
        TYPE even = z * (0x1.5555555555558p-1 +                                                                        \
                         w * (0x1.2492492df281ap-2 + w * (0x1.7462b51cb66b1p-3 + w * 0x1.2b5900de53b32p-3)));          \
        TYPE square = 0.5 * f * f;                                                                                     \
        return k * ANB_LN2_HIGH - ((square - (s * (square + (odd + even)) + (k * ANB_LN2_LOW + tail))) - f);           \
    }

#endif
