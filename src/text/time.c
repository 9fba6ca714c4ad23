/*
 * Dates and times: a date in one of the forms of schema.h, a time of day behind it, an offset behind that.
 *
 *     days since 1970 = days of the whole years before + days of the months before + day - 1   (Gregorian)
 *
 * The sum is whole nanoseconds in 128 bits; the double comes from its decimal digits, correctly rounded.
 */
#include "time.h"
#include "words.h"
#include <anabranch/number.h>
#include <anabranch/schema.h>
#include <string.h>

enum { DAY = 86400, FRACTION = 1000000000 };

/* What is left to read. */
typedef struct Text {
    const char *at, *end;
} Text;

/* The parts of a time; month 0 where there is none. */
typedef struct Date {
    int year, month, day;
} Date;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take(Text *t, char c)
{
    if (t->at == t->end || anb_lower(*t->at) != c)
        return false;
    t->at++;
    return true;
}

static bool take_blanks(Text *t)
{
    const char *first = t->at;
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t'))
        t->at++;
    return t->at > first;
}

/* How many digits stand there. */
static size_t digits(const Text *t)
{
    size_t n = 0;
    while (t->at + n < t->end && is_digit(t->at[n]))
        n++;
    return n;
}

/* The next n digits as a number; they are there. */
static int number(Text *t, size_t n)
{
    int value = 0;
    for (; n > 0; n--)
        value = 10 * value + (*t->at++ - '0');
    return value;
}

/* A number of one or two digits; -1 where there is none. */
static int short_number(Text *t)
{
    size_t n = digits(t);
    return n == 1 || n == 2 ? number(t, n) : -1;
}

/* How many letters stand there. */
static size_t letters(const Text *t)
{
    size_t n = 0;
    while (t->at + n < t->end && anb_lower(t->at[n]) >= 'a' && anb_lower(t->at[n]) <= 'z')
        n++;
    return n;
}

/* Reads one of the names, whole or its first three letters. Returns its index; -1, and nothing is read, where there is
 * none. */
static int take_name(Text *t, const char *const *names, int n_names)
{
    size_t n = letters(t);
    for (int i = 0; i < n_names && n >= 3; i++) {
        size_t same = 0;
        while (same < n && names[i][same] == anb_lower(t->at[same]))
            same++;
        if (same == n && (n == 3 || names[i][n] == 0)) {
            t->at += n;
            return i;
        }
    }
    return -1;
}

/* An English month, whole, its first three letters or `sept`: 1 to 12, or 0. */
static int month_name(Text *t)
{
    static const char *const names[] = {"january", "february",  "march",   "april",    "may",      "june", "july",
                                        "august",  "september", "october", "november", "december", "sept"};
    int at = take_name(t, names, sizeof names / sizeof *names);
    return at == 12 ? 9 : at + 1;
}

/* Between the parts of a date: one of - / . and a comma, or blanks. */
static char separator(Text *t)
{
    char c = t->at < t->end ? *t->at : 0;
    if (c == '-' || c == '/' || c == '.') {
        t->at++;
        return c;
    }
    bool comma = take(t, ',');
    return take_blanks(t) || comma ? ' ' : 0;
}

/* 2013-01-05, 2013-01, 2013, 2013-Jan-05: a year of four digits stands in front. */
static bool year_first(Text *t, Date *date)
{
    date->year = number(t, 4);
    Text before = *t;
    char mark = separator(t);
    if (mark == 0 || (mark == ' ' && digits(t) > 0)) {
        *t = before;
        return true;
    }
    date->month = digits(t) == 2 || digits(t) == 1 ? short_number(t) : month_name(t);
    if (date->month <= 0)
        return false;
    before = *t;
    if (separator(t) != mark || digits(t) == 0) {
        *t = before;
        return true;
    }
    date->day = short_number(t);
    return date->day > 0;
}

/* Jan-2013, Jan 5, 2013: the month's name stands in front. */
static bool month_first(Text *t, Date *date)
{
    date->month = month_name(t);
    if (date->month == 0 || separator(t) == 0)
        return false;
    if (digits(t) != 4) {
        date->day = short_number(t);
        if (date->day <= 0 || separator(t) == 0 || digits(t) != 4)
            return false;
    }
    date->year = number(t, 4);
    return true;
}

/* A year of four digits, or of two: 1969 to 2068, as strptime has it. -1 where there is none. */
static int late_year(Text *t, bool two)
{
    const int turn = 69;
    size_t n = digits(t);
    if (n != 4 && !(two && n == 2))
        return -1;
    int year = number(t, n);
    return n == 4 ? year : year + (year < turn ? 2000 : 1900);
}

/* 05/01/2013 or 5 Jan 2013; of two digits where slashes or a name say that it is no other number. */
static bool day_or_month_first(Text *t, AnbTimeOrder order, Date *date)
{
    int first = short_number(t);
    char mark = separator(t);
    bool named = digits(t) == 0;
    if (first <= 0 || mark == 0)
        return false;
    if (named) {
        date->day = first;
        date->month = month_name(t);
    } else {
        int second = short_number(t);
        date->day = order == ANB_TIME_DMY ? first : second;
        date->month = order == ANB_TIME_DMY ? second : first;
        if (order == ANB_TIME_YMD || mark == ' ')
            return false;
    }
    if (date->month <= 0 || date->day <= 0 || separator(t) != mark)
        return false;
    date->year = late_year(t, named || mark == '/');
    return date->year >= 0;
}

/* Skips an English day of the week in front of a date, which determines it. */
static void skip_weekday(Text *t)
{
    static const char *const names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    Text before = *t;
    if (take_name(t, names, sizeof names / sizeof *names) >= 0 && separator(t) != ' ')
        *t = before;
}

