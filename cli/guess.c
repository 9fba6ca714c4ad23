#include "guess.h"
#include "guess_name.h"
#include <anabranch/number.h>
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

static void count_times(Guess *guess, const Cell *cell)
{
    double seconds;
    for (int order = 0; order < TIME_ORDERS; order++) {
        if (anb_time_parse(cell->text, cell->size, (AnbTimeOrder)order, &seconds))
            continue;
        bool first = guess->time[order]++ == 0;
        guess->first[order] = first ? seconds : fmin(guess->first[order], seconds);
        guess->last[order] = first ? seconds : fmax(guess->last[order], seconds);
    }
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

static void count_number(Guess *guess, const Cell *cell, double value)
{
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

/* Bytes of the sign of a currency in front of a cell, or of the apostrophe by which spreadsheets mark texts; 0: none. */
static size_t sign_of(const Cell *cell)
{
    static const char *const signs[] = {"$", "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5", "'"}; /* euro, pound, yen */
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (cell->size > strlen(signs[i]) && memcmp(cell->text, signs[i], strlen(signs[i])) == 0)
            return strlen(signs[i]);
    return 0;
}

/* What stands before or behind the number that the rest of a cell is; false where there is none. */
static bool unit_of(const Cell *cell, Cell *unit)
{
    double value;
    size_t before = sign_of(cell);
    Cell rest = cell_trim((Cell){cell->text + before, cell->size - before});
    int size = anb_number_parse(rest.text, rest.size, &value);
    if (size <= 0 || (before > 0 && (size_t)size < rest.size))
        return false;
    *unit = before ? (Cell){cell->text, before} : cell_trim((Cell){rest.text + size, rest.size - (size_t)size});
    return unit->size > 0;
}

/* A unit holds no digit: that would be a range, a date or a name. */
static void count_unit(Guess *guess, const Cell *cell)
{
    Cell unit;
    if (!unit_of(cell, &unit) || unit.size >= sizeof guess->unit)
        return;
    for (size_t i = 0; i < unit.size; i++)
        if (unit.text[i] >= '0' && unit.text[i] <= '9')
            return;
    if (guess->units == 0)
        snprintf(guess->unit, sizeof guess->unit, "%.*s", (int)unit.size, unit.text);
    guess->units += cell_is(&unit, guess->unit);
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
    count_times(guess, &cell);
    if (cell_number(format, &cell, NULL, &value)) {
        count_number(guess, &cell, value);
        return;
    }
    guess->booleans += is_boolean(&cell);
    count_foreign(guess, &cell);
    count_unit(guess, &cell);
    if (guess->line == 0) {
        guess->line = line;
        snprintf(guess->text, sizeof guess->text, "%.*s", (int)(cell.size < 40 ? cell.size : 40), cell.text);
    }
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
    else if (order >= 0)
        column->kind = ANB_COLUMN_TIME;
    else if (texts <= (few > 1 ? few : 1) && texts < guess->numbers)
        column->kind = ANB_COLUMN_NUMBER;
    if (column->kind == ANB_COLUMN_TIME)
        column->order = (AnbTimeOrder)order;
}

bool guess_units(const Guess *guess)
{
    return guess->cells > 0 && guess->units == guess->cells;
}

bool guess_unknown(const Guess *guess)
{
    return guess->cells == 0;
}
