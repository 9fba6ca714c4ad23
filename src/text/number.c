/*
 * Reading numbers: digits eight at a time, then Clinger's exact case, then 128 bits, then integers (decimal.c).
 */
#include <anabranch/number.h>

#include "decimal.h"
#include "bits.h"
#include <math.h>
#include <limits.h>

/* What is known of a number's text so far: w 10^e, and whether digits that are not 0 were left out of w. */
typedef struct Scan {
    uint64_t w;
    int64_t e;
    int room; /* digits that w still has room for, of 19 */
    bool more;
} Scan;

static const double exact_tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t small_tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Reads the exponent behind the mantissa, if there is a complete one. Limited so that sums of it do not overflow. */
static const char *take_exponent(const char *p, const char *end, int64_t *e)
{
    const char *q = p + 1;
    if (p == end || (*p | 32) != 'e')
        return p;
    bool negative = q < end && *q == '-';
    q += q < end && (*q == '-' || *q == '+');
    if (q == end || !is_digit(*q))
        return p;
    int64_t value = 0;
    for (; q < end && is_digit(*q); q++)
        value = value < 1000000000000 ? 10 * value + (*q - '0') : value;
    *e += negative ? -value : value;
    return q;
}

/* w 10^e exactly, by one rounding, where both are exact doubles: Clinger 1990. */
static bool exact_case(uint64_t w, int64_t e, double *value)
{
    const uint64_t most = (uint64_t)1 << 53;
    if (w > most || e < -22 || e > 22)
        return false;
    *value = e < 0 ? (double)w / exact_tens[-e] : (double)w * exact_tens[e];
    return true;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Bits in those of eight bytes that are not digits. */
static uint64_t other_bytes(uint64_t word)
{
    return ((word & 0xf0f0f0f0f0f0f0f0) ^ 0x3030303030303030) |
           (((word & 0x0f0f0f0f0f0f0f0f) + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0);
}

/* How many of eight bytes are digits before the first that is not. */
static int leading_digits(uint64_t word)
{
    uint64_t other = other_bytes(word);
    return other ? __builtin_ctzll(other) / 8 : 8;
}

/* The value of eight digits, the first in the lowest byte: pairs, then fours, then all. */
static uint64_t eight_digits(uint64_t word)
{
    word = (word & 0x0f0f0f0f0f0f0f0f) * (10 * 0x100 + 1) >> 8;
    word = (word & 0x00ff00ff00ff00ff) * (100 * 0x10000 + 1) >> 16;
    return (word & 0x0000ffff0000ffff) * (10000 * 0x100000000 + 1) >> 32;
}

/* The first `count` of eight digits; 0 of none. */
static uint64_t some_digits(uint64_t word, int count)
{
    return eight_digits(word << 4 * (8 - count) << 4 * (8 - count)); /* a shift by 64 in two */
}

/* Digits in whole words while there is room for eight more. */
static const char *take_words(const char *p, const char *end, Scan *scan)
{
    int count = 8;
    while (count == 8 && scan->room >= 8 && end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        count = leading_digits(word);
        scan->w = scan->w * small_tens[count] + some_digits(word, count);
        scan->room -= count;
        p += count;
    }
    return p;
}

/*
 * The number most files have: up to 7 digits, a point, digits, and at least 40 bytes to read. No branch depends on how
 * many digits there are, only on what kind of number it is. Returns its length, or 0: look again, slowly.
 */
static int plain_number(const char *text, const char *end, double *value)
{
    const char *p = text;
    uint64_t negative = *p == '-', word, signless;
    memcpy(&signless, p, 8);
    memcpy(&word, p + 1, 8);
    word = negative ? word : signless; /* both loaded, so that the choice waits for no address */
    p += negative;
    int count = leading_digits(word), total = count, behind = 0;
    if (count == 8)
        return 0;
    uint64_t w, rest = p[count] == '.' && count < 7 ? other_bytes(word) >> 8 * (count + 1) : 0;
    if (rest) { /* all of it within eight bytes: close the gap of the point */
        uint64_t whole = ((uint64_t)1 << 8 * count) - 1;
        behind = __builtin_ctzll(rest) / 8;
        total += behind;
        p += total + 1;
        w = some_digits((word & whole) | (word >> 8 & ~whole), total);
    } else {
        w = some_digits(word, count);
        p += count;
        if (*p == '.') {
            const char *point = ++p;
            do {
                memcpy(&word, p, 8);
                count = leading_digits(word);
                w = w * small_tens[count] + some_digits(word, count);
                p += count;
                total += count;
            } while (count == 8 && total < 19);
            behind = (int)(p - point);
        }
    }
    if (total == 0 || total > 19 || count == 8)
        return 0;
    int64_t e = -behind;
    if ((*p | 32) == 'e')
        p = take_exponent(p, end, &e);
    double size;
    if (!exact_case(w, e, &size)) {
        AnbDecimal d;
        if (w == 0 || e < -343 || e > 308 || !anb_decimal_round(w, (int)e, &d))
            return 0;
        size = anb_from_bits(anb_decimal_bits(d));
    }
    *value = anb_from_bits(anb_to_bits(size) | negative << 63);
    return (int)(p - text);
}
#else
static const char *take_words(const char *p, const char *end, Scan *scan)
{
    (void)end, (void)scan;
    return p;
}

static int plain_number(const char *text, const char *end, double *value)
{
    (void)text, (void)end, (void)value;
    return 0;
}
#endif

/* A run of digits; those beyond 19 are not added to w, and `left` counts them. */
static const char *take_digits(const char *p, const char *end, Scan *scan, int64_t *left)
{
    p = take_words(p, end, scan);
    while (p < end && is_digit(*p) && scan->room > 0) {
        scan->w = 10 * scan->w + (uint64_t)(*p++ - '0');
        scan->room--;
    }
    const char *from = p;
    for (; p < end && is_digit(*p); p++)
        scan->more |= *p != '0';
    *left = p - from;
    return p;
}

static const char *skip_zeros(const char *p, const char *end)
{
    while (p < end && *p == '0')
        p++;
    return p;
}

/* The magnitude; `digits` .. `end` is the mantissa from its first digit that is not 0, `last` the power of its last. */
static double magnitude(const Scan *scan, const char *digits, const char *end, int64_t last)
{
    AnbDecimal d, other;
    if (scan->w == 0 || scan->e < -343)
        return 0;
    if (scan->e > 308)
        return HUGE_VAL;
    bool sure = anb_decimal_round(scan->w, (int)scan->e, &d);
    if (sure && scan->more)
        sure = anb_decimal_round(scan->w + 1, (int)scan->e, &other) && other.m == d.m && other.field == d.field;
    if (!sure) {
        anb_decimal_round(scan->w, (int)scan->e, &d);
        d = anb_decimal_exact(digits, (size_t)(end - digits), last, d);
    }
    return anb_from_bits(anb_decimal_bits(d));
}

static int any_number(const char *text, const char *end, double *value)
{
    const char *p = text;
    Scan scan = {.room = 19};
    int64_t left = 0, left_behind = 0;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    const char *start = p, *digits = skip_zeros(p, end);
    p = take_digits(digits, end, &scan, &left);
    int64_t whole = p - start, behind = 0;
    if (p < end && *p == '.') {
        const char *point = p + 1, *from = scan.w ? point : skip_zeros(point, end);
        digits = scan.w ? digits : from;
        p = take_digits(from, end, &scan, &left_behind);
        behind = p - point;
        if (whole + behind == 0)
            return ANB_E_SYNTAX;
    } else if (whole == 0) {
        return ANB_E_SYNTAX;
    }
    const char *mantissa_end = p;
    int64_t e = 0;
    p = take_exponent(p, end, &e);
    scan.e = e + left - behind + left_behind;
    double size;
    if (scan.more || !exact_case(scan.w, scan.e, &size))
        size = magnitude(&scan, digits, mantissa_end, e - behind);
    *value = negative ? -size : size;
    return (int)(p - text);
}

enum { COPIED = 24, ENOUGH = 40 };

/* A short text is read in a copy of its first bytes, so that there are bytes behind it: that is the faster way. Where
 * the copy ends amid the text, the number has to end before what may be an exponent does. */
static int short_number(const char *text, size_t n, double *value)
{
    const int exponent = 3;
    char room[COPIED + ENOUGH] = {0};
    memcpy(room, text, n <= COPIED ? n : COPIED);
    int used = anb_number_parse(room, sizeof room, value);
    return n <= COPIED || used <= COPIED - exponent ? used : any_number(text, text + n, value);
}

int anb_number_parse(const char *text, size_t n, double *value)
{
    if (n > 0 && n < ENOUGH)
        return short_number(text, n, value);
    const char *end = text + (n < INT_MAX ? n : INT_MAX);
    int used = n > 0 ? plain_number(text, end, value) : 0;
    return used ? used : any_number(text, end, value);
}

int anb_number_parse_all(const char *text, size_t n, double *value)
{
    double read;
    int used = n > 0 && n <= COPIED ? short_number(text, n, &read) : anb_number_parse(text, n, &read);
    if (used < 0 || (size_t)used != n)
        return ANB_E_SYNTAX;
    *value = read;
    return ANB_OK;
}
