/* Learning by number: a sample of a source is learned once. */
#include "sources.h"
#include "model.h"
#include "src/text/given.h"
#include <string.h>

static int grow(StreamingLearner *model, AnbError *error)
{
    const AnbSources *own = anb_sources_of(model);
    size_t n = anb_sources_count(own), capacity = n ? 2 * n : 1;
    if (own && n < own->capacity)
        return 0;
    if (n == ANB_SOURCES_MAX)
        return anb_fail(error, ANB_E_LIMIT, "a model keeps the positions of %d sources, and these are taken",
                        ANB_SOURCES_MAX);
    size_t attached = model->attached ? 0 : sizeof *model->attached;
    if (anb_total_bytes(model) - anb_sources_bytes(own) + anb_sources_size(capacity) + attached >
        model->plan->max_bytes)
        return anb_fail(error, ANB_E_LIMIT,
                        "another source would take the model over its limit of %zu bytes (max_bytes)",
                        model->plan->max_bytes);
    AnbSources *table = anb_attach(model) ? anb_sources_larger(model, capacity) : NULL;
    if (!table)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    anb_sources_free(model);
    model->attached->sources = table;
    return 0;
}

int anb_source_add(StreamingLearner *model, const char *name, size_t n, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return ANB_E_ARGUMENT;
    if (!name || n == 0 || n >= ANB_SOURCE_SIZE || memchr(name, 0, n))
        return anb_fail(error, ANB_E_ARGUMENT, "the name of a source is 1 to %d bytes, none of them 0",
                        ANB_SOURCE_SIZE - 1);
    int index = anb_source_find(model, name, n);
    if (index >= 0)
        return index;
    int code = grow(model, error);
    if (code)
        return code;
    return anb_sources_put(anb_sources_of(model), name, n);
}

/* Whether there is such a source and such a number. */
static bool fits(const StreamingLearner *model, int source, uint64_t n)
{
    return source >= 0 && (size_t)source < anb_sources_count(anb_sources_of(model)) && n != UINT64_MAX;
}

bool anb_source_take(StreamingLearner *model, int source, uint64_t n)
{
    if (!fits(model, source, n) || n < anb_sources_of(model)->source[source].next)
        return false;
    anb_sources_of(model)->source[source].next = n + 1;
    return true;
}

int anb_train_seq(StreamingLearner *model, int source, uint64_t n, const double *x, double y, double weight,
                  double *before)
{
    double prediction = ANB_NAN;
    int code = fits(model, source, n) ? ANB_SEQ_LEARNED : ANB_E_ARGUMENT;
    if (code > 0 && n < anb_sources_of(model)->source[source].next)
        code = ANB_SEQ_REPEATED;
    if (code > 0) {
        prediction = anb_train_one(model, x, y, weight);
        if (prediction != prediction)
            code = ANB_E_INPUT;
        else
            anb_sources_of(model)->source[source].next = n + 1;
    }
    if (before)
        *before = prediction;
    return code;
}
