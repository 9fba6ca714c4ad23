/*
 * What a time says to a learner of numbers.
 *
 *     sine and cosine of the hour of the day, the day of the week, the day of the year (365.2425 days),
 *     the hour, the weekday (Monday 0), days since the first time learned, log(1 + seconds since the last one)
 *
 * All are missing where the time is.
 */
#ifndef ANB_COLUMNS_CALENDAR_H
#define ANB_COLUMNS_CALENDAR_H

#include <anabranch/type.h>

enum { ANB_CALENDAR = 10 };

/* Of the times learned; zeroed at the start. */
typedef struct AnbCalendar {
    double first, last; /* seconds since 1970 */
    double seen;        /* 1 once there was one */
} AnbCalendar;
extern const AnbField anb_calendar_fields[];

/* Fills out, ANB_CALENDAR doubles. */
void anb_calendar_features(const AnbCalendar *c, double seconds, double *out);
void anb_calendar_learn(AnbCalendar *c, double seconds);

#endif
