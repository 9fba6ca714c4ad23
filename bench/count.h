/* Counts on the command lines of benchmarks. */
#ifndef ANB_BENCH_COUNT_H
#define ANB_BENCH_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads a count: decimal digits and nothing else. False where the text is something else. */
static inline bool count_read(const char *text, size_t *count)
{
    char *end;
    *count = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end;
}

/* The count that an option or operand holds; ends the program where it holds none, or one below `least`. */
static inline size_t count_of(const char *name, const char *text, size_t least)
{
    size_t count;
    if (count_read(text, &count) && count >= least)
        return count;
    fprintf(stderr, "%s: '%s' is no count from %zu on, in digits alone\n", name, text, least);
    exit(2);
}

/* Ends the program: it has no such option. */
static inline _Noreturn void option_unknown(const char *name, const char *known)
{
    fprintf(stderr, "%s: no such option; there are %s\n", name, known);
    exit(2);
}

#endif
