/*
 * A time as a text: 400 years are 146,097 days, counted from the first of March so that a leap day comes last.
 */
#include "time.h"
#include <anabranch/number.h>
#include <anabranch/schema.h>
#include <math.h>
#include <stdio.h>

static const int64_t era = 146097;

/* The day of the year is counted from March: month m of that begins on day (153 m + 2) / 5. */
static void date_of(int64_t days, int *year, int *month, int *day)
{
    int64_t since = days + 719468; /* 0000-03-01 */
    int64_t eras = (since >= 0 ? since : since - (era - 1)) / era, d = since - eras * era;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t in_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * in_year + 2) / 153;
    *day = (int)(in_year - (153 * m + 2) / 5) + 1;
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + 400 * eras + (*month <= 2));
}

/* The fewest digits behind `text`, which is n bytes of 17:30:05, that read back as seconds. */
static size_t add_fraction(char *text, size_t n, double part, double seconds)
{
    double again = 0, scale = 10;
    int digits = 0;
    do {
        digits++;
        double rounded = floor(part * scale + 0.5);
        if (rounded >= scale)
            rounded = scale - 1;
        snprintf(text + n, ANB_CELL_SIZE - n, ".%0*.0fZ", digits, rounded);
        scale *= 10;
    } while (digits < 9 &&
             (anb_time_parse(text, n + 2 + (size_t)digits, ANB_TIME_YMD, &again) != 0 || again != seconds));
    return n + 2 + (size_t)digits;
}

size_t anb_time_format(double seconds, char *out)
{
    const double first = -62135596800, end = 253402300800; /* the years 1 to 9999 */
    if (!(seconds >= first && seconds < end))
        return anb_number_format(seconds, out);
    double whole = floor(seconds);
    int64_t s = (int64_t)whole, days = (s - (int64_t)first) / 86400 + (int64_t)first / 86400;
    int clock = (int)(s - days * 86400), year, month, day;
    date_of(days, &year, &month, &day);
    int n = snprintf(out, ANB_CELL_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, clock / 3600,
                     clock / 60 % 60, clock % 60);
    if (seconds > whole)
        return add_fraction(out, (size_t)n, seconds - whole, seconds);
    out[n] = 'Z';
    out[n + 1] = 0;
    return (size_t)n + 1;
}
