/* A file that appears whole or not at all: written beside its place, then renamed. */
#ifndef ANB_CLI_OUTPUT_H
#define ANB_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct Output {
    FILE *file;
    const char *path;
    char *temporary; /* NULL where it is written in place: standard output, a device, a pipe */
} Output;

/* "-" is standard output. 0, or BAD_USE with the complaint made. */
int output_open(Output *output, const char *path);

/* Ends it: kept where keep is true and every byte could be written; else nothing is left behind. 0, or BAD_DATA with
 * the complaint made. An output that was never opened (zeroed) is fine. */
int output_close(Output *output, bool keep);

#endif
