/* Figures for tools/bench: a line of JSON each, appended to the file that the environment's ANB_BENCH_RECORDS names. */
#ifndef ANB_BENCH_RECORD_H
#define ANB_BENCH_RECORD_H

#include <stdio.h>
#include <stdlib.h>

/* `bench` and `name` say what was measured, `unit` in what; less is better. Names hold no quotes or backslashes but
 * those of expressions, which are escaped. */
static inline void bench_record(const char *bench, const char *name, double value, const char *unit)
{
    const char *path = getenv("ANB_BENCH_RECORDS");
    FILE *file = path && *path ? fopen(path, "a") : NULL;
    if (!file)
        return;
    fprintf(file, "{\"bench\": \"%s\", \"name\": \"", bench);
    for (; *name; name++)
        fprintf(file, *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
    fprintf(file, "\", \"value\": %.6g, \"unit\": \"%s\"}\n", value, unit);
    fclose(file);
}

#endif
