/* The known name that is nearest to an unknown word, for messages. */
#ifndef ANB_CLI_NEAREST_H
#define ANB_CLI_NEAREST_H

#include <stddef.h>

enum { HINT_SIZE = 80 };

typedef struct Nearest {
    const char *word;
    const char *name; /* the nearest so far, or NULL */
    size_t distance;
} Nearest;

/* Counts a known name. */
void nearest_try(Nearest *nearest, const char *name);

/* ` (did you mean "NAME"?)` where a name is near enough, else "". */
const char *nearest_hint(const Nearest *nearest, char hint[HINT_SIZE]);

#endif
