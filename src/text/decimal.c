/*
 * Rounding decimals. Eisel and Lemire 2021, with a smaller table: 10^(27k) to 128 bits times an exact 5^b, so the
 * product is known to within a few units of its last bit, and what lies that close to a boundary goes to exact
 * integers.
 */
#include "decimal.h"

static const uint64_t powers[][2] = {
    {0x8049a4ac0c5811ae, 0x205b896d777d6278}, /* 10^-351 */
    {0xcf42894a5dce35ea, 0x52064cac828675b9}, /* 10^-324 */
    {0xa76c582338ed2621, 0xaf2af2b80af6f24e}, /* 10^-297 */
    {0x873e4f75e2224e68, 0x5a7744a6e804a291}, /* 10^-270 */
    {0xda7f5bf590966848, 0xaf39a475506a899e}, /* 10^-243 */
    {0xb080392cc4349dec, 0xbd8d794d96aacfb3}, /* 10^-216 */
    {0x8e938662882af53e, 0x547eb47b7282ee9c}, /* 10^-189 */
    {0xe65829b3046b0afa, 0x0cb4a5a3112a5112}, /* 10^-162 */
    {0xba121a4650e4ddeb, 0x92f34d62616ce413}, /* 10^-135 */
    {0x964e858c91ba2655, 0x3a6a07f8d510f86f}, /* 10^-108 */
    {0xf2d56790ab41c2a2, 0xfae27299423fb9c3}, /* 10^-81 */
    {0xc428d05aa4751e4c, 0xaa97e14c3c26b886}, /* 10^-54 */
    {0x9e74d1b791e07e48, 0x775ea264cf55347d}, /* 10^-27 */
    {0x8000000000000000, 0x0000000000000000}, /* 10^0 */
    {0xcecb8f27f4200f3a, 0x0000000000000000}, /* 10^27 */
    {0xa70c3c40a64e6c51, 0x999090b65f67d924}, /* 10^54 */
    {0x86f0ac99b4e8dafd, 0x69a028bb3ded71a3}, /* 10^81 */
    {0xda01ee641a708de9, 0xe80e6f4820cc9495}, /* 10^108 */
    {0xb01ae745b101e9e4, 0x5ec05dcff72e7f8f}, /* 10^135 */
    {0x8e41ade9fbebc27d, 0x14588f13be847307}, /* 10^162 */
    {0xe5d3ef282a242e81, 0x8f1668c8a86da5fa}, /* 10^189 */
    {0xb9a74a0637ce2ee1, 0x6d953e2bd7173692}, /* 10^216 */
    {0x95f83d0a1fb69cd9, 0x4abdaf101564f98e}, /* 10^243 */
    {0xf24a01a73cf2dccf, 0xbc633b39673c8cec}, /* 10^270 */
    {0xc3b8358109e84f07, 0x0a862f80ec4700c8}, /* 10^297 */
    {0x9e19db92b4e31ba9, 0x6c07a2c26a8346d1}, /* 10^324 */
};
enum { FIRST = -13, STEP = 27 };

/* 10^-27 to 10^-1, which most numbers with many digits need. */
static const uint64_t fractions[][2] = {
    {0x9e74d1b791e07e48, 0x775ea264cf55347d}, {0xc612062576589dda, 0x95364afe032a819d},
    {0xf79687aed3eec551, 0x3a83ddbd83f52204}, {0x9abe14cd44753b52, 0xc4926a9672793542},
    {0xc16d9a0095928a27, 0x75b7053c0f178293}, {0xf1c90080baf72cb1, 0x5324c68b12dd6338},
    {0x971da05074da7bee, 0xd3f6fc16ebca5e03}, {0xbce5086492111aea, 0x88f4bb1ca6bcf584},
    {0xec1e4a7db69561a5, 0x2b31e9e3d06c32e5}, {0x9392ee8e921d5d07, 0x3aff322e62439fcf},
    {0xb877aa3236a4b449, 0x09befeb9fad487c2}, {0xe69594bec44de15b, 0x4c2ebe687989a9b3},
    {0x901d7cf73ab0acd9, 0x0f9d37014bf60a10}, {0xb424dc35095cd80f, 0x538484c19ef38c94},
    {0xe12e13424bb40e13, 0x2865a5f206b06fb9}, {0x8cbccc096f5088cb, 0xf93f87b7442e45d3},
    {0xafebff0bcb24aafe, 0xf78f69a51539d748}, {0xdbe6fecebdedd5be, 0xb573440e5a884d1b},
    {0x89705f4136b4a597, 0x31680a88f8953030}, {0xabcc77118461cefc, 0xfdc20d2b36ba7c3d},
    {0xd6bf94d5e57a42bc, 0x3d32907604691b4c}, {0x8637bd05af6c69b5, 0xa63f9a49c2c1b10f},
    {0xa7c5ac471b478423, 0x0fcf80dc33721d53}, {0xd1b71758e219652b, 0xd3c36113404ea4a8},
    {0x83126e978d4fdf3b, 0x645a1cac083126e9}, {0xa3d70a3d70a3d70a, 0x3d70a3d70a3d70a3},
    {0xcccccccccccccccc, 0xcccccccccccccccc},
};

static const uint64_t fives[STEP] = {
    1,
    5,
    25,
    125,
    625,
    3125,
    15625,
    78125,
    390625,
    1953125,
    9765625,
    48828125,
    244140625,
    1220703125,
    6103515625,
    30517578125,
    152587890625,
    762939453125,
    3814697265625,
    19073486328125,
    95367431640625,
    476837158203125,
    2384185791015625,
    11920928955078125,
    59604644775390625,
    298023223876953125,
    1490116119384765625,
};

