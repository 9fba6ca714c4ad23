/* Numbered samples: how far each source of a model has got. */
#include "sources.h"
#include "model.h"

static size_t count_of(const StreamingLearner *model)
{
    return model->sources ? model->sources->n : 0;
}

int anb_source_find(const StreamingLearner *model, const char *name, size_t n)
{
    for (size_t i = 0; i < count_of(model); i++) {
        const char *known = model->sources->source[i].name;
        if (n < ANB_SOURCE_SIZE && memcmp(known, name, n) == 0 && known[n] == 0)
            return (int)i;
    }
    return ANB_E_UNKNOWN;
}

size_t anb_sources(const StreamingLearner *model, const AnbSource **sources)
{
    if (sources)
        *sources = model->sources ? model->sources->source : NULL;
    return count_of(model);
}

/* A table with room for so many, with what the model's own holds; its own stays. */
static AnbSources *larger(const StreamingLearner *model, size_t capacity)
{
    const AnbPlan *plan = model->plan;
    size_t size = sizeof(AnbSources) + capacity * sizeof(AnbSource), old = anb_sources_bytes(model->sources);
    AnbSources *table = plan->allocator.alloc(size, plan->allocator.context);
    if (!table)
        return NULL;
    memset(table, 0, size);
    if (model->sources)
        memcpy(table, model->sources, old < size ? old : size);
    table->capacity = capacity;
    return table;
}

static int grow(StreamingLearner *model, AnbError *error)
{
    size_t n = count_of(model), capacity = n ? 2 * n : 1;
    if (model->sources && n < model->sources->capacity)
        return 0;
    if (n == ANB_SOURCES_MAX)
        return anb_fail(error, ANB_E_LIMIT, "a model keeps the positions of %d sources, and these are taken",
                        ANB_SOURCES_MAX);
    if (anb_total_bytes(model) + (capacity - n) * sizeof(AnbSource) > model->plan->max_bytes)
        return anb_fail(error, ANB_E_LIMIT, "another source would take the model over its limit of %zu bytes",
                        model->plan->max_bytes);
    AnbSources *table = larger(model, capacity);
    if (!table)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    anb_sources_free(model);
    model->sources = table;
    return 0;
}

int anb_source_add(StreamingLearner *model, const char *name, size_t n, AnbError *error)
{
    if (!name || n == 0 || n >= ANB_SOURCE_SIZE || memchr(name, 0, n))
        return anb_fail(error, ANB_E_ARGUMENT, "the name of a source is 1 to %d bytes, none of them 0",
                        ANB_SOURCE_SIZE - 1);
    int index = anb_source_find(model, name, n);
    if (index >= 0)
        return index;
    int code = grow(model, error);
    if (code)
        return code;
    AnbSource *added = &model->sources->source[model->sources->n];
    memcpy(added->name, name, n);
    return (int)model->sources->n++;
}

/* Whether there is such a source and such a number. */
static bool fits(const StreamingLearner *model, int source, uint64_t n)
{
    return source >= 0 && (size_t)source < count_of(model) && n != UINT64_MAX;
}

bool anb_source_take(StreamingLearner *model, int source, uint64_t n)
{
    if (!fits(model, source, n) || n < model->sources->source[source].next)
        return false;
    model->sources->source[source].next = n + 1;
    return true;
}

int anb_train_seq(StreamingLearner *model, int source, uint64_t n, const double *x, double y, double weight,
                  double *before)
{
    double said = ANB_NAN;
    int code = fits(model, source, n) ? ANB_SEQ_LEARNED : ANB_E_ARGUMENT;
    if (code > 0 && n < model->sources->source[source].next)
        code = ANB_SEQ_REPEATED;
    if (code > 0) {
        said = anb_train_one(model, x, y, weight);
        if (said != said)
            code = ANB_E_INPUT;
        else
            model->sources->source[source].next = n + 1;
    }
    if (before)
        *before = said;
    return code;
}

/* ---- copies and comparisons -------------------------------------------------------------------------------------- */

int anb_sources_copy(const StreamingLearner *model, StreamingLearner *copy)
{
    anb_sources_free(copy);
    if (model->sources)
        copy->sources = larger(model, model->sources->capacity);
    return model->sources && !copy->sources ? ANB_E_MEMORY : 0;
}

void anb_sources_free(StreamingLearner *model)
{
    if (model->sources)
        model->plan->allocator.free(model->sources, model->plan->allocator.context);
    model->sources = NULL;
}

/* A source that was added and brought nothing is as one that is not there. */
static bool covers(const StreamingLearner *a, const StreamingLearner *b)
{
    for (size_t i = 0; i < count_of(a); i++) {
        const AnbSource *mine = &a->sources->source[i];
        int at = anb_source_find(b, mine->name, strlen(mine->name));
        if (mine->next != (at < 0 ? 0 : b->sources->source[at].next))
            return false;
    }
    return true;
}

bool anb_sources_equal(const StreamingLearner *a, const StreamingLearner *b)
{
    return covers(a, b) && covers(b, a);
}
