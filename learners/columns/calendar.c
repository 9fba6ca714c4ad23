#include "calendar.h"
#include "src/numeric/elementary.h"
#include "src/numeric/network.h"
#include <math.h>

enum { SINCE = ANB_CIRCLES, GAP };
enum { HOUR = 3600, DAY = 86400, WEEK = 7, THURSDAY = 3 }; /* 1970 began on a Thursday; Monday is 0 */
static const double FARTHEST = 1e14; /* three million years: days and seconds are exact up to there */

const AnbField anb_calendar_fields[] = {{ANB_MEMBER(AnbCalendar, first), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, last), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, seen), .must = ANB_FINITE},
                                        {0}};

static bool is_time(double seconds)
{
    return fabs(seconds) < FARTHEST; /* a NaN is none */
}

/* Whole seconds, days and the like, rounded down. */
static int64_t whole(double seconds)
{
    int64_t s = (int64_t)seconds;
    return s - ((double)s > seconds);
}

static int64_t quotient(int64_t a, int64_t by)
{
    return a / by - (a % by < 0);
}

void anb_calendar_features(const AnbCalendar *c, double seconds, double *out)
{
    if (!is_time(seconds)) {
        for (int i = 0; i < ANB_CALENDAR; i++)
            out[i] = ANB_NAN;
        return;
    }
    int64_t day = quotient(whole(seconds), DAY);
    int64_t weekday = day + THURSDAY - WEEK * quotient(day + THURSDAY, WEEK);
    double year = (double)day * (1 / 365.2425);
    double turns[3] = {(seconds - (double)(DAY * day)) * (1.0 / DAY), (double)weekday * (1.0 / WEEK),
                       year - floor(year)};
    for (int i = 0; i < 3; i++) {
        out[2 * i] = turns[i] - 0.25;
        out[2 * i + 1] = turns[i];
    }
    anb_cosine(out, ANB_CIRCLES, 1);
    out[SINCE] = c->seen != 0 ? (seconds - c->first) * (1.0 / DAY) : 0;
    out[GAP] = c->seen != 0 && seconds > c->last ? anb_log1p(seconds - c->last) : 0;
}

double anb_calendar_key(double seconds)
{
    if (!is_time(seconds))
        return ANB_NAN;
    int64_t hour = quotient(whole(seconds), HOUR) + THURSDAY * 24;
    return (double)(hour - WEEK * 24 * quotient(hour, WEEK * 24));
}

void anb_calendar_learn(AnbCalendar *c, double seconds)
{
    if (!is_time(seconds))
        return;
    if (c->seen == 0)
        c->first = seconds;
    c->last = seconds;
    c->seen = 1;
}
