/* The CSV reader: a buffer that holds one whole record and what was read beyond it. */
#include "csv.h"
#include "cli.h"
#include "input.h"
#include <anabranch/number.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUFFER = 1 << 18, PADDING = 64 };
static const size_t longest = (size_t)1 << 30; /* bytes of a record */

struct CsvState {
    Input *input;
    char *buffer;              /* size + PADDING bytes */
    size_t size, from, filled; /* the record starts at from */
    size_t room;               /* of csv->cell */
    uint64_t next_line;
    bool begun, ended; /* whether the first bytes were looked at; nothing is left to read */
};

int csv_open(Csv *csv, const char *path)
{
    *csv = (Csv){.name = strcmp(path, "-") == 0 ? "standard input" : path};
    struct CsvState *state = csv->state = calloc(1, sizeof *state);
    if (!state)
        return complain(BAD_DATA, "out of memory");
    state->size = FIRST_BUFFER;
    state->next_line = 1;
    state->buffer = calloc(1, state->size + PADDING);
    if (!state->buffer)
        return complain(BAD_DATA, "out of memory");
    state->input = input_open(path);
    return state->input ? 0 : BAD_USE;
}

void csv_close(Csv *csv)
{
    if (csv->state) {
        input_close(csv->state->input);
        free(csv->state->buffer);
    }
    free(csv->state);
    free(csv->cell);
    *csv = (Csv){0};
}

/* Reads more behind what there is, moving it to the front or growing the buffer where it is full. */
static int fill(Csv *csv)
{
    struct CsvState *s = csv->state;
    if (s->from > 0) {
        memmove(s->buffer, s->buffer + s->from, s->filled - s->from);
        s->filled -= s->from;
        s->from = 0;
    }
    if (s->filled == s->size) {
        char *more = s->size < longest ? realloc(s->buffer, 2 * s->size + PADDING) : NULL;
        if (!more)
            return complain(BAD_DATA, "%s:%llu: the line is too long", csv->name, (unsigned long long)s->next_line);
        s->buffer = more;
        s->size *= 2;
    }
    long got = input_read(s->input, s->buffer + s->filled, s->size - s->filled);
    if (got < 0)
        return BAD_DATA;
    s->filled += (size_t)got;
    s->ended = got == 0;
    memset(s->buffer + s->filled, 0, PADDING);
    return 0;
}

/* Where a reader stands in a record. A quote means something only where a cell begins, and inside one that began so. */
enum Place { CELL, PLAIN, QUOTED, QUOTE /* behind a quote in a quoted cell */ };

static bool separates(char c, char delimiter)
{
    return delimiter ? c == delimiter : c == ',' || c == ';' || c == '\t';
}

/* The place behind c; delimiter 0: any of the three. */
static enum Place step(enum Place place, char c, char delimiter)
{
    if (place == QUOTED)
        return c == '"' ? QUOTE : QUOTED;
    if (c == '"' && place != PLAIN)
        return QUOTED;
    return separates(c, delimiter) || c == '\n' ? CELL : PLAIN;
}

/* How far the search for the end of a record has come, in bytes from its start. */
typedef struct Search {
    size_t clean; /* no quote and no line end up to here */
    size_t seen;  /* stepped through up to here, where there are quotes */
    bool quotes;
    enum Place place;
} Search;

/* The end of the record: behind the first line end outside quotes. SIZE_MAX: not in the buffer yet. */
static size_t record_end(const struct CsvState *s, char delimiter, Search *search)
{
    const char *start = s->buffer + s->from, *limit = s->buffer + s->filled;
    if (!search->quotes) {
        const char *at = start + search->clean, *line_end = memchr(at, '\n', (size_t)(limit - at));
        search->quotes = memchr(at, '"', (size_t)((line_end ? line_end : limit) - at)) != NULL;
        search->clean = (size_t)(limit - start);
        if (!search->quotes)
            return line_end ? (size_t)(line_end - start) + 1 : SIZE_MAX;
    }
    for (const char *p = start + search->seen; p < limit; p++) {
        if (*p == '\n' && search->place != QUOTED)
            return (size_t)(p - start) + 1;
        search->place = step(search->place, *p, delimiter);
    }
    search->seen = (size_t)(limit - start);
    return SIZE_MAX;
}

static int add_cell(Csv *csv, char *text, size_t size)
{
    struct CsvState *s = csv->state;
    if (csv->cells == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        Cell *more = realloc(csv->cell, room * sizeof *more);
        if (!more)
            return complain(BAD_DATA, "out of memory");
        csv->cell = more;
        s->room = room;
    }
    csv->cell[csv->cells++] = (Cell){text, size};
    return 0;
}

