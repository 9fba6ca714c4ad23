/* A file that appears whole or not at all: written beside its place, then renamed. Links are followed, and a file that
 * is replaced leaves its permissions to the new one. */
#ifndef ANB_CLI_OUTPUT_H
#define ANB_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct Output {
    FILE *file;
    const char *path;
    char *target;    /* where the path leads; NULL where it is written in place: standard output, a device, a pipe */
    char *temporary; /* beside it, likewise */
} Output;

/**
 * Checks that no output is an input, or the same file as another output.
 *
 * @param outputs, inputs  paths, NULL for those that are not asked for, "-" for standard output and input
 * @return                 0, or BAD_USE with the message printed
 */
int outputs_apart(const char *const *outputs, size_t n, const char *const *inputs, size_t m);

/* A file that is written in place, as the run goes, or standard output. 0, or BAD_USE with the message printed. */
int output_direct(FILE **file, const char *path);
/* 0, or BAD_DATA with the message printed where not all could be written. */
int output_direct_close(FILE *file, const char *name);

/* "-" is standard output. 0, or BAD_USE with the message printed. */
int output_open(Output *output, const char *path);

/* Ends it: kept where keep is true and every byte could be written; else nothing is left behind. 0, or BAD_DATA with
 * the complaint made. An output that was never opened (zeroed) is fine. */
int output_close(Output *output, bool keep);

#endif
