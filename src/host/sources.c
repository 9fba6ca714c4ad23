/* Numbered samples: how far each source of a model has got. */
#include "sources.h"
#include "model.h"

/* The last byte first: it is where the names of partitions differ. Known names have no byte 0 but behind them. */
int anb_source_find(const StreamingLearner *model, const char *name, size_t n)
{
    size_t count = n > 0 && n < ANB_SOURCE_SIZE && name[n - 1] ? anb_sources_count(model->sources) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *known = model->sources->source[i].name;
        if (known[n] == 0 && known[n - 1] == name[n - 1] && memcmp(known, name, n) == 0)
            return (int)i;
    }
    return ANB_E_UNKNOWN;
}

size_t anb_sources(const StreamingLearner *model, const AnbSource **sources)
{
    if (sources)
        *sources = model->sources ? model->sources->source : NULL;
    return anb_sources_count(model->sources);
}

/* ---- copies and comparisons -------------------------------------------------------------------------------------- */

AnbSources *anb_sources_larger(const StreamingLearner *model, size_t capacity)
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

int anb_sources_copy(const StreamingLearner *model, StreamingLearner *copy)
{
    anb_sources_free(copy);
    if (model->sources)
        copy->sources = anb_sources_larger(model, model->sources->capacity);
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
    for (size_t i = 0; i < anb_sources_count(a->sources); i++) {
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
