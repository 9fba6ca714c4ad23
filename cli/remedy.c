#include "remedy.h"
#include "table.h"
#include <stdio.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static const struct {
    CellFormat format;
    const char *options;
} ways[] = {
    {{',', 0, NULL, true}, "--decimal ,"},
    {{'.', ',', NULL, true}, "--thousands ,"},
    {{',', '.', NULL, true}, "--decimal , --thousands ."},
    {{'.', ' ', NULL, true}, "--thousands ' '"},
    {{'.', '\'', NULL, true}, "--thousands \"'\""},
    {{'.', '_', NULL, true}, "--thousands _"},
    {{',', ' ', NULL, true}, "--decimal , --thousands ' '"},
    {{',', '\'', NULL, true}, "--decimal , --thousands \"'\""},
};

/* A way is left out where a shorter one, which it contains, does. */
size_t remedy_marks(const Cell *cell, char *out)
{
    const CellFormat plain = {'.', 0, NULL, false};
    size_t found = 0, size = 0;
    double value;
    *out = 0;
    if (cell_number(&plain, cell, NULL, &value))
        return 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && found < 2; i++) {
        if (!cell_number(&ways[i].format, cell, NULL, &value) || (found && strstr(ways[i].options, out)))
            continue;
        size += (size_t)snprintf(out + size, REMEDY_OPTIONS - size, "%s%s", found ? " or " : "", ways[i].options);
        found++;
    }
    return found;
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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What stands behind the last digit, and the point that may follow it. */
static size_t digits_end(const Cell *cell)
{
    size_t end = cell->size;
    while (end > 0 && !is_digit(cell->text[end - 1]))
        end--;
    return end > 0 && end < cell->size && cell->text[end] == '.' ? end + 1 : end;
}

bool remedy_unit(const Cell *cell, Cell *number, Cell *unit)
{
    const CellFormat plain = {'.', 0, NULL, false};
    char options[REMEDY_OPTIONS];
    double value;
    size_t before = sign_of(cell);
    Cell rest = cell_trim((Cell){cell->text + before, cell->size - before});
    size_t end = digits_end(&rest);
    if (end == 0 || (before > 0) == (end < rest.size))
        return false;
    *number = cell_trim((Cell){rest.text, end});
    *unit = before ? (Cell){cell->text, before} : cell_trim((Cell){rest.text + end, rest.size - end});
    return cell_number(&plain, number, NULL, &value) || remedy_marks(number, options) > 0;
}

static const char *remedy_number(const Cell *cell, char *out)
{
    char options[REMEDY_OPTIONS];
    Cell number = *cell, unit = {0};
    bool beside = remedy_unit(cell, &number, &unit) && unit.size < 20;
    size_t marks = remedy_marks(beside ? &number : cell, options);
    *out = 0;
    if (beside)
        snprintf(out, REMEDY_SIZE, " (without \"%.*s\"%s%s it is one)", (int)unit.size, unit.text,
                 marks ? " and with " : "", options);
    else if (marks)
        snprintf(out, REMEDY_SIZE, " (with %s it is one)", options);
    return out;
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static int order_of(const char *text, size_t size)
{
    double seconds;
    for (int order = ANB_TIME_YMD; order <= ANB_TIME_MDY; order++)
        if (anb_time_parse(text, size, (AnbTimeOrder)order, &seconds) == 0)
            return order;
    return -1;
}

/* A time before the name of a zone, or before an offset and the name in brackets. */
static bool has_zone(const Cell *cell)
{
    double number;
    for (size_t end = cell->size; end-- > 8;)
        if ((cell->text[end] == ' ' || cell->text[end] == '[') && order_of(cell->text, end) >= 0)
            return anb_number_parse_all(cell->text, end, &number) != 0;
    return false;
}

/* A time of day. */
static bool is_clock(const Cell *cell)
{
    char text[48];
    int size = snprintf(text, sizeof text, "2013-01-05 %.*s", (int)(cell->size < 30 ? cell->size : 30), cell->text);
    return is_digit(*cell->text) && order_of(text, (size_t)size) >= 0;
}

/* As in the logs of servers: 05/Jan/2013:17:30:00 +0000. */
static bool is_of_log(const Cell *cell)
{
    char text[40];
    int size = snprintf(text, sizeof text, "%.*s", (int)(cell->size < 39 ? cell->size : 39), cell->text);
    char *colon = strchr(text, ':');
    if (!colon || colon - text < 8)
        return false;
    *colon = ' ';
    return order_of(text, (size_t)size) >= 0;
}

/* As 2013-W05-3. */
static bool is_week(const Cell *cell)
{
    return cell->size > 7 && cell->size < 12 && memcmp(cell->text + 4, "-W", 2) == 0 && is_digit(*cell->text) &&
           is_digit(cell->text[6]);
}

bool remedy_timelike(const Cell *cell)
{
    return cell->size > 0 && (is_clock(cell) || is_of_log(cell) || is_week(cell) || has_zone(cell));
}

static const char *remedy_time(const Cell *cell, char *out)
{
    static const char *const words[] = {"ymd", "dmy", "mdy"};
    int order = order_of(cell->text, cell->size);
    *out = 0;
    if (order >= 0)
        snprintf(out, REMEDY_SIZE, " (with --date-order %s it is one)", words[order]);
    else if (has_zone(cell))
        snprintf(out, REMEDY_SIZE, " (an offset such as +01:00 is read, the name of a zone is not)");
    return out;
}

const char *remedy_of(AnbColumnKind kind, const Cell *cell, char *out)
{
    Cell inner = cell_trim(*cell);
    *out = 0;
    return kind == ANB_COLUMN_NUMBER ? remedy_number(&inner, out)
           : kind == ANB_COLUMN_TIME ? remedy_time(&inner, out)
                                     : out;
}