/* A cell in quotes, made plain where it stands; *p is behind the first quote and then at what follows the cell. */
static int quoted_cell(Csv *csv, char **p, char *end)
{
    char *text = *p, *to = text, *from = text;
    for (;; *to++ = *from++) {
        if (from == end)
            return complain(BAD_DATA, "%s:%llu: column %zu: a quote is never closed", csv->name,
                            (unsigned long long)csv->line, csv->cells + 1);
        if (*from == '"') {
            if (from + 1 == end || from[1] != '"')
                break;
            from++;
        }
    }
    *p = ++from;
    if (from < end && *from != csv->delimiter)
        return complain(BAD_DATA, "%s:%llu: column %zu: text behind the closing quote", csv->name,
                        (unsigned long long)csv->line, csv->cells + 1);
    return add_cell(csv, text, (size_t)(to - text));
}

static int split(Csv *csv, char *p, char *end)
{
    int status = 0;
    csv->cells = 0;
    for (;; p++) {
        if (p < end && *p == '"') {
            p++;
            status = quoted_cell(csv, &p, end);
        } else {
            char *stop = memchr(p, csv->delimiter, (size_t)(end - p));
            stop = stop ? stop : end;
            status = add_cell(csv, p, (size_t)(stop - p));
            p = stop;
        }
        if (status || p == end)
            return status;
    }
}

static char best_delimiter(const char *p, const char *end)
{
    size_t count[3] = {0};
    for (enum Place place = CELL; p < end; p++) {
        for (int i = 0; i < 3 && place != QUOTED; i++)
            count[i] += *p == ",;\t"[i];
        place = step(place, *p, 0);
    }
    return (char)(count[1] > count[0] && count[1] >= count[2] ? ';' : count[2] > count[0] ? '\t' : ',');
}

static uint64_t lines_in(const char *p, const char *end)
{
    uint64_t lines = 0;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        lines++;
        p++;
    }
    return lines;
}

/* At the very start: a byte order mark is no part of the first record. */
static int skip_mark(Csv *csv)
{
    struct CsvState *s = csv->state;
    int status = 0;
    while (!status && !s->ended && s->filled < 3)
        status = fill(csv);
    if (s->filled >= 3 && memcmp(s->buffer, "\xef\xbb\xbf", 3) == 0)
        s->from = 3;
    s->begun = true;
    return status;
}

/* Finds the next record: its first byte, and its end without the line's. -1 where there is none. */
static int next_bytes(Csv *csv, char **start, char **end)
{
    struct CsvState *s = csv->state;
    Search search = {0};
    size_t size = 0;
    int status = s->begun ? 0 : skip_mark(csv);
    while (!status && (size = record_end(s, csv->delimiter, &search)) == SIZE_MAX && !s->ended)
        status = fill(csv);
    if (status)
        return status;
    if (size == SIZE_MAX)
        size = s->filled - s->from;
    if (size == 0)
        return -1;
    *start = s->buffer + s->from;
    *end = *start + size;
    s->from += size;
    csv->line = s->next_line;
    s->next_line += lines_in(*start, *end);
    if ((*end)[-1] == '\n')
        --*end;
    if (*end > *start && (*end)[-1] == '\r')
        --*end;
    return 0;
}

/* The next record that is not an empty line. */
static int next_record(Csv *csv, char **start, char **end)
{
    int status;
    do
        status = next_bytes(csv, start, end);
    while (!status && *start == *end);
    return status;
}

/* The first record tells the delimiter; then it is looked for again, since a delimiter decides what a quote means. */
static int find_delimiter(Csv *csv)
{
    char *start = NULL, *end = NULL;
    int status = next_record(csv, &start, &end);
    if (status)
        return status;
    csv->delimiter = best_delimiter(start, end);
    csv->state->from = (size_t)(start - csv->state->buffer);
    csv->state->next_line = csv->line;
    return 0;
}

int csv_next(Csv *csv)
{
    char *start = NULL, *end = NULL;
    int status = csv->delimiter ? 0 : find_delimiter(csv);
    if (!status)
        status = next_record(csv, &start, &end);
    if (status)
        return status;
    if (memchr(start, 0, (size_t)(end - start)))
        return complain(BAD_DATA, "%s:%llu: a NUL byte; this is not text", csv->name, (unsigned long long)csv->line);
    return split(csv, start, end);
}

/* The number reader is fastest with room to look ahead, and finds the cell's end by itself. */
bool csv_number(const Csv *csv, const Cell *cell, double *value)
{
    const char *limit = csv->state->buffer + csv->state->filled + PADDING;
    int used = anb_number_parse(cell->text, (size_t)(limit - cell->text), value);
    return (used > 0 && (size_t)used == cell->size) || anb_number_parse_all(cell->text, cell->size, value) == 0;
}