static bool read_date(Text *t, AnbTimeOrder order, Date *date)
{
    skip_weekday(t);
    size_t n = digits(t);
    if (n == 8) {
        date->year = number(t, 4);
        date->month = number(t, 2);
        date->day = number(t, 2);
        return date->month > 0 && date->day > 0;
    }
    if (n == 4)
        return year_first(t, date);
    return n > 0 ? day_or_month_first(t, order, date) : month_first(t, date);
}

/* Digits behind a point as nanoseconds; what lies below one is cut off. */
static bool read_fraction(Text *t, int64_t *nanoseconds)
{
    if (t->at == t->end || (*t->at != '.' && *t->at != ','))
        return true;
    t->at++;
    size_t n = digits(t);
    int64_t scale = FRACTION / 10;
    for (size_t i = 0; i < n; i++, scale /= 10)
        *nanoseconds += scale * (*t->at++ - '0');
    return n > 0;
}

/* 17:30, 17:30:05.25, 1730, 173005, 5:30 PM: seconds of the day, 24:00:00 allowed. */
static bool read_clock(Text *t, int64_t *seconds, int64_t *nanoseconds)
{
    size_t n = digits(t);
    bool packed = n == 4 || n == 6;
    int hour = packed ? number(t, 2) : short_number(t), minute = 0, second = 0;
    bool minutes = packed || take(t, ':');
    if (minutes)
        minute = digits(t) == 2 || packed ? number(t, 2) : -1;
    if (n == 6 || (!packed && minutes && take(t, ':'))) {
        second = digits(t) == 2 ? number(t, 2) : -1;
        if (!read_fraction(t, nanoseconds))
            return false;
    }
    Text before = *t;
    take_blanks(t);
    bool am = take(t, 'a'), half = am || take(t, 'p');
    if (half && (!take(t, 'm') || hour < 1 || hour > 12))
        return false;
    if (half)
        hour = hour % 12 + (am ? 0 : 12);
    else
        *t = before;
    *seconds = 3600 * (int64_t)hour + 60 * minute + second;
    bool midnight = hour == 24 && minute == 0 && second == 0 && *nanoseconds == 0;
    return (minutes || half) && ((hour >= 0 && hour < 24) || midnight) && minute >= 0 && minute < 60 && second >= 0 &&
           second <= 60;
}

/* Z, UTC, GMT, +01:00, -0500, +01: seconds that the clock is ahead of UTC. */
static bool read_zone(Text *t, int64_t *ahead)
{
    static const char *const names[] = {"utc", "gmt"};
    take_blanks(t);
    if (t->at == t->end || take(t, 'z') || take_name(t, names, 2) >= 0)
        return true;
    int sign = take(t, '-') ? -1 : take(t, '+') ? 1 : 0;
    size_t n = digits(t);
    if (sign == 0 || (n != 2 && n != 4))
        return false;
    int hour = number(t, 2), minute = 0;
    if (n == 4 || take(t, ':'))
        minute = digits(t) == 2 ? number(t, 2) : 60;
    *ahead = sign * (3600 * hour + 60 * minute);
    return hour < 24 && minute < 60;
}

int64_t anb_days_of(int year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return 365 * y + y / 4 - y / 100 + y / 400 + before[month - 1] + (month > 2 && leap) + day - 719163;
}

static bool is_a_day(const Date *date)
{
    if (date->year < 1 || date->month > 12)
        return false;
    int64_t first = anb_days_of(date->year, date->month, 1);
    int64_t next = date->month == 12 ? first + 31 : anb_days_of(date->year, date->month + 1, 1);
    return date->day <= next - first;
}

static double seconds_of(int64_t seconds, int64_t nanoseconds)
{
    if (nanoseconds == 0)
        return (double)seconds;
    bool negative = seconds < 0;
    uint64_t whole = (uint64_t)(negative ? -seconds - 1 : seconds);
    uint64_t rest = (uint64_t)(negative ? FRACTION - nanoseconds : nanoseconds);
    char text[32];
    size_t at = sizeof text;
    for (int i = 0; i < 9; i++, rest /= 10)
        text[--at] = (char)('0' + rest % 10);
    text[--at] = '.';
    do
        text[--at] = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    double value = 0;
    anb_number_parse(text + at, sizeof text - at, &value);
    return negative ? -value : value;
}

/* Nine digits and more, or a sign in front: seconds since 1970. */
static bool is_seconds(const char *text, size_t n)
{
    size_t first = n > 0 && text[0] == '-';
    Text t = {text + first, text + n};
    return digits(&t) >= (first ? 1 : 9);
}

int anb_time_parse(const char *text, size_t n, AnbTimeOrder order, double *seconds)
{
    Text t = {text, text + n};
    Date date = {0};
    int64_t clock = 0, nanoseconds = 0, ahead = 0;
    if (is_seconds(text, n))
        return anb_number_parse_all(text, n, seconds);
    if (!read_date(&t, order, &date))
        return ANB_E_SYNTAX;
    if (t.at < t.end) {
        bool marked = take(&t, 't') || take_blanks(&t);
        if (!marked || date.day == 0 || !read_clock(&t, &clock, &nanoseconds) || !read_zone(&t, &ahead))
            return ANB_E_SYNTAX;
    }
    date.month += date.month == 0;
    date.day += date.day == 0;
    if (t.at < t.end || !is_a_day(&date))
        return ANB_E_SYNTAX;
    *seconds = seconds_of(anb_days_of(date.year, date.month, date.day) * DAY + clock - ahead, nanoseconds);
    return 0;
}
