#include "calendar.h"
#include "src/numeric/waves.h"
#include <math.h>

enum { SINCE = ANB_CIRCLES, GAP };
enum { HOUR = 3600, DAY = 86400, WEEK = 7, THURSDAY = 3 }; /* 1970 began on a Thursday; Monday is 0 */
static const double FARTHEST = 1e14;           /* three million years: days and seconds are exact up to there */
static const int64_t WEEKS = (int64_t)1 << 32; /* more than there are from the farthest time to 1970 */

const AnbField anb_calendar_fields[] = {{ANB_MEMBER(AnbCalendar, first), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, last), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, seen), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, bounds), .must = ANB_FINITE, .since = 4},
                                        {ANB_MEMBER(AnbCalendar, gap), .must = ANB_FINITE, .since = 4},
                                        {ANB_INNER(AnbCalendar, gaps, AnbRange, anb_range_fields), .since = 4},
                                        {0}};

static bool is_time(double seconds)
{
    return fabs(seconds) < FARTHEST; /* false for NaN */
}

/* Rounded down. */
static int64_t whole(double v)
{
    int64_t n = (int64_t)v;
    return n - ((double)n > v);
}

/* Days since 1970, rounded down; the remainder is counted from there. */
static int64_t days_of(int64_t seconds)
{
    return seconds / DAY - (seconds % DAY < 0);
}

double anb_calendar_turns(double seconds, double *out)
{
    if (!is_time(seconds)) {
        memset(out, 0, ANB_CALENDAR * sizeof *out);
        return ANB_NAN;
    }
    int64_t s = whole(seconds), day = days_of(s);
    uint64_t weekday = (uint64_t)(day + THURSDAY + WEEK * WEEKS) % WEEK, hour = (uint64_t)(s - DAY * day) / HOUR;
    double year = (double)day * (1 / 365.2425);
    double turns[] = {(seconds - (double)(DAY * day)) * (1.0 / DAY), (double)weekday * (1.0 / WEEK),
                      year - (double)whole(year), 0};
    for (int i = 0; i < ANB_CALENDAR / 2; i++) {
        out[2 * i] = turns[i] - 0.25;
        out[2 * i + 1] = turns[i];
    }
    return (double)(weekday * 24 + hour);
}

void anb_calendar_circles(double *out, size_t n)
{
    anb_cosine(out, n * ANB_CALENDAR, 1);
}

double anb_calendar_features(const AnbCalendar *c, double seconds, double *out)
{
    if (!is_time(seconds)) {
        for (int i = 0; i < ANB_CALENDAR; i++)
            out[i] = ANB_NAN;
        return 0;
    }
    out[SINCE] = c->seen != 0 ? (seconds - c->first) * (1.0 / DAY) : 0;
    return c->seen != 0 && seconds > c->last ? seconds - c->last : 0;
}

static double usual_gap(const AnbCalendar *c, double seconds, double log_gap)
{
    if (c->bounds == 0)
        return log_gap;
    return seconds < c->last ? c->gap : anb_range_clip(&c->gaps, log_gap);
}

void anb_calendar_gap(const AnbCalendar *c, double seconds, double log_gap, double *out)
{
    if (out[SINCE] == out[SINCE])
        out[GAP] = usual_gap(c, seconds, log_gap);
}

static void learn_gap(AnbCalendar *c, double log_gap)
{
    const double memory = 1000;
    anb_range_follow(&c->gaps, log_gap);
    double n = (double)c->gaps.seen;
    c->gap += (log_gap - c->gap) / (n < memory ? n : memory);
}

void anb_calendar_learn(AnbCalendar *c, double seconds, double log_gap)
{
    if (!is_time(seconds))
        return;
    if (c->seen == 0) {
        c->first = seconds;
        c->bounds = 1;
    } else if (seconds >= c->last)
        learn_gap(c, log_gap);
    c->last = seconds;
    c->seen = 1;
}
