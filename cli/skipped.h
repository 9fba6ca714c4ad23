/* A file of the rows that could not be used: line, problem, and the row's cells. It is written as the run goes. */
#ifndef ANB_CLI_SKIPPED_H
#define ANB_CLI_SKIPPED_H

#include "table.h"
#include <stdio.h>

/* A cell as CSV has it, in quotes where it must be. */
void csv_put(FILE *file, const char *text, size_t size);

/* 0, or BAD_USE with the message printed; "-" is standard output. */
int skipped_open(FILE **skipped, const char *path);
/* The table's row. NULL: nothing is done. */
void skipped_add(FILE *skipped, const Table *table);
/* 0, or BAD_DATA with the message printed. NULL is fine. */
int skipped_close(FILE *skipped);

#endif
