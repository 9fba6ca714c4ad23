/*
 * Records of comma-, semicolon- or tab-separated text, RFC 4180: quotes, doubled quotes, line ends in quotes; LF or
 * CRLF; a byte order mark is skipped, as are empty lines. The delimiter is the one that the first record has most of.
 *
 *     buffer   [ done | the record | what was read ahead | padding ]
 *                       ^cell ^cell        cells point into the buffer until the next record is read
 */
#ifndef ANB_CLI_CSV_H
#define ANB_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Cell {
    char *text; /* not ended by 0 */
    size_t size;
} Cell;

typedef struct Csv {
    const char *name; /* of the file, for messages */
    uint64_t line;    /* where the record starts, from 1 */
    Cell *cell;       /* of the record */
    size_t cells;
    char delimiter;
    struct CsvState *state;
} Csv;

/* 0, or the exit status with the complaint made. */
int csv_open(Csv *csv, const char *path);
void csv_close(Csv *csv);

/* The next record: 0; -1 at the end; else the exit status with the complaint made. */
int csv_next(Csv *csv);

/* Reads a cell as one decimal number. */
bool csv_number(const Csv *csv, const Cell *cell, double *value);

#endif
