/* A double and its bits. */
#ifndef ANB_TEXT_BITS_H
#define ANB_TEXT_BITS_H

#include <stdint.h>
#include <string.h>

static inline double anb_from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t anb_to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#endif
