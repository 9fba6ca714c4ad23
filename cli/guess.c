#include "guess.h"
#include "guess_name.h"
#include <anabranch/number.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_boolean(const Cell *cell)
{
    static const char *const words[] = {"true", "false", "yes", "no"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (cell->size == strlen(words[i]) && strncasecmp(cell->text, words[i], cell->size) == 0)
            return true;
    return false;
}

static void keep_text(char *out, size_t room, const Cell *cell)
{
    if (*out == 0)
        snprintf(out, room, "%.*s", (int)(cell->size < 40 ? cell->size : 40), cell->text);
}

static const double first_day = -719162, last_day = 2932896; /* days from 1970 to 0001-01-01, 9999-12-31 */

/* 9999-12-31 and 0001-01-01 stand for "no end" and "no beginning". */
static bool is_open(double seconds)
{
    const double day = floor(seconds / 86400);
    return day == first_day || day == last_day;
}

/* Whether the cell is a time in some order of dates. */
static bool count_times(Guess *guess, const Cell *cell)
{
    double seconds;
    bool any = false;
    for (int order = 0; order < TIME_ORDERS; order++) {
        if (anb_time_parse(cell->text, cell->size, (AnbTimeOrder)order, &seconds))
            continue;
        any = true;
        bool first = guess->time[order]++ == 0;
        bool likely = anb_time_is_usual(seconds);
        guess->likely[order] += likely;
        guess->open[order] += is_open(seconds);
        if (!likely && !is_open(seconds))
            keep_text(guess->odd, sizeof guess->odd, cell);
        guess->earlier[order] += !first && seconds < guess->now[order];
        guess->later[order] += !first && seconds > guess->now[order];
        guess->now[order] = seconds;
        guess->first[order] = first ? seconds : fmin(guess->first[order], seconds);
        guess->last[order] = first ? seconds : fmax(guess->last[order], seconds);
    }
    if (!any)
        keep_text(guess->timeless, sizeof guess->timeless, cell);
    return any;
}

static void count_foreign(Guess *guess, const Cell *cell)
{
    static const CellFormat comma = {',', 0, NULL, true}, both = {',', '.', NULL, true},
                            english = {'.', ',', NULL, true};
    double value;
    bool decimal = cell_number(&comma, cell, NULL, &value), groups = cell_number(&english, cell, NULL, &value);
    guess->foreign += decimal || groups || cell_number(&both, cell, NULL, &value);
    guess->commas += decimal && !groups;
}

/* A number of eight digits that is a date, as 20130105, of 1900 to 2100. */
static bool is_date(const Cell *cell, double value)
{
    double seconds;
    return cell->size == 8 && value >= 19000101 && value < 21010101 &&
           anb_time_parse(cell->text, cell->size, ANB_TIME_YMD, &seconds) == 0 && seconds != value;
}

/* Counts 1.234, which is another number where points stand between thousands, and 234, which is the same one, as is 0,
 * which says nothing of how numbers are written. */
static void count_groups(Guess *guess, const Cell *cell, double value)
{
    static const CellFormat groups = {',', '.', NULL, true};
    double other;
    bool point = memchr(cell->text, '.', cell->size) != NULL;
    bool grouped = point && fabs(value) >= 1 && cell_number(&groups, cell, NULL, &other) && other != value;
    guess->grouped += grouped;
    guess->zero_ends += grouped && cell->text[cell->size - 1] == '0';
    guess->zeros += value == 0 && !point;
    guess->below += value != 0 && !point && fabs(value) < 1000 && value == floor(value);
}

/* As 01067, +49301234567 or 12e3. */
static bool is_codelike(const Cell *cell)
{
    enum { PHONE = 9 };
    bool plus = cell->text[0] == '+';
    size_t digits = plus;
    while (digits < cell->size && isdigit((unsigned char)cell->text[digits]))
        digits++;
    size_t rest = digits + 1;
    while (rest < cell->size && isdigit((unsigned char)cell->text[rest]))
        rest++;
    if (digits == cell->size)
        return plus ? digits >= PHONE : cell->text[0] == '0' && digits > 2;
    return !plus && (cell->text[digits] | 0x20) == 'e' && rest == cell->size && digits > 0 && rest > digits + 1;
}

static void count_codelike(Guess *guess, const Cell *cell)
{
    bool codelike = is_codelike(cell);
    guess->codelike += codelike;
    if (codelike)
        keep_text(guess->code, sizeof guess->code, cell);
    guess->narrowest = guess->numbers == 0 || cell->size < guess->narrowest ? cell->size : guess->narrowest;
    guess->widest = cell->size > guess->widest ? cell->size : guess->widest;
}

static void count_number(Guess *guess, const Cell *cell, double value)
{
    count_groups(guess, cell, value);
    count_codelike(guess, cell);
    guess->dates += is_date(cell, value);
    guess->points += memchr(cell->text, '.', cell->size) != NULL;
    guess->wholes += value >= 0 && value == floor(value) && !memchr(cell->text, '.', cell->size);
    guess->rises += guess->numbers++ > 0 && value > guess->before;
    guess->before = value;
    for (size_t i = 0; i < guess->n_distinct; i++)
        if (guess->distinct[i] == value)
            return;
    if (guess->n_distinct < sizeof guess->distinct / sizeof *guess->distinct)
        guess->distinct[guess->n_distinct++] = value;
}

static void count_unit(Guess *guess, const Cell *cell)
{
    Cell number, unit;
    if (!remedy_unit(cell, &number, &unit) || unit.size >= sizeof guess->unit)
        return;
    if (guess->units == 0)
        snprintf(guess->unit, sizeof guess->unit, "%.*s", (int)unit.size, unit.text);
    if (!cell_is(&unit, guess->unit))
        return;
    guess->units++;
    guess->bare_units += remedy_plain(&number);
    guess->unit_ways |= REMEDY_WAYS & ~remedy_ways(&number, REMEDY_WAYS & ~guess->unit_ways);
}

static void count_cell(Guess *guess, const CellFormat *format, const Cell *given, uint64_t line)
{
    double value;
    Cell cell = cell_trim(*given);
    if (cell_missing(format, &cell)) {
        guess->missing++;
        guess->words += cell.size > 0 && strncasecmp(cell.text, "na", 2) != 0;
        return;
    }
    guess->cells++;
    bool time = count_times(guess, &cell);
    guess->ways |= REMEDY_WAYS & ~remedy_ways(&cell, REMEDY_WAYS & ~guess->ways);
    if (cell_number(format, &cell, NULL, &value)) {
        count_number(guess, &cell, value);
        return;
    }
    guess->booleans += is_boolean(&cell);
    count_foreign(guess, &cell);
    count_unit(guess, &cell);
    guess->timelike += !time && remedy_timelike(&cell, &guess->short_failing);
    guess->clocks += !time && remedy_clock(&cell);
    guess->line = guess->line ? guess->line : line;
    keep_text(guess->text, sizeof guess->text, &cell);
}

static bool all_numbers(const Table *table, const Cell *cell, const CellFormat *format)
{
    for (size_t i = 0; cell && i < table->columns; i++) {
        double value;
        Cell inner = cell_trim(cell[i]);
        if (cell_missing(format, &inner) || !cell_number(format, &inner, NULL, &value))
            return false;
    }
    return cell != NULL;
}

int guess_columns(Table *table, const CellFormat *format, size_t rows, Guess *guess)
{
    uint64_t line;
    int status = table_look_ahead(table, 1);
    bool enough = !status && table_is_live(table) && table_rows_ahead(table) == 1 &&
                  all_numbers(table, table_ahead(table, 0, &line), format);
    if (!status && !enough)
        status = table_look_ahead(table, rows);
    for (size_t row = 0; !status && row < table_rows_ahead(table); row++) {
        const Cell *cell = table_ahead(table, row, &line);
        for (size_t i = 0; cell && i < table->columns; i++)
            count_cell(&guess[i], format, &cell[i], line);
    }
    return status;
}

bool guess_decimal_comma(const Table *table, const Guess *guess)
{
    size_t commas = 0, points = 0;
    for (size_t i = 0; i < table->columns; i++) {
        bool numbers = guess[i].numbers + guess[i].foreign == guess[i].cells;
        commas += numbers ? guess[i].commas : 0;
        points += guess[i].points;
    }
    return commas > 0 && points == 0;
}

/* The order in which all cells are dates; of several the one that spans the shortest time, then the earlier one. */
static int order_of(const Guess *guess)
{
    int best = -1;
    for (int order = 0; order < TIME_ORDERS; order++)
        if (guess->time[order] == guess->cells &&
            (best < 0 || guess->last[order] - guess->first[order] < guess->last[best] - guess->first[best]))
            best = order;
    return best;
}

/* Whether half of the cells or more are of the years 1600 to 2299, those without an end or a beginning not counted. */
static bool is_likely(const Guess *guess, int order)
{
    return 2 * guess->likely[order] >= guess->cells - guess->open[order];
}

static bool is_code(const Guess *guess, const char *name)
{
    return guess->wholes == guess->cells && guess->n_distinct > 2 && guess->rises + 1 < guess->numbers &&
           guess_name_is_code(name);
}

void guess_kind(const Guess *guess, AnbColumn *column)
{
    size_t texts = guess->cells - guess->numbers, few = guess->cells / 20;
    int order = order_of(guess);
    column->kind = ANB_COLUMN_CATEGORY;
    if (texts == 0)
        column->kind = is_code(guess, column->name) ? ANB_COLUMN_CODE : ANB_COLUMN_NUMBER;
    else if (guess->booleans == guess->cells)
        column->kind = ANB_COLUMN_BOOLEAN;
    else if (order >= 0 && is_likely(guess, order))
        column->kind = ANB_COLUMN_TIME;
    else if (texts <= (few > 1 ? few : 1) && texts < guess->numbers)
        column->kind = ANB_COLUMN_NUMBER;
    if (column->kind == ANB_COLUMN_TIME)
        column->order = (AnbTimeOrder)order;
}

bool guess_units(const Guess *guess, char *options)
{
    *options = 0;
    if (guess->cells == 0 || guess->units < guess->cells)
        return false;
    return guess->bare_units == guess->units || remedy_options(REMEDY_WAYS & ~guess->unit_ways, options) > 0;
}

RemedyFailing guess_failing(const Guess *guess)
{
    RemedyFailing failing = {guess->ways, guess->unit_ways, 0};
    for (int order = 0; order < TIME_ORDERS; order++)
        failing.orders |= guess->time[order] < guess->cells ? 1U << order : 0;
    return failing;
}

bool guess_marks(const Guess *guess, char *options)
{
    *options = 0;
    return guess->numbers < guess->cells && remedy_options(REMEDY_WAYS & ~guess->ways, options) > 0;
}

bool guess_timelike(const Guess *guess, const char *name)
{
    return guess->timelike > 0 && guess->timelike + guess->time[ANB_TIME_YMD] == guess->cells &&
           guess->short_failing != (1U << TIME_ORDERS) - 1 &&
           (guess->clocks < guess->cells || guess_name_is_time(name));
}

/* Whole numbers that are seconds, not the years or dates that texts of few digits are. */
static bool within(const Guess *guess, double low, double high)
{
    return guess->cells > 1 && guess->before >= low && guess->wholes == guess->cells &&
           guess->time[ANB_TIME_YMD] == guess->cells && guess->first[ANB_TIME_YMD] >= low &&
           guess->last[ANB_TIME_YMD] <= high;
}

const char *guess_may_be_time(const Guess *guess, const char *name)
{
    const double from = 946684800, to = 2145916800; /* 2000 to 2037 */
    if (guess->n_distinct < 2)
        return NULL;
    if (guess->dates == guess->cells)
        return "may be dates; --time ";
    if (!guess_name_is_time(name))
        return NULL;
    if (within(guess, from, to) && guess->dates == 0)
        return "may be seconds since 1970; --time ";
    return within(guess, 1000 * from, 1000 * to)
               ? "may be milliseconds since 1970; once they are divided by 1000 --time "
               : NULL;
}

bool guess_is_milliseconds(const Guess *guess)
{
    const double year_5000 = 95617584000;
    return guess->cells > 0 && guess->numbers == guess->cells && guess->before > year_5000 &&
           guess->time[ANB_TIME_YMD] == guess->cells && guess->first[ANB_TIME_YMD] > year_5000;
}

bool guess_most_times(const Guess *guess)
{
    size_t most = 0;
    for (int order = 0; order < TIME_ORDERS; order++)
        most = guess->time[order] > most ? guess->time[order] : most;
    return 2 * most > guess->cells && most < guess->cells && *guess->timeless && 2 * guess->numbers <= guess->cells;
}

bool guess_mixed_orders(const Guess *guess)
{
    return guess->cells > 0 && !*guess->timeless && order_of(guess) < 0 && 2 * guess->numbers <= guess->cells;
}

bool guess_odd_times(const Guess *guess)
{
    int order = order_of(guess);
    return guess->cells > 0 && order >= 0 && !is_likely(guess, order);
}

bool guess_codelike(const Guess *guess)
{
    return guess->codelike > 0 && guess->wholes == guess->cells && guess->n_distinct > 2 &&
           (guess->narrowest == guess->widest || guess->codelike == guess->cells);
}

bool guess_points_group(const Guess *guess)
{
    return guess->grouped > 2 && guess->below > 0 && guess->zero_ends > 0 &&
           guess->grouped + guess->below + guess->zeros == guess->cells;
}

bool guess_falls(const Guess *guess, AnbTimeOrder order)
{
    enum { LEAST = 20 };
    return guess->time[order] == guess->cells && guess->earlier[order] >= LEAST && guess->later[order] == 0;
}

bool guess_unknown(const Guess *guess)
{
    return guess->cells == 0;
}
