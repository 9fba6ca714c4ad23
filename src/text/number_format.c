/*
 * Writing numbers: the fewest digits that read back as the same double, and of those the nearest.
 *
 * x = m 2^q is scaled to 17 digits and a fraction. 15 digits are tried, then 16, each rounded down and up, the nearer
 * one first; what reads back is taken. 17 always read back. A decimal of up to 15 digits is the only one of its length
 * near its double, so zeros at the end are simply left out; doubles below 2^-1022 have fewer digits and try from 1 on.
 */
#include <anabranch/number.h>

#include "decimal.h"
#include "bits.h"
#include <math.h>

static const uint64_t tens[] = {1,
                                10,
                                100,
                                1000,
                                10000,
                                100000,
                                1000000,
                                10000000,
                                100000000,
                                1000000000,
                                10000000000,
                                100000000000,
                                1000000000000,
                                10000000000000,
                                100000000000000,
                                1000000000000000,
                                10000000000000000,
                                100000000000000000};

/* digits 10^e */
typedef struct Shortest {
    uint64_t digits;
    int e;
} Shortest;

static bool reads_back(uint64_t digits, int e, uint64_t bits)
{
    AnbDecimal d;
    if (e > 308 || e < -343)
        return false;
    if (!anb_decimal_round(digits, e, &d)) {
        char text[24];
        size_t n = sizeof text;
        for (uint64_t rest = digits; rest > 0; rest /= 10)
            text[--n] = (char)('0' + rest % 10);
        d = anb_decimal_exact(text + n, sizeof text - n, e, d);
    }
    return anb_decimal_bits(d) == bits;
}

/* 17 digits of m 2^q rounded down, and whether the rest is above 0. */
static Shortest seventeen(uint64_t m, int q, bool *rest)
{
    int zeros = __builtin_clzll(m), log2 = q + 63 - zeros;
    int e = 16 - (log2 * 78913 + (1 << 29)) / 262144 + 2048; /* 16 - floor(log10(2^log2)) */
    for (;; e--) {
        AnbWide product = 0, power = anb_decimal_power(e);
        uint64_t high = (uint64_t)(power >> 64), low = (uint64_t)power, w = m << zeros;
        product = (AnbWide)high * w + ((AnbWide)low * w >> 64);
        int shift = -(q - zeros + anb_decimal_log2(e) - 63);
        AnbWide fraction = product & (((AnbWide)1 << shift) - 1);
        if (((AnbWide)1 << shift) - fraction < 16) { /* the power is a little too small: this is a whole number */
            product += 16;
            fraction = 0;
        }
        uint64_t digits = (uint64_t)(product >> shift);
        *rest = fraction >= 16;
        if (digits < tens[17])
            return (Shortest){digits, -e};
    }
}

static bool try_length(Shortest all, bool rest, int length, uint64_t bits, Shortest *found)
{
    uint64_t unit = tens[17 - length], down = all.digits / unit, over = all.digits % unit;
    bool up_first = 2 * over > unit || (2 * over == unit && (rest || down % 2));
    int e = all.e + 17 - length;
    for (int i = 0; i < 2; i++) {
        uint64_t candidate = down + (up_first != (i == 1));
        if (candidate > 0 && reads_back(candidate, e, bits)) {
            *found = (Shortest){candidate, e};
            return true;
        }
    }
    return false;
}

static Shortest shortest(double size)
{
    uint64_t bits = anb_to_bits(size), m = bits & 0xfffffffffffff;
    int field = (int)(bits >> 52);
    bool small = field == 0, rest;
    Shortest all = seventeen(small ? m : m | (uint64_t)1 << 52, (small ? 1 : field) - 1075, &rest), found;
    for (int length = small ? 1 : 15; length <= 16; length++)
        if (try_length(all, rest, length, bits, &found))
            return found;
    return try_length(all, rest, 17, bits, &found) ? found : all;
}

/* Without the zeros at its end; returns how many digits are left. */
static int strip(Shortest *s, char *text)
{
    int n = 0;
    while (s->digits % 10 == 0) {
        s->digits /= 10;
        s->e++;
    }
    for (uint64_t rest = s->digits; rest > 0; rest /= 10)
        n++;
    for (int i = n; i-- > 0; s->digits /= 10)
        text[i] = (char)('0' + s->digits % 10);
    return n;
}

static char *put(char *out, const char *text, int n)
{
    memcpy(out, text, (size_t)n);
    return out + n;
}

static char *put_zeros(char *out, int n)
{
    memset(out, '0', (size_t)n);
    return out + n;
}

static char *put_exponent(char *out, int e)
{
    char text[4];
    int n = 0;
    *out++ = 'e';
    if (e < 0)
        *out++ = '-';
    for (e = e < 0 ? -e : e; e > 0; e /= 10)
        text[n++] = (char)('0' + e % 10);
    while (n > 0)
        *out++ = text[--n];
    return out;
}

/* n digits with the point behind the first `whole` of them. */
static char *lay_out(char *out, const char *text, int n, int whole)
{
    if (whole > 17 || whole < -4) {
        *out++ = text[0];
        if (n > 1) {
            *out++ = '.';
            out = put(out, text + 1, n - 1);
        }
        return put_exponent(out, whole - 1);
    }
    if (whole <= 0) {
        out = put_zeros(put(out, "0.", 2), -whole);
        return put(out, text, n);
    }
    if (n <= whole)
        return put_zeros(put(out, text, n), whole - n);
    out = put(out, text, whole);
    *out++ = '.';
    return put(out, text + whole, n - whole);
}

size_t anb_number_format(double value, char *out)
{
    char text[20], *p = out;
    if (value != value) {
        p = put(p, "nan", 3);
    } else {
        if (signbit(value))
            *p++ = '-';
        if (value == 0) {
            *p++ = '0';
        } else if (fabs(value) == HUGE_VAL) {
            p = put(p, "inf", 3);
        } else {
            Shortest s = shortest(fabs(value));
            int n = strip(&s, text);
            p = lay_out(p, text, n, n + s.e);
        }
    }
    *p = 0;
    return (size_t)(p - out);
}
