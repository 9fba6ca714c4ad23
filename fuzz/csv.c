/*
 * Any bytes as a file: the reader, fed in pieces, gives the cells that a plain reading gives, or refuses the file where
 * that does; and what it takes for samples has a number, or a missing value, in each place.
 */
#include "cli/cli.h"
#include "cli/input.h"
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

/* ---- a plain reading: one cell at a time, into a buffer of its own ----------------------------------------------- */

typedef struct Plain {
    const char *p, *end;
    char delimiter;
    char *cell;
    size_t size;
} Plain;

/* Reads the cell at p. 1: another cell follows in the record; 0: the record ends; -1: not allowed. */
static int plain_cell(Plain *plain)
{
    bool quoted = plain->p < plain->end && *plain->p == '"';
    plain->size = 0;
    for (plain->p += quoted; quoted; plain->p++) {
        if (plain->p == plain->end)
            return -1;
        if (*plain->p == '"' && (plain->p + 1 == plain->end || plain->p[1] != '"'))
            break;
        plain->p += *plain->p == '"';
        plain->cell[plain->size++] = *plain->p;
    }
    plain->p += quoted;
    const char *from = plain->p;
    while (plain->p < plain->end && *plain->p != '\n' && *plain->p != plain->delimiter)
        plain->p++;
    bool last = plain->p == plain->end || *plain->p == '\n';
    size_t rest = (size_t)(plain->p - from);
    if (last && rest > 0 && plain->p[-1] == '\r')
        rest--;
    if (quoted && rest > 0)
        return -1;
    memcpy(plain->cell + plain->size, from, quoted ? 0 : rest);
    plain->size += quoted ? 0 : rest;
    plain->p += plain->p < plain->end;
    return !last;
}

/* Lines with nothing in them do not count. */
static void skip_empty(Plain *plain)
{
    for (;;) {
        size_t blank = plain->end - plain->p >= 2 && memcmp(plain->p, "\r\n", 2) == 0 ? 2
                       : plain->end - plain->p >= 1 && *plain->p == '\n'              ? 1
                       : plain->end - plain->p == 1 && *plain->p == '\r'              ? 1
                                                                                      : 0;
        if (blank == 0)
            return;
        plain->p += blank;
    }
}

static void compare_cells(void)
{
    Csv csv;
    Plain plain = {bytes, bytes + n_bytes, 0, malloc(n_bytes + 1), 0};
    if (n_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        plain.p += 3;
    int status = csv_open(&csv, "memory");
    while (!status && (status = csv_next(&csv)) == 0) {
        plain.delimiter = csv.delimiter;
        skip_empty(&plain);
        for (size_t i = 0; i < csv.cells; i++) {
            int more = plain_cell(&plain);
            FUZZ_ASSERT(more == (i + 1 < csv.cells), "cell %zu of %zu: %d", i, csv.cells, more);
            FUZZ_ASSERT(plain.size == csv.cell[i].size && memcmp(plain.cell, csv.cell[i].text, plain.size) == 0,
                        "line %llu, cell %zu differs", (unsigned long long)csv.line, i);
        }
    }
    if (status == -1) {
        skip_empty(&plain);
        FUZZ_ASSERT(plain.p == plain.end, "%zu bytes were not read", (size_t)(plain.end - plain.p));
    }
    FUZZ_ASSERT((status > 0) == (complaints > 0), "status %d, %zu complaints", status, complaints);
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
    complaints = 0;
    compare_cells();
    read_samples(&(RowsOptions){0});
    read_samples(&(RowsOptions){.target = "a", .drop = "b,c"});
    read_samples(&(RowsOptions){.no_target = true, .features = (const char *const[]){"a", "x"}, .n_features = 2});
    return 0;
}
