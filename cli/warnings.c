#include "warnings.h"
#include "columns.h"
#include "guess_name.h"
#include "remedy.h"
#include <anabranch/number.h>
#include <stdio.h>
#include <string.h>

/* The cell to show: the first that is no number, that is no time, that is a time of an unlikely year, that is written
 * as codes are. */
typedef enum Shown { NO_NUMBER, NO_TIME, ODD_TIME, CODE } Shown;

/* What a line is about: the guessed features of a kind of which `holds` is true. */
typedef struct Warning {
    AnbColumnKind kind;
    bool (*holds)(const Guess *guess, const char *name);
    Shown shown;
} Warning;

static bool is_empty(const Guess *guess, const char *name)
{
    (void)name;
    return guess_unknown(guess);
}

static bool has_units(const Guess *guess, const char *name)
{
    char options[REMEDY_OPTIONS];
    (void)name;
    return guess_units(guess, options);
}

static bool has_marks(const Guess *guess, const char *name)
{
    char options[REMEDY_OPTIONS];
    (void)name;
    return guess_marks(guess, options);
}

static bool has_times(const Guess *guess, const char *name)
{
    return guess_most_times(guess) && !guess_timelike(guess, name);
}

static bool has_orders(const Guess *guess, const char *name)
{
    (void)name;
    return guess_mixed_orders(guess);
}

/* A text or two among many numbers are most likely words for missing cells. */
static bool has_numbers(const Guess *guess, const char *name)
{
    (void)name;
    return 2 * guess->numbers > guess->cells;
}

static bool may_be_time(const Guess *guess, const char *name)
{
    return guess_may_be_time(guess, name) != NULL;
}

static bool has_odd_times(const Guess *guess, const char *name)
{
    (void)name;
    return guess_odd_times(guess);
}

static bool has_codes(const Guess *guess, const char *name)
{
    return guess_codelike(guess) && !guess_name_is_time(name) && !may_be_time(guess, name);
}

/* A column without cells was made a code, since anything may follow. */
static const Warning empty = {ANB_COLUMN_CODE, is_empty, NO_NUMBER};
static const Warning units = {ANB_COLUMN_CATEGORY, has_units, NO_NUMBER},
                     marks = {ANB_COLUMN_CATEGORY, has_marks, NO_NUMBER};
static const Warning timelike = {ANB_COLUMN_CATEGORY, guess_timelike, NO_TIME};
static const Warning dates = {ANB_COLUMN_NUMBER, may_be_time, NO_NUMBER};
static const Warning numbers = {ANB_COLUMN_CATEGORY, has_numbers, NO_NUMBER};
static const Warning times = {ANB_COLUMN_CATEGORY, has_times, NO_TIME};
static const Warning odd = {ANB_COLUMN_CATEGORY, has_odd_times, ODD_TIME}, codes = {ANB_COLUMN_NUMBER, has_codes, CODE};
static const Warning orders = {ANB_COLUMN_CATEGORY, has_orders, NO_NUMBER};

static bool is_about(const Warning *warning, const Rows *rows, const Layout *layout, size_t i)
{
    bool guessed = !layout->given[i] && rows->place[i] < rows->n_features;
    return guessed && rows->column[i].kind == warning->kind && warning->holds(&layout->guess[i], rows->table.names[i]);
}

/* The next column from column i on that the warning is about; the number of columns where there is none. */
static size_t next(const Rows *rows, const Layout *layout, const Warning *warning, size_t i)
{
    while (i < rows->table.columns && !is_about(warning, rows, layout, i))
        i++;
    return i;
}

/* The guess of the first such column; NULL where there is none. */
static const Guess *first_guess(const Rows *rows, const Layout *layout, const Warning *warning)
{
    size_t i = next(rows, layout, warning, 0);
    return i < rows->table.columns ? &layout->guess[i] : NULL;
}

static const char *cell_to_show(const Warning *warning, const Guess *guess)
{
    const char *const cells[] = {
        [NO_NUMBER] = guess->text, [NO_TIME] = guess->timeless, [ODD_TIME] = guess->odd, [CODE] = guess->code};
    return cells[warning->shown];
}

