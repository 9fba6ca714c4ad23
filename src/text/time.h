/*
 * The calendar: days since 1970-01-01 and back, Gregorian, for any year.
 */
#ifndef ANB_TEXT_TIME_H
#define ANB_TEXT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Days from 1970-01-01 to a day of the years 1 to 9999. */
int64_t anb_days_of(int year, int month, int day);

#endif
