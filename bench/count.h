/* Counts on the command lines of benchmarks. */
#ifndef ANB_BENCH_COUNT_H
#define ANB_BENCH_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Reads a count: decimal digits and nothing else. False where the text is something else. */
static inline bool count_read(const char *text, size_t *count)
{
    char *end;
    *count = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end;
}

#endif