int anb_decimal_log2(int e)
{
    return (e * 217706 + (1 << 30)) / 65536 - 16384;
}

/* The upper 128 bits of a b, rounded down. */
static AnbWide top(AnbWide a, uint64_t b)
{
    return (AnbWide)(uint64_t)(a >> 64) * b + ((AnbWide)(uint64_t)a * b >> 64);
}

AnbWide anb_decimal_power(int e)
{
    if (e < 0 && e >= -STEP)
        return (AnbWide)fractions[e + STEP][0] << 64 | fractions[e + STEP][1];
    int k = (e - FIRST * STEP) / STEP, b = (e - FIRST * STEP) % STEP;
    AnbWide base = (AnbWide)powers[k][0] << 64 | powers[k][1];
    AnbWide product = top(base, fives[b] << __builtin_clzll(fives[b]));
    if (b == 0)
        return base;
    return product >> 127 ? product : product << 1;
}

/* product 2^unit, where the product's last bits are too small by less than slack; any exponent. */
static bool round_any(AnbWide product, int unit, AnbDecimal *result)
{
    const AnbWide slack = 6;
    int shift = product >> 127 ? 75 : 74;
    if (shift + unit < -1074)
        shift = -1074 - unit;
    result->field = shift + unit + 1075;
    result->m = 0;
    if (shift >= 128)
        return false;
    result->m = (uint64_t)(product >> shift);
    AnbWide half = (AnbWide)1 << (shift - 1), rest = product & (half + (half - 1));
    if ((rest <= half && half - rest < slack) || half + (half - 1) - rest < slack)
        return false;
    result->m += rest > half;
    return true;
}

bool anb_decimal_round(uint64_t w, int e, AnbDecimal *result)
{
    int zeros = __builtin_clzll(w);
    int unit = anb_decimal_log2(e) - 63 - zeros; /* w 10^e = product 2^unit */
    AnbWide product = top(anb_decimal_power(e), w << zeros);
    int low = !(product >> 127);
    uint64_t high = (uint64_t)((product << low) >> 64), rest = (uint64_t)(product << low);
    int field = unit - low + 75 + 1075;
    if (field < 1 || rest == 0 || rest > UINT64_MAX - 12) /* small, or too near to a boundary to be sure at a glance */
        return round_any(product, unit, result);
    *result = (AnbDecimal){(high >> 11) + (high >> 10 & 1), field};
    return true;
}

uint64_t anb_decimal_bits(AnbDecimal d)
{
    const uint64_t infinite = (uint64_t)0x7ff << 52;
    if (d.field >= 0x7ff)
        return infinite;
    uint64_t bits = d.m + ((uint64_t)(d.field - 1) << 52); /* a carry out of the mantissa moves into the exponent */
    return bits < infinite ? bits : infinite;
}

/* ---- exact ------------------------------------------------------------------------------------------------------ */

enum { LIMBS = 72, DIGITS = 800 };

/* A whole number, least limb first; no limb above `used`. */
typedef struct Big {
    size_t used;
    uint64_t limb[LIMBS];
} Big;

static void multiply_add(Big *big, uint64_t factor, uint64_t summand)
{
    AnbWide carry = summand;
    for (size_t i = 0; i < big->used; i++) {
        carry += (AnbWide)big->limb[i] * factor;
        big->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry && big->used < LIMBS)
        big->limb[big->used++] = (uint64_t)carry;
}

static void multiply_by_fives(Big *big, int64_t power)
{
    for (; power > 26; power -= 26)
        multiply_add(big, fives[26], 0);
    multiply_add(big, fives[power], 0);
}

static void shift_up(Big *big, int64_t bits)
{
    size_t whole = (size_t)bits / 64, used = big->used + whole;
    if (big->used == 0 || used > LIMBS)
        return;
    for (size_t i = used; i-- > 0;)
        big->limb[i] = i < whole ? 0 : big->limb[i - whole];
    big->used = used;
    multiply_add(big, (uint64_t)1 << bits % 64, 0);
}

static int compare(const Big *a, const Big *b)
{
    if (a->used != b->used)
        return a->used < b->used ? -1 : 1;
    for (size_t i = a->used; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* Takes the first 800 digits; a 1 behind them stands for whatever follows. No boundary between doubles has as many. */
static void read_digits(Big *big, const char *digits, size_t n, int64_t *e)
{
    size_t taken = 0;
    bool more = false;
    big->used = 0;
    for (size_t i = 0; i < n; i++) {
        if (digits[i] == '.')
            continue;
        if (taken < DIGITS)
            multiply_add(big, 10, (uint64_t)(digits[i] - '0'));
        else
            more |= digits[i] != '0';
        taken++;
    }
    if (taken > DIGITS)
        *e += (int64_t)(taken - DIGITS);
    if (more) {
        multiply_add(big, 10, 1);
        *e -= 1;
    }
}

/* Compares digits 10^e with the middle between m and m + 1: (2m + 1) 2^(field - 1076). */
AnbDecimal anb_decimal_exact(const char *digits, size_t n, int64_t e, AnbDecimal below)
{
    Big value, middle = {1, {2 * below.m + 1}};
    read_digits(&value, digits, n, &e);
    multiply_by_fives(e > 0 ? &value : &middle, e > 0 ? e : -e);
    int64_t up = e - (below.field - 1076);
    shift_up(up > 0 ? &value : &middle, up > 0 ? up : -up);
    int order = compare(&value, &middle);
    below.m += order > 0 || (order == 0 && below.m % 2);
    return below;
}
