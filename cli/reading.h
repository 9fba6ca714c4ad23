/* The options for reading a table, which all commands that read one share. */
#ifndef ANB_CLI_READING_H
#define ANB_CLI_READING_H

#include "cli.h"
#include "rows.h"

extern const Option reading_table[];

/* Sets the members of *options from the arguments; others are unchanged. 0, or BAD_USE with the message printed. */
int reading_options(const Arguments *arguments, RowsOptions *options);

/* Prints the schema of all columns, as --schema reads it. 0, or BAD_DATA with the message printed. */
int reading_print_schema(const Rows *rows);

/* How tables are read, for --help. */
void reading_help(void);

/* Tells why no row was read, and what follows from that. Returns the status. */
int reading_nothing(int status, const Rows *rows, const Arguments *arguments, const char *so);

/* Prints on stderr how many rows were bad, if any. */
void reading_summary(const Rows *rows);

#endif
