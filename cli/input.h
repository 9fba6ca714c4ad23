/* Bytes of a file or of standard input as UTF-8 text: unpacked where they are gzip or zstd, turned where they are
 * UTF-16 with a byte order mark. */
#ifndef ANB_CLI_INPUT_H
#define ANB_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Input Input;

/* "-" is standard input. NULL with the message printed (the exit status is BAD_USE). */
Input *input_open(const char *path);
void input_close(Input *input);

/* Reads the available bytes, up to n (at least 8); 0 at the end, -1 with the message printed, or without one where the
 * program has to stop. */
long input_read(Input *input, char *bytes, size_t n);

/* Whether it is a pipe, a terminal or the like, where more may come later, and not a file on a disk. */
bool input_is_live(const Input *input);

#endif
