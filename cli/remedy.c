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
_Static_assert(REMEDY_WAYS == (1U << sizeof ways / sizeof *ways) - 1, "a bit for each way");

bool remedy_plain(const Cell *cell)
{
    const CellFormat plain = {'.', 0, NULL, false};
    double value;
    return cell_number(&plain, cell, NULL, &value);
}

/* A number that is one without options stays so with any marks between thousands, but not with another decimal mark. */
unsigned remedy_ways(const Cell *cell, unsigned among)
{
    bool plain = remedy_plain(cell);
    double value;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if ((among & 1U << i) && !(plain && ways[i].format.decimal == '.') &&
            !cell_number(&ways[i].format, cell, NULL, &value))
            among &= ~(1U << i);
    return among & REMEDY_WAYS;
}

/* A way is left out where a shorter one, which it contains, does. */
size_t remedy_options(unsigned among, char *out)
{
    size_t found = 0, size = 0;
    *out = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && found < 2; i++) {
        if (!(among & 1U << i) || (found && strstr(ways[i].options, out)))
            continue;
        size += (size_t)snprintf(out + size, REMEDY_OPTIONS - size, "%s%s", found ? " or " : "", ways[i].options);
        found++;
    }
    return found;
}

/* The options with which a cell that is no number without them is one; how many ways there are, up to two. */
static size_t marks_of(const Cell *cell, unsigned among, char *out)
{
    return remedy_options(remedy_plain(cell) ? 0 : remedy_ways(cell, among), out);
}

static bool starts_with(const Cell *cell, const char *text)
{
    return cell->size > strlen(text) && memcmp(cell->text, text, strlen(text)) == 0;
}

/* Bytes of the sign of a currency in front of a cell, or of the apostrophe by which spreadsheets mark texts; 0:
 * none. */
