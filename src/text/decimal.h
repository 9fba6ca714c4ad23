/*
 * The double nearest to w 10^e: 128 bits of the power of ten decide nearly always, exact integers the rest.
 */
#ifndef ANB_TEXT_DECIMAL_H
#define ANB_TEXT_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 AnbWide;

/* A double as mantissa and biased exponent: m 2^(field - 1075), m < 2^53; field is 1 for the smallest ones. */
typedef struct AnbDecimal {
    uint64_t m;
    int field;
} AnbDecimal;

/* 10^e for e from -351 to 350, as its leading 128 bits; too small by less than 4 in the last of them. */
AnbWide anb_decimal_power(int e);
/* floor(log2(10^e)), likewise. */
int anb_decimal_log2(int e);

/**
 * Rounds w 10^e.
 *
 * @param w       not 0
 * @param e       -343 to 308
 * @param result  rounded where the answer is true; else the double at or below, for anb_decimal_exact
 * @return        whether 128 bits were enough
 */
bool anb_decimal_round(uint64_t w, int e, AnbDecimal *result);

/**
 * Decides by integers of up to 4,096 bits.
 *
 * @param digits  ASCII digits and at most one point; `n` bytes, not starting with 0
 * @param e       power of ten of the last digit given
 * @param below   what anb_decimal_round left
 * @return        rounded, ties to even
 */
AnbDecimal anb_decimal_exact(const char *digits, size_t n, int64_t e, AnbDecimal below);

/* As bits; infinite where the exponent is too large. */
uint64_t anb_decimal_bits(AnbDecimal d);

#endif
