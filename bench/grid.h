/* Options of benchmarks that run expressions over seeds: --rows N, --seeds N, --jobs N and the expressions. */
#ifndef ANB_BENCH_GRID_H
#define ANB_BENCH_GRID_H

#include "count.h"
#include <string.h>

enum { GRID_EXPRESSIONS = 32 };

typedef struct Grid {
    size_t rows, seeds, jobs, n_expressions; /* the first three set to their defaults before grid_read */
    const char *expressions[GRID_EXPRESSIONS];
} Grid;

static inline bool grid_option(Grid *grid, const char *name, const char *value)
{
    size_t *at = strcmp(name, "--rows") == 0    ? &grid->rows
                 : strcmp(name, "--seeds") == 0 ? &grid->seeds
                 : strcmp(name, "--jobs") == 0  ? &grid->jobs
                                                : NULL;
    return at && count_read(value, at) && *at > 0;
}

/* Reads the command line. An option that it does not know goes to `other` where that is not NULL. Whether all were
 * right. */
static inline bool grid_read(Grid *grid, int argc, char **argv,
                             bool (*other)(void *context, const char *name, const char *value), void *context)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' && grid->n_expressions < GRID_EXPRESSIONS)
            grid->expressions[grid->n_expressions++] = argv[i];
        else if (i + 1 < argc &&
                 (grid_option(grid, argv[i], argv[i + 1]) || (other && other(context, argv[i], argv[i + 1]))))
            i++;
        else
            return false;
    }
    return true;
}

#endif
