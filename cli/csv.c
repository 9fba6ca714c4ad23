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
    char *buffer;                 /* size + PADDING bytes */
    size_t size, from, filled;    /* the record starts at from */
    size_t room;                  /* of csv->cell */
    uint64_t next_line;
    bool ended;                   /* nothing is left to read */
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

/*
 * The end of the record: the first line end outside quotes, searched from *seen on. *quotes says whether an odd number of
 * quotes came before *seen. SIZE_MAX: not in the buffer yet.
 */
static size_t record_end(const struct CsvState *s, size_t *seen, bool *quotes)
{
    while (s->from + *seen < s->filled) {
        const char *at = s->buffer + s->from + *seen, *limit = s->buffer + s->filled;
        const char *line_end = memchr(at, '\n', (size_t)(limit - at));
        const char *stop = line_end ? line_end : limit;
        for (const char *q = at; (q = memchr(q, '"', (size_t)(stop - q))); q++)
            *quotes = !*quotes;
        *seen = (size_t)(stop - s->buffer) - s->from + (line_end != NULL);
        if (line_end && !*quotes)
            return *seen;
    }
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
    bool quotes = false;
    for (; p < end; p++) {
        quotes ^= *p == '"';
        for (int i = 0; i < 3 && !quotes; i++)
            count[i] += *p == ",;\t"[i];
    }
    return count[1] > count[0] && count[1] >= count[2] ? ';' : count[2] > count[0] ? '\t' : ',';
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

/* Finds the next record: its first byte, and its end without the line's. -1 where there is none. */
static int next_bytes(Csv *csv, char **start, char **end)
{
    struct CsvState *s = csv->state;
    size_t seen = 0, size;
    bool quotes = false;
    while ((size = record_end(s, &seen, &quotes)) == SIZE_MAX && !s->ended) {
        int status = fill(csv);
        if (status)
            return status;
    }
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
    if (csv->line == 1 && *end - *start >= 3 && memcmp(*start, "\xef\xbb\xbf", 3) == 0)
        *start += 3;
    return 0;
}

int csv_next(Csv *csv)
{
    char *start = NULL, *end = NULL;
    int status;
    do
        status = next_bytes(csv, &start, &end);
    while (!status && start == end);
    if (status)
        return status;
    if (memchr(start, 0, (size_t)(end - start)))
        return complain(BAD_DATA, "%s:%llu: a NUL byte; this is not text", csv->name, (unsigned long long)csv->line);
    if (!csv->delimiter)
        csv->delimiter = best_delimiter(start, end);
    return split(csv, start, end);
}

/* The number reader is fastest with room to look ahead, and finds the cell's end by itself. */
bool csv_number(const Csv *csv, const Cell *cell, double *value)
{
    const char *limit = csv->state->buffer + csv->state->filled + PADDING;
    int used = anb_number_parse(cell->text, (size_t)(limit - cell->text), value);
    return (used > 0 && (size_t)used == cell->size) || anb_number_parse_all(cell->text, cell->size, value) == 0;
}
