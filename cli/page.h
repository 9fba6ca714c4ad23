/* The frame of the report: one self-contained HTML page. */
#ifndef ANB_CLI_PAGE_H
#define ANB_CLI_PAGE_H

#include <stdio.h>

/* Writes the page's head, up to its first section. */
void page_open(FILE *out, const char *title);
/* From behind the last section on; the page's data must have been written as `const D = {...}` in a script. */
void page_close(FILE *out);

#endif
