/* JSON Lines: an object a line, columns by key. By jansson; without it the format is named and refused. */
#ifndef ANB_CLI_JSONL_H
#define ANB_CLI_JSONL_H

#include "table.h"

typedef struct Jsonl Jsonl;

/* Reads the first line: its keys are the columns. `first` is the first byte of the text. 0, or the exit status. */
int jsonl_open(Jsonl **json, Table *table, int first);
void jsonl_close(Jsonl *json);

/* The next object as the table's row: 0; -1 at the end; else the exit status with the message printed. Missing keys and
 * null are empty cells; keys that the first line does not have are counted, with one warning. */
int jsonl_next(Jsonl *json, Table *table);

#endif