/* The names of such columns, up to some, as options take them; how many there are. */
static size_t list(const Rows *rows, const Layout *layout, const Warning *warning, char *out, size_t room)
{
    size_t count = 0, size = 0;
    char word[64];
    *out = 0;
    for (size_t i = 0; (i = next(rows, layout, warning, i)) < rows->table.columns; i++, count++)
        if (size + sizeof word + 8 < room)
            size += (size_t)snprintf(out + size, room - size, "%s%s", count ? "," : "",
                                     columns_word(&rows->table, i, word));
    return count;
}

static void warn_empty(const Rows *rows, const Layout *layout)
{
    char names[200];
    size_t n = list(rows, layout, &empty, names, sizeof names);
    if (n > 0)
        complain(
            0,
            "%s: all cells missing so far in %zu column%s (%s): numbers and names will be taken; --number, --category "
            "or --ignore say otherwise",
            rows->table.name, n, n > 1 ? "s" : "", names);
}

/* A line about such columns, with a cell of the first one. */
static void warn_cells(const Rows *rows, const Layout *layout, const Warning *warning, const char *what,
                       const char *cure)
{
    char names[200];
    size_t n = list(rows, layout, warning, names, sizeof names);
    if (n > 0)
        complain(0, "%s: cells such as \"%s\" %s, in %zu column%s (%s); %s", rows->table.name,
                 cell_to_show(warning, first_guess(rows, layout, warning)), what, n, n > 1 ? "s" : "", names, cure);
}

static void warn_units(const Rows *rows, const Layout *layout)
{
    char cure[REMEDY_SIZE], options[REMEDY_OPTIONS];
    const Guess *guess = first_guess(rows, layout, &units);
    if (!guess)
        return;
    guess_units(guess, options);
    snprintf(cure, sizeof cure, "without \"%s\"%s%s they are numbers", guess->unit, *options ? " and with " : "",
             options);
    warn_cells(rows, layout, &units, "are read as names", cure);
}

static void warn_marks(const Rows *rows, const Layout *layout)
{
    char cure[REMEDY_SIZE], options[REMEDY_OPTIONS];
    const Guess *guess = first_guess(rows, layout, &marks);
    if (!guess)
        return;
    guess_marks(guess, options);
    snprintf(cure, sizeof cure, "with %s they are numbers", options);
    warn_cells(rows, layout, &marks, "are read as names", cure);
}

static void warn_times(const Rows *rows, const Layout *layout)
{
    warn_cells(
        rows, layout, &timelike, "look like times, but are read as names",
        "times are read in forms such as 2013-01-05, 2013-01-05 17:30 and 2013-01-05 17:30+01:00; --category says that "
        "they are names");
}

/* Numbers that may be times; seconds or milliseconds since 1970 where the column was declared as times. */
static void warn_dates(const Rows *rows, const Layout *layout)
{
    char word[64];
    for (size_t i = 0; i < rows->table.columns; i++) {
        const Guess *guess = &layout->guess[i];
        bool time = layout->given[i] && rows->column[i].kind == ANB_COLUMN_TIME && guess_is_milliseconds(guess);
        bool number = is_about(&dates, rows, layout, i);
        if (!time && !number)
            continue;
        complain(0, "%s: column %zu, \"%.60s\": numbers such as %.17g %s%s%s", rows->table.name, i + 1,
                 rows->table.names[i], guess->before,
                 time ? "are read as seconds since 1970, beyond the year 5000: divide milliseconds by 1000 first"
                      : guess_may_be_time(guess, rows->table.names[i]),
                 time ? "" : columns_word(&rows->table, i, word), time ? "" : " reads them as times");
    }
}

/* A column that is read as names since a few cells are not of the kind that most are of. */
static void warn_most(const Rows *rows, const Layout *layout, const Warning *warning, const char *kind,
                      const char *option)
{
    char word[64];
    size_t i = next(rows, layout, warning, 0);
    if (i == rows->table.columns)
        return;
    complain(0,
             "%s: column %zu, \"%.60s\", is read as names: most of its cells are %s, but \"%s\" is not; --missing says "
             "words for missing cells, %s %s that the column is one of %s",
             rows->table.name, i + 1, rows->table.names[i], kind, cell_to_show(warning, &layout->guess[i]), option,
             columns_word(&rows->table, i, word), kind);
}

