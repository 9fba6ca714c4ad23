#include "table.h"
#include "jsonl.h"
#include <anabranch/number.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PADDING = 64 };

/* A row that was read ahead: its cells and their bytes in one piece of memory. */
typedef struct Kept {
    uint64_t line;
    size_t cells, size;
    char *problem; /* NULL: the row is good */
    Cell *cell;    /* `cells` of them, then the bytes, then padding */
} Kept;

struct TableState {
    Jsonl *json; /* NULL: CSV */
    Kept *kept;
    size_t n_kept, next; /* rows ahead; the next one to be given */
    size_t room;
    int after;        /* what table_next gives behind them; 0: nothing known */
    bool extra_comma; /* rows end in one more delimiter than the header */
    uint64_t rows;    /* records of CSV behind the header */
    uint64_t first;   /* the line of the first of them; 0: none was read */
};

Cell cell_trim(Cell cell)
{
    while (cell.size > 0 && (*cell.text == ' ' || *cell.text == '\t'))
        cell.text++, cell.size--;
    while (cell.size > 0 && (cell.text[cell.size - 1] == ' ' || cell.text[cell.size - 1] == '\t'))
        cell.size--;
    return cell;
}

bool cell_is(const Cell *cell, const char *text)
{
    return cell->size == strlen(text) && memcmp(cell->text, text, cell->size) == 0;
}

/* ---- the header -------------------------------------------------------------------------------------------------- */

static bool is_number(const Cell *cell)
{
    double value;
    Cell inner = cell_trim(*cell);
    return inner.size > 0 && anb_number_parse_all(inner.text, inner.size, &value) == 0;
}

/* Whether a cell is of a sparse format, 7:1.5. */
static bool is_sparse(const Cell *cell)
{
    const char *colon = memchr(cell->text, ':', cell->size);
    Cell value = colon ? (Cell){(char *)colon + 1, cell->size - (size_t)(colon + 1 - cell->text)} : *cell;
    return colon && is_number(&value);
}

/* A header of numbers is most likely a row: it is never taken for names without a word. */
static int check_names(const Table *table)
{
    size_t numbers = 0, empty = 0, sparse = 0;
    for (size_t i = 0; i < table->columns; i++) {
        numbers += is_number(&table->cell[i]);
        sparse += is_sparse(&table->cell[i]);
        empty += cell_trim(table->cell[i]).size == 0;
    }
    if (sparse > 0 && is_number(&table->cell[0]))
        return complain(BAD_DATA,
                        "%s:%llu: this looks like a sparse format (LIBSVM, Vowpal Wabbit); only dense rows are "
                        "read, a cell for every column",
                        table->name, (unsigned long long)table->line);
    if (numbers == 0 || numbers + empty < table->columns)
        return 0;
    return complain(BAD_DATA,
                    "%s:%llu: the first line holds numbers, not names: --no-header where the table has no names, "
                    "--header where these are the names",
                    table->name, (unsigned long long)table->line);
}

/* Line ends are LF or CRLF: with others the whole file would be one header. */
static int check_line_ends(const Table *table)
{
    for (size_t i = 0; i < table->columns; i++) {
        const Cell *cell = &table->cell[i];
        const char *at = memchr(cell->text, '\r', cell->size);
        if (at && (at + 1 == cell->text + cell->size || at[1] != '\n'))
            return complain(BAD_DATA, "%s:%llu: column %zu: a carriage return inside a name; lines end in LF or CRLF",
                            table->name, (unsigned long long)table->line, i + 1);
    }
    return 0;
}

static int take_names(Table *table)
{
    table->names = calloc(table->columns + 1, sizeof *table->names);
    bool failed = !table->names;
    for (size_t i = 0; i < table->columns && !failed; i++) {
        char number[24];
        Cell name = cell_trim(table->cell[i]);
        snprintf(number, sizeof number, "%zu", i + 1);
        table->names[i] = table->no_header ? strdup(number) : strndup(name.text, name.size);
        failed = !table->names[i];
    }
    return failed ? complain(BAD_DATA, "out of memory") : 0;
}

