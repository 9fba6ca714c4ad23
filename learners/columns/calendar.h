/*
 * Features of a time.
 *
 *     sine and cosine of the hour of the day, the day of the week, the day of the year (365.2425 days),
 *     days since the first time learned, log(1 + gap), gap: seconds since the last one
 *
 * The gap is that of a row in order of time. A row from before the last one learned has the mean of the log gaps
 * learned. No log gap is outside of the range of those learned by more than a tenth of it, so that a prediction for a
 * distant day does not have an extreme gap as well.
 *
 * All are missing where the time is. The hour of the week is a category besides.
 */
#ifndef ANB_COLUMNS_CALENDAR_H
#define ANB_COLUMNS_CALENDAR_H

#include "src/numeric/moments.h"

enum { ANB_CALENDAR = 8, ANB_CIRCLES = 6 }; /* the sines and cosines come first */

/* Statistics of the times learned; zeroed at the start. */
typedef struct AnbCalendar {
    double first, last; /* seconds since 1970 */
    double seen;        /* 1 once there was one */
    double bounds;      /* 1 in models that started with layout 4 or later: the next members are in use */
    double gap;         /* the mean of the log gaps of rows in order, over about a thousand of them */
    AnbRange gaps;      /* their range */
} AnbCalendar;
extern const AnbField anb_calendar_fields[];

/* First step, for each time of a row: writes the angles of its circles, in turns, to its ANB_CALENDAR doubles. Returns
 * the hour of the week, 0 from Monday 00:00 on; NaN where the time is missing. */
double anb_calendar_turns(double seconds, double *out);
/* Second step, for n times side by side: replaces the angles by sines and cosines. */
void anb_calendar_circles(double *out, size_t n);
/* Third step, for each time: writes the remaining features but the last, log(1 + gap), and returns the gap. */
double anb_calendar_features(const AnbCalendar *c, double seconds, double *out);
void anb_calendar_gap(const AnbCalendar *c, double seconds, double log_gap, double *out);
void anb_calendar_learn(AnbCalendar *c, double seconds, double log_gap);

#endif
