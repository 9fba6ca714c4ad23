#include "model.h"
#include "reading.h"
#include "show.h"
#include <stdlib.h>
#include <string.h>

/* The expression as the model gets it; the caller's to free. */
static char *complete(const char *learner, const ModelOptions *options)
{
    char *text = strdup(learner);
    if (!text || !options->interval || strstr(text, "interval("))
        return text;
    size_t size = strlen(text) + strlen(options->interval) + 40;
    char *more = malloc(size);
    if (more)
        snprintf(more, size, "interval(%s, coverage=[%s])", text, options->interval);
    free(text);
    return more;
}

/* Shares with commas between; NULL: none. */
static int check_coverages(const char *text)
{
    char *end;
    for (const char *p = text; p; p = *end ? end + 1 : NULL) {
        double coverage = strtod(p, &end);
        if (end == p || (*end && *end != ',') || !(coverage > 0 && coverage < 1))
            return complain(BAD_USE, "--interval takes a coverage like 0.9, not \"%s\"", text);
    }
    return 0;
}

/* Prints the memory of a large model. */
static void announce(const StreamingLearner *model, const char *text, const Rows *rows)
{
    const size_t large = (size_t)200 << 20, all = anb_total_bytes(model);
    char bytes[SHOW_SIZE];
    if (all > large)
        fprintf(stderr, "anabranch: %.100s over %zu features takes %s\n", text, rows->n_features,
                show_bytes(all, bytes));
}

int model_new(const Rows *rows, const ModelOptions *options, StreamingLearner **model)
{
    AnbError error = {0};
    AnbModelOptions how = anb_model_defaults();
    how.late = rows->has_after;
    int status = count_option("seed", options->seed, 0, UINT64_MAX, &how.seed);
    status = status ? status : check_coverages(options->interval);
    if (status)
        return status;
    char *text = complete(options->learner ? options->learner : default_learner(), options);
    if (!text)
        return complain(BAD_DATA, "out of memory");
    *model = anb_parse_schema(rows->schema, text, &how, &error);
    if (*model)
        announce(*model, text, rows);
    else
        status = complain_of_expression(&error, text);
    free(text);
    return status;
}

int model_start(Rows *rows, const Arguments *a, const RowsOptions *columns, StreamingLearner **model)
{
    ModelOptions options = {option_value(a, "learner"), option_value(a, "seed"), option_value(a, "interval")};
    int status = rows_open(rows, a->operand[0], columns);
    if (!status && option_value(a, "print-schema"))
        return reading_print_schema(rows);
    return status ? status : model_new(rows, &options, model);
}

int model_use_threads(StreamingLearner *model, const char *threads)
{
    AnbError error = {0};
    uint64_t n = 1;
    int status = count_option("threads", threads, 0, ANB_POOL_THREADS_MAX, &n);
    if (status || n == 1)
        return status;
    return anb_use_threads(model, (size_t)n, &error) ? complain(BAD_DATA, "--threads %s: %s", threads, error.message)
                                                     : 0;
}
