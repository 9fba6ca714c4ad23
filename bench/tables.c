/*
 * Test, then train, over tables of typed columns: what the kinds of the columns are worth.
 *
 *     tables EXPRESSION SCHEMA FILE      the columns of FILE, a CSV file with a header, but for the last, the target
 *
 * Prints rows, mae, rmse, r2 and microseconds a row. Cells are split at commas, quotes are understood.
 */
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 16, CELLS_MAX = 4096 };

/* Splits a line in place; returns the cells. */
static size_t split(char *line, AnbCell *cells)
{
    size_t n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; n < CELLS_MAX; at++) {
        char *to = at, *start = at;
        bool quoted = *at == '"';
        for (at += quoted; *at && (quoted || *at != ','); at++) {
            if (quoted && *at == '"' && *++at != '"')
                quoted = false;
            if (!quoted && (*at == ',' || !*at))
                break;
            *to++ = *at;
        }
        cells[n++] = (AnbCell){start, (size_t)(to - start)};
        if (!*at)
            return n;
    }
    return n;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "tables: %s: %s\n", what, why);
    return 1;
}

static int run(StreamingLearner *model, const AnbSchema *schema, FILE *file, const char *path)
{
    static char line[LINE_MAX_BYTES];
    static AnbCell cells[CELLS_MAX];
    static double x[CELLS_MAX];
    size_t n = anb_schema_size(schema);
    AnbScore *score = anb_score_new(NULL);
    AnbError error;
    double y, used = 0;
    while (fgets(line, sizeof line, file)) {
        size_t found = split(line, cells);
        if (found != n + 1 || anb_number_parse_all(cells[n].text, cells[n].size, &y))
            return fail(path, "a row of another length, or without a target");
        if (anb_schema_row(schema, cells, n, x, &error))
            return fail(path, error.message);
        double start = bench_now();
        double f = anb_train_one(model, x, y, 1);
        used += bench_now() - start;
        anb_observe(anb_score_observer(score), NULL, NULL, y, f);
    }
    AnbScoreReport report;
    anb_score_report(score, &report);
    printf("%s\t%llu\t%.6g\t%.6g\t%.6g\t%.2f\n", path, (unsigned long long)report.n, report.mae, report.rmse, report.r2,
           used / 1e3 / (double)report.n);
    anb_score_free(score);
    return 0;
}

int main(int argc, char **argv)
{
    static char header[LINE_MAX_BYTES];
    AnbError error;
    if (argc != 4)
        return fail("use", "tables EXPRESSION SCHEMA FILE");
    FILE *file = fopen(argv[3], "r");
    if (!file || !fgets(header, sizeof header, file))
        return fail(argv[3], "cannot be read");
    AnbSchema *schema = anb_schema_parse(argv[2], NULL, &error);
    if (!schema)
        return fail("schema", error.message);
    StreamingLearner *model = anb_parse_schema(schema, argv[1], NULL, &error);
    if (!model)
        return fail(argv[1], error.message);
    int code = run(model, schema, file, argv[3]);
    anb_free(model);
    anb_schema_drop(schema);
    fclose(file);
    return code;
}
