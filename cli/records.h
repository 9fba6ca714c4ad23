/*
 * The records of `eval --diag`: up to 800 are kept; where there are more, every second one is dropped and the stride
 * doubles. The last RECORDS_TAIL are kept as well.
 */
#ifndef ANB_CLI_RECORDS_H
#define ANB_CLI_RECORDS_H

#include "record.h"
#include <stdint.h>
#include <stdio.h>

enum { RECORDS_KEPT = 800, RECORDS_TAIL = 160 };

typedef struct Records {
    Record point[RECORDS_KEPT], last, summary;
    Record tail[RECORDS_TAIL]; /* the last ones, all of them */
    size_t n, n_tail;
    uint64_t lines, stride;
} Records;

/* Opens a file of records, `-` for standard input: 0, or BAD_USE with the message printed. */
int records_open(FILE **file, const char *path);
/* Reads JSON Lines to their end; starts zeroed. 0, or BAD_DATA with the message printed; free it in both cases. */
int records_read(Records *all, FILE *file, const char *name);
void records_free(Records *all);

#endif
