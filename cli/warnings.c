#include "warnings.h"
#include "columns.h"
#include <anabranch/number.h>
#include <stdio.h>
#include <string.h>

typedef bool (*IsWarned)(const Rows *rows, const Layout *layout, size_t column);

static bool is_guessed_feature(const Rows *rows, const Layout *layout, size_t i)
{
    return !layout->said[i] && rows->place[i] < rows->n_features;
}

/* Anything may follow: it was made a code. */
static bool is_empty(const Rows *rows, const Layout *layout, size_t i)
{
    return rows->column[i].kind == ANB_COLUMN_CODE && guess_unknown(&layout->guess[i]);
}

static bool has_units(const Rows *rows, const Layout *layout, size_t i)
{
    return rows->column[i].kind == ANB_COLUMN_CATEGORY && guess_units(&layout->guess[i]);
}

/* A text or two among many numbers are most likely words for missing cells. */
static bool has_numbers(const Rows *rows, const Layout *layout, size_t i)
{
    const Guess *guess = &layout->guess[i];
    return rows->column[i].kind == ANB_COLUMN_CATEGORY && 2 * guess->numbers > guess->cells;
}

/* The next guessed feature from column i on that is so; the number of columns where there is none. */
static size_t next(const Rows *rows, const Layout *layout, IsWarned warned, size_t i)
{
    while (i < rows->table.columns && (!is_guessed_feature(rows, layout, i) || !warned(rows, layout, i)))
        i++;
    return i;
}

/* The names of the columns that are so, up to some, as options take them; how many there are. */
static size_t list(const Rows *rows, const Layout *layout, IsWarned warned, char *out, size_t room)
{
    size_t count = 0, size = 0;
    char word[64];
    *out = 0;
    for (size_t i = 0; (i = next(rows, layout, warned, i)) < rows->table.columns; i++, count++)
        if (size + sizeof word + 8 < room)
            size += (size_t)snprintf(out + size, room - size, "%s%s", count ? "," : "",
                                     columns_word(&rows->table, i, word));
    return count;
}

static void tell_empty(const Rows *rows, const Layout *layout)
{
    char names[200];
    size_t n = list(rows, layout, is_empty, names, sizeof names);
    if (n > 0)
        complain(
            0,
            "%s: all cells missing so far in %zu column%s (%s): numbers and names will be taken; --number, --category "
            "or --ignore say otherwise",
            rows->table.name, n, n > 1 ? "s" : "", names);
}

static void tell_units(const Rows *rows, const Layout *layout)
{
    char names[200];
    size_t n = list(rows, layout, has_units, names, sizeof names), first = next(rows, layout, has_units, 0);
    if (n > 0)
        complain(0, "%s: cells such as \"%s\" are read as names, in %zu column%s (%s); without \"%s\" they are numbers",
                 rows->table.name, layout->guess[first].text, n, n > 1 ? "s" : "", names, layout->guess[first].unit);
}

static void tell_numbers(const Rows *rows, const Layout *layout)
{
    char word[64];
    size_t i = next(rows, layout, has_numbers, 0);
    if (i < rows->table.columns)
        complain(0,
                 "%s: column %zu, \"%.60s\", is read as names: most of its cells are numbers, but \"%s\" is not; "
                 "--missing says "
                 "words for missing cells, --number %s that the column is one of numbers",
                 rows->table.name, i + 1, rows->table.names[i], layout->guess[i].text,
                 columns_word(&rows->table, i, word));
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

static void tell_header(const Rows *rows, const Layout *layout)
{
    const Table *table = &rows->table;
    double value;
    if (table->no_header || table->header_said || are_numbered(table))
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
    tell_header(rows, layout);
    tell_empty(rows, layout);
    tell_units(rows, layout);
    tell_numbers(rows, layout);
}
