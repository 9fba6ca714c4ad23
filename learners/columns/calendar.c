#include "calendar.h"
#include "src/numeric/elementary.h"
#include "src/numeric/network.h"
#include <math.h>

enum { CIRCLES = 6, SINCE = 6, GAP };
static const double HOUR = 3600, DAY = 86400, WEEK = 7, YEAR = 365.2425;
static const double FARTHEST = 1e14; /* three million years: days and seconds are exact up to there */

const AnbField anb_calendar_fields[] = {{ANB_MEMBER(AnbCalendar, first), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, last), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCalendar, seen), .must = ANB_FINITE},
                                        {0}};

static bool is_time(double seconds)
{
    return fabs(seconds) < FARTHEST; /* a NaN is none */
}

/* v modulo m, in [0, m). */
static double modulo(double v, double m)
{
    return v - m * floor(v / m);
}

void anb_calendar_features(const AnbCalendar *c, double seconds, double *out)
{
    if (!is_time(seconds)) {
        for (int i = 0; i < ANB_CALENDAR; i++)
            out[i] = ANB_NAN;
        return;
    }
    double day = floor(seconds / DAY), second = seconds - day * DAY;
    double weekday = modulo(day + 3, WEEK); /* 1970-01-01 was a Thursday */
    double turns[3] = {second / DAY, weekday / WEEK, modulo(day, YEAR) / YEAR};
    for (int i = 0; i < 3; i++) {
        out[2 * i] = turns[i] - 0.25;
        out[2 * i + 1] = turns[i];
    }
    anb_cosine(out, CIRCLES, 1);
    out[SINCE] = c->seen != 0 ? (seconds - c->first) / DAY : 0;
    out[GAP] = c->seen != 0 && seconds > c->last ? anb_log1p(seconds - c->last) : 0;
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

double anb_calendar_key(double seconds)
{
    return is_time(seconds) ? floor(modulo(seconds / HOUR + 72, 168)) : ANB_NAN; /* 1970 began on a Thursday */
}