static size_t sign_of(const Cell *cell)
{
    static const char *const signs[] = {"$", "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5", "'"}; /* euro, pound, yen */
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (starts_with(cell, signs[i]))
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

static const char MINUS[] = "\xe2\x88\x92"; /* the sign that is no hyphen */

/* What makes a number of a cell that has a minus behind it or another sign for one; NULL where nothing does. */
static const char *minus_of(const Cell *cell)
{
    bool behind = cell->size > 1 && cell->text[cell->size - 1] == '-', sign = starts_with(cell, MINUS);
    Cell rest =
        sign ? (Cell){cell->text + strlen(MINUS), cell->size - strlen(MINUS)} : (Cell){cell->text, cell->size - behind};
    if (behind == sign || !(remedy_plain(&rest) || remedy_ways(&rest, REMEDY_WAYS)))
        return NULL;
    return sign ? "with - for its minus sign" : "with its minus in front";
}

bool remedy_unit(const Cell *cell, Cell *number, Cell *unit)
{
    if (minus_of(cell))
        return false;
    size_t before = sign_of(cell);
    Cell rest = cell_trim((Cell){cell->text + before, cell->size - before});
    size_t end = digits_end(&rest);
    if (end == 0 || (before > 0) == (end < rest.size))
        return false;
    *number = cell_trim((Cell){rest.text, end});
    *unit = before ? (Cell){cell->text, before} : cell_trim((Cell){rest.text + end, rest.size - end});
    return remedy_plain(number) || remedy_ways(number, REMEDY_WAYS) != 0;
}

static const char others[] = ", but other cells of the column are not";

static const char *remedy_number(const Cell *cell, RemedyFailing failing, char *out)
{
    char options[REMEDY_OPTIONS];
    Cell number = *cell, unit = {0};
    bool beside = remedy_unit(cell, &number, &unit) && unit.size < 20;
    number = beside ? number : *cell;
    size_t marks = marks_of(&number, REMEDY_WAYS & ~(beside ? failing.of_units : failing.bare), options);
    bool alone = marks == 0 && (marks = marks_of(&number, REMEDY_WAYS, options)) > 0;
    const char *also = alone ? others : "";
    const char *minus = minus_of(cell);
    *out = 0;
    if (minus)
        snprintf(out, REMEDY_SIZE, " (%s it is one)", minus);
    else if (beside)
        snprintf(out, REMEDY_SIZE, " (without \"%.*s\"%s%s it is one%s)", (int)unit.size, unit.text,
                 marks ? " and with " : "", options, also);
    else if (marks)
        snprintf(out, REMEDY_SIZE, " (with %s it is one%s)", options, also);
    return out;
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

/* The first order of dates by which a text is a time, but for those in `failing`; -1: none. */
static int order_but(const char *text, size_t size, unsigned failing)
{
    double seconds;
    for (int order = ANB_TIME_YMD; order <= ANB_TIME_MDY; order++)
        if (!(failing & 1U << order) && anb_time_parse(text, size, (AnbTimeOrder)order, &seconds) == 0)
            return order;
    return -1;
}

static int order_of(const char *text, size_t size)
{
    return order_but(text, size, 0);
}

/* CET, or Europe/Paris: a word of capitals, or of letters with a stroke between them. */
static bool is_zone(const char *text, size_t size)
{
    bool stroke = memchr(text, '/', size) != NULL;
    for (size_t i = 0; i < size; i++) {
        bool capital = text[i] >= 'A' && text[i] <= 'Z', small = text[i] >= 'a' && text[i] <= 'z';
        if (!capital && !(stroke && (small || text[i] == '/' || text[i] == '_')))
            return false;
    }
    return stroke || (size > 2 && size < 6);
}

/* A time of day before the name of a zone, or before an offset and the name in brackets. */
static bool has_zone(const Cell *cell)
{
    for (size_t end = cell->size; end-- > 8;) {
        bool bracket = cell->text[end] == '[' && cell->text[cell->size - 1] == ']';
        if ((cell->text[end] == ' ' || bracket) && order_of(cell->text, end) >= 0)
            return memchr(cell->text, ':', end) != NULL &&
                   is_zone(cell->text + end + 1, cell->size - end - 1 - (bracket ? 1 : 0));
    }
    return false;
}

bool remedy_clock(const Cell *cell)
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

/* 1900 to 2099. */
static bool is_year(const char *text)
{
    return (memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0) && is_digit(text[2]) && is_digit(text[3]);
}

/* As 2013-W05 or 2013-W05-3: weeks 1 to 53, days 1 to 7. */
static bool is_week(const Cell *cell)
{
    const char *text = cell->text;
    if ((cell->size != 8 && cell->size != 10) || memcmp(text + 4, "-W", 2) != 0)
        return false;
    int week = is_digit(text[6]) && is_digit(text[7]) ? 10 * (text[6] - '0') + text[7] - '0' : 0;
    bool day = cell->size == 8 || (text[8] == '-' && text[9] >= '1' && text[9] <= '7');
    return is_year(text) && week >= 1 && week <= 53 && day;
}

/* As 2013Q1, 2013-Q1 or Q1 2013. */
static bool is_quarter(const Cell *cell)
{
    const char *text = cell->text, *end = text + cell->size;
    if (cell->size != 6 && cell->size != 7)
        return false;
    bool first = *text == 'Q';
    const char *quarter = first ? text : end - 2;
    char between = cell->size == 6 ? '-' : text[first ? 2 : 4];
    return *quarter == 'Q' && quarter[1] >= '1' && quarter[1] <= '4' && (between == '-' || between == ' ') &&
           is_year(first ? end - 4 : text);
}

/* As 05.01.13 or 05-01-13, a time of day behind it or not: dates that are read with strokes alone. Adds the orders that
 * do not read it. */
static bool is_short_date(const Cell *cell, unsigned *failing)
{
    char text[40], mark = cell->size < 8 ? 0 : cell->text[2];
    double seconds;
    if ((mark != '.' && mark != '-') || cell->text[5] != mark)
        return false;
    int size = snprintf(text, sizeof text, "%.2s/%.2s/%.*s", cell->text, cell->text + 3,
                        (int)(cell->size < 36 ? cell->size - 6 : 30), cell->text + 6);
    if (order_of(text, (size_t)size) < 0)
        return false;
    for (int order = ANB_TIME_YMD; order <= ANB_TIME_MDY; order++)
        *failing |= anb_time_parse(text, (size_t)size, (AnbTimeOrder)order, &seconds) ? 1U << order : 0;
    return true;
}

/* Whether a word of n bytes begins as the name of a month does in a language that many write in. */
static bool names_month(const char *word, size_t n)
{
    static const char *const begins[] = {
        "jan",        "j\xc3\xa4n", "ene",        "gen",        "sty", "feb", "fev",       "f\xc3\xa9v", "lut", "mar",
        "m\xc3\xa4r", "mrz",        "mrt",        "maa",        "kwi", "apr", "abr",       "avr",        "mai", "may",
        "maj",        "mag",        "mei",        "jun",        "jui", "giu", "cze",       "jul",        "lug", "lip",
        "aug",        "ago",        "aou",        "ao\xc3\xbb", "sie", "sep", "set",       "wrz",        "okt", "oct",
        "ott",        "out",        "pa\xc5\xba", "nov",        "lis", "dec", "d\xc3\xa9", "dez",        "dic", "gru"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (n >= strlen(begins[i]) && strncasecmp(word, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* As 5. Januar 2013: a month whose name is not English. */
static bool has_month(const Cell *cell)
{
    const char *at = cell->text, *end = at + cell->size;
    while (at < end && is_digit(*at))
        at++;
    bool day = at > cell->text && at - cell->text < 3;
    at += at < end && *at == '.';
    const char *word = at + 1;
    for (at = word; at < end && *at != ' ' && *at != '.' && !is_digit(*at);)
        at++;
    bool month = day && at > word && word[-1] == ' ' && names_month(word, (size_t)(at - word));
    at += at < end && *at == '.';
    return month && end - at >= 5 && *at == ' ' && is_year(at + 1) &&
           (end - at == 5 || (end - at > 6 && is_digit(at[6])));
}

bool remedy_timelike(const Cell *cell, unsigned *short_failing)
{
    return cell->size > 0 && (remedy_clock(cell) || is_of_log(cell) || is_week(cell) || is_quarter(cell) ||
                              is_short_date(cell, short_failing) || has_month(cell) || has_zone(cell));
}

static const char *remedy_time(const Cell *cell, RemedyFailing failing, char *out)
{
    static const char *const words[] = {"ymd", "dmy", "mdy"};
    int order = order_but(cell->text, cell->size, failing.orders), alone = order_of(cell->text, cell->size);
    *out = 0;
    if (alone >= 0)
        snprintf(out, REMEDY_SIZE, " (with --date-order %s it is one%s)", words[order >= 0 ? order : alone],
                 order >= 0 ? "" : others);
    else if (has_zone(cell))
        snprintf(out, REMEDY_SIZE, " (an offset such as +01:00 is read, the name of a zone is not)");
    return out;
}

const char *remedy_of(AnbColumnKind kind, const Cell *cell, RemedyFailing failing, char *out)
{
    Cell inner = cell_trim(*cell);
    *out = 0;
    return kind == ANB_COLUMN_NUMBER ? remedy_number(&inner, failing, out)
           : kind == ANB_COLUMN_TIME ? remedy_time(&inner, failing, out)
                                     : out;
}
