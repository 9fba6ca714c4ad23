/* Guesses the kinds of the columns from the first rows. */
#ifndef ANB_CLI_GUESS_H
#define ANB_CLI_GUESS_H

#include "cells.h"
#include "remedy.h"
#include "table.h"
#include <anabranch/schema.h>

enum { TIME_ORDERS = 3 };

/* Cells of a column that are not missing, by what they could be. */
typedef struct Guess {
    size_t cells, numbers, booleans;
    size_t missing, words; /* cells that are missing; those with a word for it, as None */
    size_t foreign;        /* numbers with another decimal mark, or marks between thousands, than the format's */
    size_t commas, points; /* numbers with a decimal comma that no mark between thousands can be; with a point */
    size_t time[TIME_ORDERS];
    double first[TIME_ORDERS], last[TIME_ORDERS];    /* the earliest and the latest of the times */
    size_t likely[TIME_ORDERS], open[TIME_ORDERS];   /* times of the years 1600 to 2299; 9999-12-31 and 0001-01-01 */
    char odd[24];                                    /* the first cell that is a time in some order, but neither */
    double now[TIME_ORDERS];                         /* the time of the last cell */
    size_t earlier[TIME_ORDERS], later[TIME_ORDERS]; /* times before, and after, that of the cell above */
    size_t wholes, rises;                            /* whole numbers from 0 up; those above the number before them */
    double before, distinct[3];                      /* the last number; the first three different ones */
    size_t n_distinct;                               /* how many of these there are */
    uint64_t line;                                   /* of the first cell that is no number */
    char text[44];                                   /* that cell */
    char timeless[44];                               /* the first cell that is no time */
    size_t grouped, below;                           /* numbers such as 1.234 or 12.345; whole ones below 1000 */
    size_t zeros, zero_ends;                         /* numbers that are 0; of the grouped those that end in 0 */
    size_t units;                                    /* cells that are a number with `unit` beside it */
    size_t bare_units;                               /* of them, whose number needs no options */
    unsigned unit_ways;                              /* the ways (remedy.h) that do not read all their numbers */
    char unit[16];                                   /* of the first cell that has one, "" while none has */
    size_t dates;                                    /* numbers that are read as a date where a time is wanted */
    unsigned ways;                                   /* the ways (remedy.h) that do not read all cells as numbers */
    size_t timelike;                                 /* cells that look like times and are not read as such */
    size_t clocks;                                   /* of them, times of day without a date */
    unsigned short_failing;   /* orders that do not read all the timelike dates of three short parts */
    size_t codelike;          /* numbers written as codes are: 01067, +49301234567, 12e3 */
    char code[24];            /* the first of them */
    size_t narrowest, widest; /* bytes of numbers */
} Guess;

/**
 * Counts the kinds of cells in the rows ahead. At most `rows` are read; only one where rows come through a pipe and the
 * first is all numbers, so that each row can be answered at once.
 *
 * @param guess  one a column, zeroed
 * @return       0, or the exit status with the message printed
 */
int guess_columns(Table *table, const CellFormat *format, size_t rows, Guess *guess);

/* Whether the numbers are written with a decimal comma: some show it and none has a point. */
bool guess_decimal_comma(const Table *table, const Guess *guess);

/**
 * The kind of a column and, of a time, the order of its dates. Whole numbers are codes where the column's name says
 * that they name something (guess_name.h), they take three values and more, and do not only rise as a row's number
 * does; else they are numbers. A cell or two that are none among numbers are mistakes.
 */
void guess_kind(const Guess *guess, AnbColumn *column);

/* Whether all cells are numbers with one and the same unit, as 12 kg, or 5%, or $7; `options`, of REMEDY_OPTIONS bytes,
 * are those that all the numbers need, "" where they need none. */
bool guess_units(const Guess *guess, char *options);

/* The ways to write numbers and the orders of dates that do not read all cells. */
RemedyFailing guess_failing(const Guess *guess);

/* Whether all cells are numbers once options, of REMEDY_OPTIONS bytes, say how they are written; some need them. */
bool guess_marks(const Guess *guess, char *options);

/* Whether all cells look like times, some of them in a way that is not read. Times of day alone, which may be ratios or
 * scores, count where the column's name is one of times. */
bool guess_timelike(const Guess *guess, const char *name);

/* Whether a column of numbers may be one of times: dates, if all are like 20130105 with years 1900 to 2100; else, if
 * the column's name is one of times, seconds or milliseconds since 1970 of the years 2000 to 2037. Returns the part of
 * a message before the column; NULL: the column is neither. */
const char *guess_may_be_time(const Guess *guess, const char *name);

/* Whether all cells are numbers and, as seconds, of a time beyond the year 5000. */
bool guess_is_milliseconds(const Guess *guess);

/* Whether more than half of the cells are times in one order of dates, some cell is no time in any order, and at most
 * half of the cells are numbers. */
bool guess_most_times(const Guess *guess);

/* Whether all cells are times, most of them of years that tables seldom hold, as part numbers such as 1001-12 are. */
bool guess_odd_times(const Guess *guess);

/* Whether whole numbers are written as codes are, in three values and more: some with a 0 in front or as 12e3, and all
 * of one length, or all so or with a + before eight digits and more. */
bool guess_codelike(const Guess *guess);

/* Whether each cell is a time in some order of dates, no order reads all of them, and at most half of the cells are
 * numbers. */
bool guess_mixed_orders(const Guess *guess);

/* Whether points seem to stand between thousands: every number from 1000 on has a point before each three digits, as
 * 1.250, and some of them end in 0. A writer of decimals would leave that 0 out, as it leaves the point out of whole
 * numbers. */
bool guess_points_group(const Guess *guess);

/* Whether the times of a column, read in an order of dates, fall from row to row: twenty rows or more, none rises. */
bool guess_falls(const Guess *guess, AnbTimeOrder order);

/* Whether nothing was seen in a column that tells its kind. */
bool guess_unknown(const Guess *guess);

#endif
