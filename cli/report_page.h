/* The page that `report` and `serve` show. */
#ifndef ANB_CLI_REPORT_PAGE_H
#define ANB_CLI_REPORT_PAGE_H

#include <stdio.h>

/* Reads the records of `eval --diag` in JSON Lines and writes one page of HTML. `name` is the records' for complaints.
 * 0, or the exit status with the message printed. */
int report_page(FILE *in, const char *name, FILE *out);

#endif
