/* anabranch generate: synthetic streams, see friedman.c and streams.c. */
#include "cli.h"
#include "output.h"
#include "streams.h"
#include <string.h>

static const Option options[] = {
    {0, "drift", "KIND", "none (the default); of friedman gra, gsg or lea; of hyperplane walk"},
    {'n', "rows", "N", "how many rows; default 10000"},
    {0, "seed", "S", "default 1"},
    {'o', "output", "OUT.csv", "the output file; default: standard output"},
    {0}};

static const Stream *const streams[] = {&stream_friedman, &stream_hyperplane, &stream_mv, &stream_planes,
                                        &stream_sensors};
enum { N_STREAMS = sizeof streams / sizeof *streams };

static const Stream *find(const char *name)
{
    for (size_t i = 0; i < N_STREAMS; i++)
        if (strcmp(streams[i]->name, name) == 0)
            return streams[i];
    return NULL;
}

static void write_rows(const Stream *stream, FILE *file, const char *drift, uint64_t rows, uint64_t seed)
{
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, seed);
    stream->header(file);
    for (uint64_t i = 0; i < rows && !ferror(file); i++)
        stream->row(file, &(StreamPlace){drift, (double)i / (double)rows, i}, rng);
    gsl_rng_free(rng);
}

static int run_generate(const Arguments *a)
{
    uint64_t rows = 10000, seed = 1;
    Output output = {0};
    const char *drift = option_value(a, "drift") ? option_value(a, "drift") : "none";
    const Stream *stream = find(a->operand[0]);
    if (!stream)
        return complain(BAD_USE,
                        "generate: unknown stream \"%s\"; there are: friedman, hyperplane, mv, planes, sensors",
                        a->operand[0]);
    if (stream->start(drift))
        return complain(BAD_USE, "generate: --drift of %s takes %s, not \"%s\"", stream->name, stream->drifts, drift);
    int status = count_option("rows", option_value(a, "rows"), 1, (uint64_t)1 << 40, &rows);
    status = status ? status : count_option("seed", option_value(a, "seed"), 0, UINT32_MAX, &seed);
    status = status ? status : output_open(&output, option_value(a, "output") ? option_value(a, "output") : "-");
    if (status)
        return status;
    write_rows(stream, output.file, drift, rows, seed);
    return output_close(&output, true);
}

static void more_help(void)
{
    printf("\n  friedman    Friedman 1991: smooth, 5 of 10 features matter; with drifts of Ikonomovska et al. 2011\n"
           "  hyperplane  linear, weights that walk with --drift walk\n"
           "  mv          attributes that depend on one another, categories among them (Torgo)\n"
           "  planes      two planes, 7 of 10 features matter (Breiman et al. 1984)\n"
           "  sensors     times, names, missing cells, glitches, and a column `late` for --label-after\n");
}

const Command command_generate = {
    "generate", "write a synthetic stream, with or without drifts, as CSV", "STREAM", options, 1, 1, run_generate,
    more_help};
