/*
 * XXH64 after Collet's specification (xxHash fast digest algorithm 0.1.1), seed 0: four sums over stripes of 32 bytes,
 * the rest in steps of 8, 4 and 1, then an avalanche.
 */
#include "hash.h"
#include <anabranch/schema.h>

static const uint64_t prime1 = 0x9e3779b185ebca87, prime2 = 0xc2b2ae3d27d4eb4f, prime3 = 0x165667b19e3779f9,
                      prime4 = 0x85ebca77c2b2ae63, prime5 = 0x27d4eb2f165667c5;

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t read32(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static uint64_t read64(const unsigned char *p)
{
    return read32(p) | read32(p + 4) << 32;
}

static uint64_t round_of(uint64_t sum, uint64_t lane)
{
    return rotate(sum + lane * prime2, 31) * prime1;
}

static uint64_t merge(uint64_t hash, uint64_t sum)
{
    return (hash ^ round_of(0, sum)) * prime1 + prime4;
}

/* The whole stripes of n >= 32 bytes. */
static uint64_t stripes(const unsigned char *p, size_t n)
{
    uint64_t sum[4] = {prime1 + prime2, prime2, 0, 0 - prime1};
    for (; n >= 32; n -= 32, p += 32)
        for (int i = 0; i < 4; i++)
            sum[i] = round_of(sum[i], read64(p + 8 * i));
    uint64_t hash = rotate(sum[0], 1) + rotate(sum[1], 7) + rotate(sum[2], 12) + rotate(sum[3], 18);
    for (int i = 0; i < 4; i++)
        hash = merge(hash, sum[i]);
    return hash;
}

static uint64_t avalanche(uint64_t hash)
{
    hash = (hash ^ hash >> 33) * prime2;
    hash = (hash ^ hash >> 29) * prime3;
    return hash ^ hash >> 32;
}

uint64_t anb_hash(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t hash = (n >= 32 ? stripes(p, n) : prime5) + n;
    p = n >= 32 ? p + n / 32 * 32 : p;
    n %= 32;
    for (; n >= 8; n -= 8, p += 8)
        hash = rotate(hash ^ round_of(0, read64(p)), 27) * prime1 + prime4;
    if (n >= 4) {
        hash = rotate(hash ^ read32(p) * prime1, 23) * prime2 + prime3;
        n -= 4, p += 4;
    }
    for (; n > 0; n--, p++)
        hash = rotate(hash ^ *p * prime5, 11) * prime1;
    return avalanche(hash);
}

double anb_category(const void *bytes, size_t n)
{
    return 0x1p52 + (double)(anb_hash(bytes, n) >> 12);
}
