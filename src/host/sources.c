/* Numbered samples: the positions of a model's sources. */
#include "sources.h"
#include "model.h"

/* ---- by name ----------------------------------------------------------------------------------------------------- */

/* Stored names contain no 0 and end with one. */
static bool is_named(const AnbSource *source, const char *name, size_t n)
{
    const char *end = source->name + n;
    return end[-1] && !*end && memcmp(source->name, name, n) == 0;
}

/* A hash of the last eight bytes, in which names of partitions differ. It depends on the byte order of the machine, but
 * is never saved. */
static size_t hash(const char *name, size_t n)
{
    uint64_t word = n;
    if (n >= sizeof word)
        memcpy(&word, name + n - sizeof word, sizeof word);
    else
        for (size_t i = 0; i < n; i++)
            word = word << 8 | (unsigned char)name[i];
    return (size_t)(word * 0x9e3779b97f4a7c15U >> 56); /* Knuth: 2^64 over the golden ratio */
}

/* The place that holds one more than the index of a name's source; 0 where there is none. At most half of them are
 * taken. */
static uint8_t *place_of(const AnbSources *sources, const char *name, size_t n)
{
    uint8_t *places = (uint8_t *)(uintptr_t)(sources->source + sources->capacity);
    size_t last = 2 * sources->capacity - 1, at = hash(name, n) & last;
    while (places[at] && !is_named(&sources->source[places[at] - 1], name, n))
        at = (at + 1) & last;
    return &places[at];
}

int anb_source_find(const StreamingLearner *model, const char *name, size_t n)
{
    if (!model || !name)
        return ANB_E_ARGUMENT;
    const AnbSources *own = anb_sources_of(model);
    if (!own || n == 0 || n >= ANB_SOURCE_SIZE)
        return ANB_E_UNKNOWN;
    int place = *place_of(own, name, n);
    return place ? place - 1 : ANB_E_UNKNOWN;
}

int anb_sources_put(AnbSources *sources, const char *name, size_t n)
{
    AnbSource *added = &sources->source[sources->n++];
    *place_of(sources, name, n) = (uint8_t)sources->n;
    memcpy(added->name, name, n);
    return (int)sources->n - 1;
}

size_t anb_sources(const StreamingLearner *model, const AnbSource **sources)
{
    const AnbSources *own = anb_sources_of(model);
    if (sources)
        *sources = own ? own->source : NULL;
    return anb_sources_count(own);
}

/* ---- copies and comparisons -------------------------------------------------------------------------------------- */

AnbSources *anb_sources_larger(const StreamingLearner *model, size_t capacity)
{
    const AnbPlan *plan = model->plan;
    const AnbSources *own = anb_sources_of(model);
    size_t size = anb_sources_size(capacity), n = anb_sources_count(own);
    AnbSources *table = plan->allocator.alloc(size, plan->allocator.context);
    if (!table)
        return NULL;
    memset(table, 0, size);
    table->capacity = capacity;
    for (size_t i = 0; i < n && i < capacity; i++) {
        const AnbSource *known = &own->source[i];
        anb_sources_put(table, known->name, strlen(known->name));
        table->source[i].next = known->next;
    }
    return table;
}

int anb_sources_copy(const StreamingLearner *model, StreamingLearner *copy)
{
    const AnbSources *own = anb_sources_of(model);
    anb_sources_free(copy);
    if (!own)
        return 0;
    AnbAttached *to = anb_attach(copy);
    if (to)
        to->sources = anb_sources_larger(model, own->capacity);
    return to && to->sources ? 0 : ANB_E_MEMORY;
}

void anb_sources_free(StreamingLearner *model)
{
    AnbSources *own = anb_sources_of(model);
    if (!own)
        return;
    model->plan->allocator.free(own, model->plan->allocator.context);
    model->attached->sources = NULL;
}

/* Whether b has all positions of a. A source from which nothing was learned counts as absent. */
static bool covers(const StreamingLearner *a, const StreamingLearner *b)
{
    for (size_t i = 0; i < anb_sources_count(anb_sources_of(a)); i++) {
        const AnbSource *mine = &anb_sources_of(a)->source[i];
        int at = anb_source_find(b, mine->name, strlen(mine->name));
        if (mine->next != (at < 0 ? 0 : anb_sources_of(b)->source[at].next))
            return false;
    }
    return true;
}

bool anb_sources_equal(const StreamingLearner *a, const StreamingLearner *b)
{
    return covers(a, b) && covers(b, a);
}