/* Dates of which some have the day first and some the month. */
static void warn_orders(const Rows *rows, const Layout *layout)
{
    size_t i = next(rows, layout, &orders, 0);
    if (i < rows->table.columns)
        complain(0,
                 "%s: column %zu, \"%.60s\", is read as names: its cells are dates, but not all in one order of day, "
                 "month and year; written in one order they are times",
                 rows->table.name, i + 1, rows->table.names[i]);
}

/* Part numbers such as 1001-12. */
static void warn_odd(const Rows *rows, const Layout *layout)
{
    warn_cells(rows, layout, &odd, "are dates, but most of the column not of the years 1600 to 2299, and read as names",
               "--time says that they are times");
}

/* Zip codes and telephone numbers. */
static void warn_codes(const Rows *rows, const Layout *layout)
{
    warn_cells(rows, layout, &codes, "look like codes, but are read as amounts",
               "--code says that they are codes, --number that they are not");
}

/* 1.250 and 12.345 beside 999, in features and the target. */
static void warn_groups(const Rows *rows, const Layout *layout)
{
    for (size_t i = 0; i < rows->table.columns; i++)
        if (rows->place[i] != SIZE_MAX && !layout->given[i] && !layout->decimal_given && rows->cells.decimal == '.' &&
            !rows->cells.thousands && rows->column[i].kind == ANB_COLUMN_NUMBER &&
            guess_points_group(&layout->guess[i])) {
            complain(0,
                     "%s: column %zu, \"%.60s\": in all numbers with a point three digits follow it; if points stand "
                     "between thousands, --decimal , --thousands . says so, else --decimal . does",
                     rows->table.name, i + 1, rows->table.names[i]);
            return;
        }
}

/* The newest row first, as many exports have it. */
static void warn_order(const Rows *rows, const Layout *layout)
{
    char word[64];
    for (size_t i = 0; i < rows->table.columns; i++)
        if (rows->place[i] < rows->n_features && rows->column[i].kind == ANB_COLUMN_TIME &&
            guess_falls(&layout->guess[i], rows->column[i].order)) {
            complain(
                0,
                "%s: the times of column %zu, \"%.60s\", fall from row to row: rows are learned in the order of the "
                "file, so that the newest come first; sort them by %s to learn them as they happened",
                rows->table.name, i + 1, rows->table.names[i], columns_word(&rows->table, i, word));
            return;
        }
}

static bool name_as_number(const Table *table, size_t i, double *value)
{
    return anb_number_parse_all(table->names[i], strlen(table->names[i]), value) == 0;
}

/* Years, or numbers of columns: whole numbers that rise. */
static bool are_numbered(const Table *table)
{
    double before = -1, value;
    for (size_t i = 0; i < table->columns; i++)
        if (name_as_number(table, i, &value)) {
            if (value <= before || strspn(table->names[i], "0123456789") != strlen(table->names[i]))
                return false;
            before = value;
        }
    return true;
}

static void warn_header(const Rows *rows, const Layout *layout)
{
    const Table *table = &rows->table;
    double value;
    if (table->no_header || table->header_given || are_numbered(table))
        return;
    for (size_t i = 0; i < table->columns; i++)
        if (name_as_number(table, i, &value) && layout->guess[i].numbers > 0 &&
            layout->guess[i].numbers == layout->guess[i].cells) {
            complain(
                0,
                "%s: the first line is taken for names, but \"%s\" stands above numbers: --no-header where it is a "
                "row, --header where it is not",
                table->name, table->names[i]);
            return;
        }
}

void warnings_print(const Rows *rows, const Layout *layout)
{
    warn_header(rows, layout);
    warn_empty(rows, layout);
    warn_units(rows, layout);
    warn_marks(rows, layout);
    warn_times(rows, layout);
    warn_dates(rows, layout);
    warn_order(rows, layout);
    warn_groups(rows, layout);
    warn_most(rows, layout, &numbers, "numbers", "--number");
    warn_most(rows, layout, &times, "times", "--time");
    warn_orders(rows, layout);
    warn_odd(rows, layout);
    warn_codes(rows, layout);
}
