/*
 * Any bytes as a file: the reader, fed in pieces, gives the cells that a plain reading gives, or refuses the file where
 * that does; and what it takes for samples has a number, or a missing value, in each place.
 */
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "fuzz.h"
#include <math.h>
#include <stdarg.h>

/* ---- what the reader stands on here: bytes in memory, complaints counted ----------------------------------------- */

struct Input {
    size_t at;
};
static const char *bytes;
static size_t n_bytes, piece, complaints;

Input *input_open(const char *path)
{
    (void)path;
    return calloc(1, sizeof(Input));
}

bool input_is_live(const Input *input)
{
    (void)input;
    return piece % 2 == 0;
}

void input_close(Input *input)
{
    free(input);
}

long input_read(Input *input, char *out, size_t n)
{
    size_t left = n_bytes - input->at, got = left < n ? left : n;
    got = got < piece ? got : piece;
    memcpy(out, bytes + input->at, got);
    input->at += got;
    return (long)got;
}

int complain(int status, const char *format, ...)
{
    char text[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    complaints++;
    return status;
}

int output_direct(FILE **file, const char *path)
{
    (void)path;
    *file = fopen("/dev/null", "w");
    return *file ? 0 : BAD_USE;
}

int output_direct_close(FILE *file, const char *name)
{
    (void)name;
    return fclose(file);
}

/* ---- a plain reading: one cell at a time, into a buffer of its own ----------------------------------------------- */

typedef struct Plain {
    const char *p, *end;
    char delimiter;
    char *cell;
    size_t size;
} Plain;

static bool blank(const Plain *plain, const char *p)
{
    return p < plain->end && (*p == ' ' || (*p == '\t' && plain->delimiter != '\t'));
}

/* Whether a record ends at p: at a line end or the end, a carriage return before it apart. */
static bool record_ends(const Plain *plain, const char *p)
{
    p += p < plain->end && *p == '\r' && (p + 1 == plain->end || p[1] == '\n');
    return p == plain->end || *p == '\n';
}

static bool cell_ends(const Plain *plain, const char *p)
{
    return record_ends(plain, p) || (plain->delimiter == ' ' ? blank(plain, p) : *p == plain->delimiter);
}

static void skip_line_end(Plain *plain)
{
    plain->p += plain->p < plain->end && *plain->p == '\r';
    plain->p += plain->p < plain->end;
}

/* What stands between quotes; false where they are never closed. */
static bool plain_quoted(Plain *plain)
{
    for (plain->p++; plain->p < plain->end; plain->p++) {
        if (*plain->p == '"' && (plain->p + 1 == plain->end || plain->p[1] != '"')) {
            plain->p++;
            return true;
        }
        plain->p += *plain->p == '"';
        plain->cell[plain->size++] = *plain->p;
    }
    return false;
}

/* Reads the cell at p. 1: another cell follows in the record; 0: the record ends; -1: not allowed. */
static int plain_cell(Plain *plain)
{
    const char *first = plain->p;
    plain->size = 0;
    while (blank(plain, first))
        first++;
    if (plain->delimiter == ' ' || (first < plain->end && *first == '"'))
        plain->p = first;
    if (plain->p < plain->end && *plain->p == '"') {
        if (!plain_quoted(plain))
            return -1;
        while (plain->delimiter != ' ' && blank(plain, plain->p))
            plain->p++;
        if (!cell_ends(plain, plain->p))
            return -1;
    } else {
        while (!cell_ends(plain, plain->p))
            plain->cell[plain->size++] = *plain->p++;
    }
    for (const char *p = plain->p; plain->delimiter == ' ' && (blank(plain, p) || record_ends(plain, p)); p++) {
        plain->p = p;
        if (record_ends(plain, p))
            break;
    }
    if (record_ends(plain, plain->p)) {
        skip_line_end(plain);
        return 0;
    }
    plain->p++;
    return 1;
}

/* Lines with nothing in them do not count. */
static void skip_empty(Plain *plain)
{
    while (plain->p < plain->end && record_ends(plain, plain->p))
        skip_line_end(plain);
}

/* Lines that begin with the comment are not looked at, quotes in them or not. */
static void skip_comments(Plain *plain, const char *comment)
{
    size_t n = comment ? strlen(comment) : 0;
    skip_empty(plain);
    while (n > 0 && (size_t)(plain->end - plain->p) >= n && memcmp(plain->p, comment, n) == 0) {
        while (plain->p < plain->end && *plain->p != '\n')
            plain->p++;
        plain->p += plain->p < plain->end;
        skip_empty(plain);
    }
}

static void compare_record(Csv *csv, Plain *plain)
{
    for (size_t i = 0; i < csv->cells; i++) {
        int more = plain_cell(plain);
        FUZZ_ASSERT(more == (i + 1 < csv->cells), "cell %zu of %zu: %d", i, csv->cells, more);
        FUZZ_ASSERT(plain->size == csv->cell[i].size && memcmp(plain->cell, csv->cell[i].text, plain->size) == 0,
                    "line %llu, cell %zu differs", (unsigned long long)csv->line, i);
    }
}

/* A line before the header that names the delimiter is no record. */
static void skip_named(Plain *plain)
{
    const char *line_end = plain->p < plain->end ? memchr(plain->p, '\n', (size_t)(plain->end - plain->p)) : NULL;
    const char *stop = line_end ? line_end : plain->end;
    size_t n = (size_t)(stop - plain->p);
    if (named_delimiter(plain->p, n > 0 && stop[-1] == '\r' ? n - 1 : n))
        plain->p = line_end ? line_end + 1 : plain->end;
}

static void compare_cells(const Dialect *dialect)
{
    Csv csv;
    char problem[PROBLEM_SIZE];
    Plain plain = {bytes, bytes + n_bytes, 0, malloc(n_bytes + 1), 0};
    if (n_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        plain.p += 3;
    complaints = 0;
    skip_comments(&plain, dialect->comment);
    skip_named(&plain);
    int status = csv_open(&csv, "memory", dialect, problem);
    while (!status && (status = csv_next(&csv)) == 0) {
        plain.delimiter = csv.dialect.delimiter;
        skip_comments(&plain, dialect->comment);
        compare_record(&csv, &plain);
    }
    if (status == -1) {
        skip_comments(&plain, dialect->comment);
        FUZZ_ASSERT(plain.p == plain.end, "%zu bytes were not read", (size_t)(plain.end - plain.p));
    }
    FUZZ_ASSERT((status > 0 && status != BAD_ROW) == (complaints > 0), "status %d, %zu complaints", status, complaints);
    free(plain.cell);
    csv_close(&csv);
}

static void read_samples(const RowsOptions *options)
{
    Rows rows;
    int status = rows_open(&rows, "memory", options);
    double *x = status ? NULL : malloc(rows.n_features * sizeof *x), y = 0;
    while (!status) {
        for (size_t i = 0; i < rows.n_features; i++)
            x[i] = 12345.25;
        status = rows_next(&rows, x, &y);
    }
    free(x);
    rows_close(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 << 20)
        return 0;
    piece = data[0] & 1 ? 1 + data[0] / 2u : (size_t)1 << 20;
    bytes = (const char *)data + 1;
    n_bytes = size - 1;
    compare_cells(&(Dialect){0});
    compare_cells(&(Dialect){.comment = "#"});
    compare_cells(&(Dialect){.delimiter = BLANKS});
    compare_cells(&(Dialect){.delimiter = '\t', .comment = "a,"});
    read_samples(&(RowsOptions){0});
    read_samples(&(RowsOptions){.kind = {[ANB_COLUMN_CATEGORY] = "a", [ANB_COLUMN_TIME] = "b"}, .names = true});
    read_samples(&(RowsOptions){.target = "a", .ignore = "b,c", .on_bad = BAD_IS_MISSING});
    read_samples(&(RowsOptions){.table = {.no_header = true, .skip_rows = 1},
                                .cells = {.decimal = ',', .thousands = '.', .missing = "-9,x"},
                                .on_bad = SKIP_BAD,
                                .bad_rows = "memory"});
    read_samples(&(RowsOptions){
        .no_target = true, .missing_columns = true, .features = (const char *const[]){"a", "x"}, .n_features = 2});
    return 0;
}
