/* Bytes of a file or of standard input, unpacked where they are gzip (with zlib). */
#ifndef ANB_CLI_INPUT_H
#define ANB_CLI_INPUT_H

#include <stddef.h>

typedef struct Input Input;

/* "-" is standard input. NULL with the complaint made (the exit status is BAD_USE). */
Input *input_open(const char *path);
void input_close(Input *input);

/* As many bytes as there are, up to n; 0 at the end, -1 with the complaint made, or without one where the program
 * was asked to stop. */
long input_read(Input *input, char *bytes, size_t n);

#endif