/* ---- rows ahead -------------------------------------------------------------------------------------------------- */

static bool keep_row(Table *table, const char *problem)
{
    struct TableState *s = table->state;
    size_t bytes = 0;
    if (s->n_kept == s->room) {
        Kept *more = realloc(s->kept, (s->room + 128) * sizeof *more);
        if (!more)
            return false;
        s->kept = more;
        s->room += 128;
    }
    for (size_t i = 0; i < table->cells; i++)
        bytes += table->cell[i].size + 1;
    Kept kept = {table->line, table->cells, bytes, problem ? strdup(problem) : NULL,
                 calloc(1, table->cells * sizeof(Cell) + bytes + PADDING)};
    if (!kept.cell || (problem && !kept.problem)) {
        free(kept.cell);
        return false;
    }
    char *to = (char *)(kept.cell + table->cells);
    for (size_t i = 0; i < table->cells; i++) {
        memcpy(to, table->cell[i].text, table->cell[i].size);
        kept.cell[i] = (Cell){to, table->cell[i].size};
        to += table->cell[i].size + 1;
    }
    s->kept[s->n_kept++] = kept;
    return true;
}

static int give_kept(Table *table)
{
    const Kept *kept = &table->state->kept[table->state->next++];
    table->cell = kept->cell;
    table->cells = kept->cells;
    table->line = kept->line;
    table->limit = (const char *)(kept->cell + kept->cells) + kept->size + PADDING;
    return kept->problem ? bad_row(table->problem, "%s", kept->problem) : 0;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static bool begins(const char *text, size_t size, const char *mark)
{
    return size >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0;
}

const char *table_skip_hint(const Table *table, const Cell *first, uint64_t line)
{
    static const char *const mark[] = {"#", "%", "//"};
    static const char *const hint[] = {"; --comment '#' skips lines that begin with it",
                                       "; --comment % skips lines that begin with it",
                                       "; --comment // skips lines that begin with it"};
    const char *name = table->columns > 0 ? table->names[0] : "";
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++)
        if (begins(name, strlen(name), mark[i]) || (first && begins(first->text, first->size, mark[i])))
            return hint[i];
    bool units = line > 0 && line == table->state->first && !table->no_header && !table->state->json;
    return units ? "; --skip-rows 1 skips it where it holds units" : "";
}

/* As where several files were put behind one another, each with a byte order mark. A header of numbers that was
 * declared gives no hint. */
static bool repeats_header(const Table *table)
{
    if (table->no_header || table->header_given)
        return false;
    for (size_t i = table->columns; i-- > 0;) {
        Cell cell = cell_trim(table->cell[i]);
        const size_t mark = i == 0 ? csv_mark(cell.text, cell.size) : 0;
        cell = (Cell){cell.text + mark, cell.size - mark};
        if (cell.size > 0 && *cell.text != *table->names[i]) /* most rows end here */
            return false;
        if (!cell_is(&cell, table->names[i]))
            return false;
    }
    return true;
}

/* Every line may end in one delimiter too many, in the header or behind it: as the first row has it. */
static bool fits(Table *table)
{
    struct TableState *s = table->state;
    Csv *csv = &table->csv;
    bool extra = csv->cells == table->columns + 1 && cell_trim(csv->cell[table->columns]).size == 0;
    s->extra_comma |= extra && s->rows == 1;
    return extra && s->extra_comma;
}

static int next_csv(Table *table)
{
    Csv *csv = &table->csv;
    int status = csv_next(csv);
    table->line = csv->line;
    table->cell = csv->cell;
    table->cells = csv->cells;
    table->limit = csv_limit(csv);
    table->state->rows += table->columns > 0;
    table->state->first = table->state->rows == 1 ? csv->line : table->state->first;
    if (status || table->columns == 0)
        return status;
    if (csv->cells == table->columns || fits(table))
        return repeats_header(table)
                   ? bad_row(table->problem,
                             "the row repeats the header; --on-bad-row skip leaves it out, --header takes it as a row")
                   : 0;
    return bad_row(table->problem,
                   "column %zu: the row has %zu cells, the header has %zu; --on-bad-row skip leaves it out%s",
                   (csv->cells < table->columns ? csv->cells : table->columns) + 1, csv->cells, table->columns,
                   table_skip_hint(table, csv->cell, 0));
}

