/* The options that say how a table is read: the same for every command that reads one. */
#ifndef ANB_CLI_READING_H
#define ANB_CLI_READING_H

#include "cli.h"
#include "rows.h"

extern const Option reading_table[];

/* Sets what the options say, and leaves the rest of *options. 0, or BAD_USE with the complaint made. */
int reading_options(const Arguments *arguments, RowsOptions *options);

/* Prints the schema of all columns, as --schema reads it. 0, or BAD_DATA with the complaint made. */
int reading_print_schema(const Rows *rows);

/* How tables are read, for --help. */
void reading_help(void);

/* Tells on stderr how many rows were bad, where there were any. */
void reading_summary(const Rows *rows);

#endif
