/*
 * Records of text with delimiters, RFC 4180: quotes, doubled quotes, line ends in quotes; LF or CRLF; a byte order mark
 * is skipped, as are empty lines and comments. Blanks around quotes do not count.
 *
 *     buffer   [ done | the record | what was read ahead | padding ]
 *                       ^cell ^cell        cells point into the buffer until the next record is read
 */
#ifndef ANB_CLI_CSV_H
#define ANB_CLI_CSV_H

#include "dialect.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Cell {
    char *text; /* not ended by 0; blanks around a cell without quotes are in it */
    size_t size;
} Cell;

typedef struct Csv {
    const char *name; /* of the file, for messages */
    uint64_t line;    /* where the record starts, from 1 */
    Cell *cell;       /* of the record */
    size_t cells;
    char *problem;   /* where the reason for BAD_ROW is written; the caller's */
    Dialect dialect; /* the delimiter is set when the first record is read */
    struct CsvState *state;
} Csv;

/* 0, or the exit status with the message printed. `problem` is PROBLEM_SIZE bytes for the reason of BAD_ROW. */
int csv_open(Csv *csv, const char *path, const Dialect *dialect, char *problem);
void csv_close(Csv *csv);

/* The next record: 0; -1 at the end; BAD_ROW with the reason in csv->problem; else the exit status with the complaint
 * made. */
int csv_next(Csv *csv);

/* Whether the next record is read already, so that csv_next will not wait for one. */
bool csv_ready(const Csv *csv);

/* Whether more input may come later: a pipe, not a file. */
bool csv_is_live(const Csv *csv);

/* The first byte of the text that is no blank, without taking it; 0 at the end, -1 with the message printed. */
int csv_peek(Csv *csv);

/* Bytes of the byte order mark that a text begins with: 3, or 0 where it has none. */
size_t csv_mark(const char *text, size_t size);

/* The next line as it stands, without its end, blank lines skipped: 0; -1 at the end; else the exit status. A 0 stands
 * behind it. */
int csv_line(Csv *csv, char **line, size_t *size);

/* How far bytes may be read behind the record's cells. */
const char *csv_limit(const Csv *csv);

#endif