static int next_row(Table *table)
{
    struct TableState *s = table->state;
    return s->json ? jsonl_next(s->json, table) : next_csv(table);
}

int table_next(Table *table)
{
    struct TableState *s = table->state;
    if (s->next < s->n_kept)
        return give_kept(table);
    return s->after ? s->after : next_row(table);
}

int table_look_ahead(Table *table, size_t n)
{
    struct TableState *s = table->state;
    while (s->n_kept < n && !s->after) {
        int status = next_row(table);
        if (status && status != BAD_ROW)
            s->after = status;
        else if (!keep_row(table, status ? table->problem : NULL))
            return complain(BAD_DATA, "out of memory");
    }
    return s->after > 0 ? s->after : 0;
}

size_t table_rows_ahead(const Table *table)
{
    return table->state->n_kept;
}

const Cell *table_ahead(const Table *table, size_t row, uint64_t *line)
{
    const Kept *kept = &table->state->kept[row];
    *line = kept->line;
    return kept->problem ? NULL : kept->cell;
}

bool table_ready(const Table *table)
{
    return table->state->next < table->state->n_kept || csv_ready(&table->csv);
}

bool table_is_live(const Table *table)
{
    return csv_is_live(&table->csv);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int skip_rows(Table *table, uint64_t n)
{
    int status = 0;
    for (uint64_t i = 0; i < n && (status == 0 || status == BAD_ROW); i++)
        status = table->state->json ? next_row(table) : csv_next(&table->csv);
    return status > 0 && status != BAD_ROW ? status : 0;
}

static int read_header(Table *table, const TableOptions *options)
{
    int status = next_csv(table);
    if (status < 0)
        return complain(BAD_DATA, "%s: the file is empty; a header line is expected", table->name);
    if (status == BAD_ROW)
        return complain(BAD_DATA, "%s:%llu: %s", table->name, (unsigned long long)table->line, table->problem);
    if (status)
        return status;
    table->columns = table->csv.cells;
    table->no_header = options->no_header;
    table->header_given = options->header;
    status = check_line_ends(table);
    if (!status && !options->no_header && !options->header)
        status = check_names(table);
    if (!status)
        status = take_names(table);
    if (!status && options->no_header && options->skip_rows == 0 && !keep_row(table, NULL))
        status = complain(BAD_DATA, "out of memory");
    return status;
}

int table_open(Table *table, const char *path, const TableOptions *options)
{
    *table = (Table){0};
    int status = csv_open(&table->csv, path, &options->dialect, table->problem), first = 0;
    table->name = table->csv.name;
    table->state = calloc(1, sizeof *table->state);
    if (!status && !table->state)
        status = complain(BAD_DATA, "out of memory");
    if (!status && !options->dialect.delimiter)
        first = csv_peek(&table->csv);
    if (status || first < 0)
        return status ? status : BAD_DATA;
    if (first == '{' || first == '[')
        status = jsonl_open(&table->state->json, table, first);
    else
        status = read_header(table, options);
    uint64_t skip = options->skip_rows - (options->no_header && options->skip_rows > 0);
    return status ? status : skip_rows(table, skip);
}

void table_close(Table *table)
{
    struct TableState *s = table->state;
    for (size_t i = 0; s && i < s->n_kept; i++)
        free(s->kept[i].cell), free(s->kept[i].problem);
    if (s) {
        free(s->kept);
        jsonl_close(s->json);
    }
    for (size_t i = 0; table->names && i < table->columns; i++)
        free(table->names[i]);
    free(table->names);
    free(s);
    csv_close(&table->csv);
    *table = (Table){0};
}
