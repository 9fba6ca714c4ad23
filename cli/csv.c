/* The CSV reader: a buffer that holds one whole record and what was read beyond it. */
#define _GNU_SOURCE /* memrchr */
#include "csv.h"
#include "cli.h"
#include "input.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUFFER = 1 << 18, LEAST_READ = 1 << 12, PADDING = 64 };
static const size_t longest = (size_t)1 << 30; /* bytes of a record */

struct CsvState {
    Input *input;
    char *buffer;              /* size + PADDING bytes */
    size_t size, from, filled; /* the record starts at from */
    size_t room;               /* of csv->cell */
    uint64_t next_line;
    bool begun, ended; /* whether the first bytes were looked at; nothing is left to read */
    bool holding;      /* what is read from keep on stays in the buffer */
    size_t keep;
    bool quotes;  /* whether the record has any */
    size_t ready; /* behind the last line end that was read */
    uint64_t skip_lines;
};

int csv_open(Csv *csv, const char *path, const Dialect *dialect, char *problem)
{
    *csv = (Csv){.name = strcmp(path, "-") == 0 ? "standard input" : path, .dialect = *dialect, .problem = problem};
    struct CsvState *state = csv->state = calloc(1, sizeof *state);
    if (!state)
        return complain(BAD_DATA, "out of memory");
    state->size = FIRST_BUFFER;
    state->next_line = 1;
    state->skip_lines = dialect->skip_lines;
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
    size_t done = s->holding ? s->keep : s->from;
    if (done > 0) {
        memmove(s->buffer, s->buffer + done, s->filled - done);
        s->filled -= done;
        s->from -= done;
        s->keep = 0;
    }
    if (s->size - s->filled < LEAST_READ) {
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
    const char *line_end = memrchr(s->buffer + s->from, '\n', s->filled - s->from);
    s->ready = line_end ? (size_t)(line_end - s->buffer) + 1 : 0;
    return 0;
}

/* How far the search for the end of a record has come, in bytes from its start. */
typedef struct Search {
    size_t clean; /* no quote and no line end up to here */
    size_t seen;  /* stepped through up to here, where there are quotes */
    bool quotes;
    enum Place place;
} Search;

/* The end of the record: behind the first line end outside quotes. SIZE_MAX: not in the buffer yet. */
static size_t record_end(const struct CsvState *s, char delimiter, bool line, Search *search)
{
    const char *start = s->buffer + s->from, *limit = s->buffer + s->filled;
    if (!search->quotes) {
        const char *at = start + search->clean, *line_end = memchr(at, '\n', (size_t)(limit - at));
        search->quotes = !line && memchr(at, '"', (size_t)((line_end ? line_end : limit) - at)) != NULL;
        search->clean = (size_t)(limit - start);
        if (!search->quotes)
            return line_end ? (size_t)(line_end - start) + 1 : SIZE_MAX;
    }
    for (const char *p = start + search->seen; p < limit; p++) {
        if (*p == '\n' && search->place != QUOTED)
            return (size_t)(p - start) + 1;
        search->place = next_place(search->place, *p, delimiter);
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

/* Behind the closing quote: the delimiter, or blanks that are it and were stepped over. */
static bool ends_cell(const Csv *csv, const char *at)
{
    char delimiter = csv->dialect.delimiter;
    return delimiter == BLANKS ? is_blank(at[-1], BLANKS) : *at == delimiter;
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
    from++;
    while (from < end && is_blank(*from, csv->dialect.delimiter))
        from++;
    *p = from;
    if (from < end && !ends_cell(csv, from))
        return bad_row(csv->problem, "column %zu: text behind the closing quote", csv->cells + 1);
    return add_cell(csv, text, (size_t)(to - text));
}

/* A record without quotes. */
static int split_plain(Csv *csv, char *p, char *end)
{
    for (;; p++) {
        char *stop = memchr(p, csv->dialect.delimiter, (size_t)(end - p));
        stop = stop ? stop : end;
        int status = add_cell(csv, p, (size_t)(stop - p));
        p = stop;
        if (status || p == end)
            return status;
    }
}

/* A record with quotes: blanks before one do not count. */
static int split_quoted(Csv *csv, char *p, char *end)
{
    for (;; p++) {
        char *first = p;
        int status;
        while (first < end && is_blank(*first, csv->dialect.delimiter))
            first++;
        if (first < end && *first == '"') {
            p = first + 1;
            status = quoted_cell(csv, &p, end);
        } else {
            char *stop = memchr(p, csv->dialect.delimiter, (size_t)(end - p));
            stop = stop ? stop : end;
            status = add_cell(csv, p, (size_t)(stop - p));
            p = stop;
        }
        if (status || p == end)
            return status;
    }
}

/* Cells between runs of blanks; a record has no empty cell but a quoted one. */
static int split_blanks(Csv *csv, char *p, char *end)
{
    int status = 0;
    while (!status) {
        while (p < end && is_blank(*p, BLANKS))
            p++;
        if (p == end)
            return csv->cells > 0 ? 0 : add_cell(csv, p, 0);
        char *first = p;
        if (*p == '"') {
            p++;
            status = quoted_cell(csv, &p, end);
        } else {
            while (p < end && !is_blank(*p, BLANKS))
                p++;
            status = add_cell(csv, first, (size_t)(p - first));
        }
    }
    return status;
}

static int split(Csv *csv, char *p, char *end)
{
    csv->cells = 0;
    if (csv->dialect.delimiter == BLANKS)
        return split_blanks(csv, p, end);
    return csv->state->quotes ? split_quoted(csv, p, end) : split_plain(csv, p, end);
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

size_t csv_mark(const char *text, size_t size)
{
    return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* At the very start: a byte order mark is no part of the first record. */
static int skip_mark(Csv *csv)
{
    struct CsvState *s = csv->state;
    int status = 0;
    while (!status && !s->ended && s->filled < 3)
        status = fill(csv);
    if (csv_mark(s->buffer, s->filled))
        s->from = 3;
    s->begun = true;
    return status;
}

/* Whether what comes next is a line that is not looked at. */
static int at_skipped_line(Csv *csv, bool *skipped)
{
    struct CsvState *s = csv->state;
    const char *comment = csv->dialect.comment;
    size_t size = comment ? strlen(comment) : 0, seen = 0;
    int status = 0;
    *skipped = s->skip_lines > 0;
    while (!status && !*skipped && seen < size) {
        if (s->from + seen == s->filled && !s->ended)
            status = fill(csv);
        if (status || s->from + seen == s->filled || s->buffer[s->from + seen] != comment[seen])
            return status;
        seen++;
    }
    *skipped |= size > 0;
    return status;
}

/* Steps over lines that are skipped on wish, quotes or not. */
static int skip_lines(Csv *csv)
{
    struct CsvState *s = csv->state;
    for (bool skipped;;) {
        int status = at_skipped_line(csv, &skipped);
        if (status || !skipped)
            return status;
        const char *line_end;
        while (!(line_end = memchr(s->buffer + s->from, '\n', s->filled - s->from)) && !s->ended)
            if ((status = fill(csv)) != 0)
                return status;
        if (!line_end && s->from == s->filled)
            return 0;
        s->from = line_end ? (size_t)(line_end + 1 - s->buffer) : s->filled;
        s->next_line++;
        s->skip_lines -= s->skip_lines > 0;
    }
}

/* Makes the bytes from..size the record: its first byte, and its end without the line's. */
static void take(Csv *csv, size_t size, char **start, char **end)
{
    struct CsvState *s = csv->state;
    *start = s->buffer + s->from;
    *end = *start + size;
    s->from += size;
    csv->line = s->next_line;
    bool line_end = (*end)[-1] == '\n';
    s->next_line += s->quotes ? lines_in(*start, *end) : line_end;
    *end -= line_end;
    if (*end > *start && (*end)[-1] == '\r')
        --*end;
}

/* Finds the next record, or the next line where quotes are to mean nothing. -1 where there is none. */
static int next_bytes(Csv *csv, bool line, char **start, char **end)
{
    struct CsvState *s = csv->state;
    Search search = {0};
    size_t size = 0;
    int status = s->begun ? 0 : skip_mark(csv);
    if (!status && (s->skip_lines > 0 || csv->dialect.comment))
        status = skip_lines(csv);
    while (!status && (size = record_end(s, csv->dialect.delimiter, line, &search)) == SIZE_MAX && !s->ended)
        status = fill(csv);
    if (status)
        return status;
    if (size == SIZE_MAX)
        size = s->filled - s->from;
    if (size == 0)
        return -1;
    s->quotes = search.quotes;
    take(csv, size, start, end);
    return 0;
}

/* The next record (or line) that is not empty. */
static int next_record(Csv *csv, bool line, char **start, char **end)
{
    int status;
    do
        status = next_bytes(csv, line, start, end);
    while (!status && *start == *end);
    return status;
}

/* The first record or the first two tell the delimiter; then they are looked for again, since a delimiter decides what
 * a quote means. */
static int find_delimiter(Csv *csv)
{
    struct CsvState *s = csv->state;
    char *start = NULL, *end = NULL;
    int status = s->begun ? 0 : skip_mark(csv);
    uint64_t line = s->next_line, skip = s->skip_lines;
    s->holding = true;
    s->keep = s->from;
    status = status ? status : next_record(csv, false, &start, &end);
    csv->dialect.delimiter = status ? 0 : named_delimiter(start, (size_t)(end - start));
    if (!status && !csv->dialect.delimiter) {
        size_t first = (size_t)(start - s->buffer) - s->keep, n = (size_t)(end - start);
        status = next_record(csv, false, &start, &end);
        bool one = status < 0;
        if (status <= 0)
            csv->dialect.delimiter =
                guess_delimiter(s->buffer + s->keep + first, n, one ? NULL : start, one ? 0 : (size_t)(end - start));
        status = one ? 0 : status;
    }
    s->holding = false;
    s->from = s->keep;
    s->next_line = line;
    s->skip_lines = skip;
    return status;
}

int csv_next(Csv *csv)
{
    char *start = NULL, *end = NULL;
    csv->cells = 0;
    bool first = csv->line == 0;
    int status = csv->dialect.delimiter ? 0 : find_delimiter(csv);
    if (!status)
        status = next_record(csv, false, &start, &end);
    if (!status && first && named_delimiter(start, (size_t)(end - start)))
        status = next_record(csv, false, &start, &end);
    if (status)
        return status;
    if (memchr(start, 0, (size_t)(end - start)))
        return bad_row(csv->problem, "a NUL byte; this is not text (UTF-16 without a byte order mark can be piped "
                                     "through iconv)");
    return split(csv, start, end);
}

bool csv_ready(const Csv *csv)
{
    return csv->state->from < csv->state->ready;
}

bool csv_is_live(const Csv *csv)
{
    return input_is_live(csv->state->input);
}

int csv_peek(Csv *csv)
{
    struct CsvState *s = csv->state;
    int status = s->begun ? 0 : skip_mark(csv);
    for (size_t seen = 0; !status; seen++) {
        while (!status && s->from + seen == s->filled && !s->ended)
            status = fill(csv);
        if (status || s->from + seen == s->filled)
            return status ? -1 : 0;
        if (!strchr(" \t\r\n", s->buffer[s->from + seen]))
            return (unsigned char)s->buffer[s->from + seen];
    }
    return -1;
}

int csv_line(Csv *csv, char **line, size_t *size)
{
    char *end = NULL;
    int status = next_record(csv, true, line, &end);
    if (status)
        return status;
    *size = (size_t)(end - *line);
    *end = 0;
    return 0;
}

const char *csv_limit(const Csv *csv)
{
    return csv->state->buffer + csv->state->filled + PADDING;
}
