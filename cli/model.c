#include "model.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>

/* The kinds of the features in runs, 3n c 2t: up to 24 bytes a run. The caller's to free. */
static char *kinds_of(const AnbSchema *schema)
{
    static const char letters[] = "nckntx"; /* by AnbColumnKind */
    size_t n = anb_schema_size(schema), size = 0;
    const AnbColumn *column = anb_schema_columns(schema);
    char *text = malloc(24 * n + 1);
    for (size_t i = 0, run; text && i < n; i += run) {
        char letter = letters[column[i].kind];
        for (run = 1; i + run < n && letters[column[i + run].kind] == letter; run++)
            continue;
        size += run > 1 ? (size_t)snprintf(text + size, 24, "%s%zu%c", i > 0 ? " " : "", run, letter)
                        : (size_t)snprintf(text + size, 24, "%s%c", i > 0 ? " " : "", letter);
    }
    return text;
}

/* The expression with the kinds in its `columns`; the caller's to free, NULL where there is no memory. */
static char *with_kinds(const char *learner, const char *has, const AnbSchema *schema)
{
    char *kinds = kinds_of(schema);
    size_t size = strlen(learner) + (kinds ? strlen(kinds) : 0) + 64;
    char *text = kinds ? malloc(size) : NULL;
    if (text)
        snprintf(text, size, "%.*skinds=\"%s\", %s", (int)(has - learner) + 8, learner, kinds, has + 8);
    free(kinds);
    return text;
}

/* The expression as the model gets it; the caller's to free. */
static char *complete(const char *learner, const ModelOptions *options, const AnbSchema *schema)
{
    const char *has = strstr(learner, "columns(");
    bool wanted = has && anb_schema_is_typed(schema) && !strstr(learner, "kinds=");
    char *text = wanted ? with_kinds(learner, has, schema) : strdup(learner);
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

int model_new(const Rows *rows, const ModelOptions *options, StreamingLearner **model)
{
    AnbError error = {0};
    AnbModelOptions how = anb_model_defaults();
    how.late = rows->has_after;
    int status = count_option("seed", options->seed, 0, UINT64_MAX, &how.seed);
    status = status ? status : check_coverages(options->interval);
    if (status)
        return status;
    char *text = complete(options->learner ? options->learner : default_learner(), options, rows->schema);
    if (!text)
        return complain(BAD_DATA, "out of memory");
    /* A `columns` of the caller's stands where the caller wants it. */
    *model = strstr(text, "columns(") ? anb_parse(rows->n_features, text, &how, &error)
                                      : anb_parse_schema(rows->schema, text, &how, &error);
    if (!*model)
        status = complain_of_expression(&error, text);
    free(text);
    return status;
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
