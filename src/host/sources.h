/*
 * The table of sources of a model: allocated with its first source, never moved with the model's own memory.
 */
#ifndef ANB_HOST_SOURCES_H
#define ANB_HOST_SOURCES_H

#include <anabranch/sequence.h>

/* Behind the sources lie the places of a hash table of their names, two for each that there is room for. */
typedef struct AnbSources {
    size_t n, capacity; /* capacity: a power of two */
    AnbSource source[];
} AnbSources;

/* Bytes of a table with room for so many. */
static inline size_t anb_sources_size(size_t capacity)
{
    return sizeof(AnbSources) + capacity * (sizeof(AnbSource) + 2);
}

static inline size_t anb_sources_bytes(const AnbSources *sources)
{
    return sources ? anb_sources_size(sources->capacity) : 0;
}

/* How many it has; NULL: none. */
static inline size_t anb_sources_count(const AnbSources *sources)
{
    return sources ? sources->n : 0;
}

/* A larger table with the contents of the model's, which is not freed. NULL where memory is out. */
AnbSources *anb_sources_larger(const StreamingLearner *model, size_t capacity);
/* Adds a source that is not there, where there is room. Its index. */
int anb_sources_put(AnbSources *sources, const char *name, size_t n);
/* Gives the copy the sources of the model. 0 or ANB_E_MEMORY. */
int anb_sources_copy(const StreamingLearner *model, StreamingLearner *copy);
/* Frees the table, which is as having no source. */
void anb_sources_free(StreamingLearner *model);
/* Whether both know the same sources at the same positions, in any order. */
bool anb_sources_equal(const StreamingLearner *a, const StreamingLearner *b);

#endif
