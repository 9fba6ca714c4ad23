/*
 * What a time says to a learner of numbers.
 *
 *     sine and cosine of the hour of the day, the day of the week, the day of the year (365.2425 days),
 *     days since the first time learned, log(1 + gap), gap: seconds since the last one
 *
 * The gap is what a row in order has. A row before the last one learned, such as a question about an old row, has the mean
 * of the log gaps learned; and none leaves their range by more than a tenth of it, so that a question about a far day is
 * no further from what was learned than its date is.
 *
 * All are missing where the time is. The hour of the week is a category besides.
 */
#ifndef ANB_COLUMNS_CALENDAR_H
#define ANB_COLUMNS_CALENDAR_H

#include "src/numeric/moments.h"

enum { ANB_CALENDAR = 8, ANB_CIRCLES = 6 }; /* the sines and cosines come first */

/* What is kept of the times that were learned; zeroed at the start. */
typedef struct AnbCalendar {
    double first, last; /* seconds since 1970 */
    double seen;        /* 1 once there was one */
    double bounds;      /* 1 in models whose first time was learned by layout 4: what follows is used */
    double gap;         /* the mean of the log gaps of rows in order, over about a thousand of them */
    AnbRange gaps;      /* their range */
} AnbCalendar;
extern const AnbField anb_calendar_fields[];

/* A row's times one by one, each with its own ANB_CALENDAR doubles, out: the angles of its circles in turns. Returns the
 * hour of the week, from 0 on Monday; a NaN where the time is missing. */
double anb_calendar_turns(double seconds, double *out);
/* Then of n times side by side: angles become sines and cosines. */
void anb_calendar_circles(double *out, size_t n);
/* Then again one by one: the rest but the last, for which this returns what the logarithm of 1 and more is wanted of. */
double anb_calendar_features(const AnbCalendar *c, double seconds, double *out);
void anb_calendar_gap(const AnbCalendar *c, double seconds, double log_gap, double *out);
void anb_calendar_learn(AnbCalendar *c, double seconds, double log_gap);

#endif
