/*
 * What a model keeps beside the learner: the names of its columns, its target's, and the notes of the snapshot that it
 * came from. All of it lies in one piece of memory, is never changed, and is shared by copies of the model.
 */
#include "kept.h"
#include "model.h"
#include <stdatomic.h>
#include <string.h>

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* Bytes of the texts and values. */
static size_t bytes_of(const AnbSnapshotExtras *e, size_t n_features)
{
    size_t bytes = text_size(e->target);
    for (size_t i = 0; e->features && i < n_features; i++)
        bytes += text_size(e->features[i]);
    for (size_t i = 0; i < e->n_notes; i++)
        bytes += text_size(e->notes[i].key) + e->notes[i].size + 1;
    return bytes;
}

static const char *put(char **at, const void *bytes, size_t size)
{
    const char *start = *at;
    memcpy(*at, bytes, size);
    *at += size;
    return start;
}

static const char *put_text(char **at, const char *text)
{
    return text ? put(at, text, strlen(text) + 1) : NULL;
}

Kept *anb_kept_new(const AnbSnapshotExtras *e, size_t n_features)
{
    size_t names = e->features ? n_features : 0;
    if (names == 0 && !e->target && e->n_notes == 0)
        return NULL;
    size_t lists = names * sizeof(char *) + e->n_notes * sizeof(AnbNote);
    size_t bytes = sizeof(Kept) + lists + bytes_of(e, n_features);
    Kept *kept = RedisModule_Alloc(bytes);
    AnbNote *note = (AnbNote *)(kept + 1);
    const char **name = (const char **)(note + e->n_notes);
    char *at = (char *)(name + names);
    for (size_t i = 0; i < names; i++)
        name[i] = put_text(&at, e->features[i]);
    for (size_t i = 0; i < e->n_notes; i++) {
        note[i] = (AnbNote){put_text(&at, e->notes[i].key), at, e->notes[i].size};
        put(&at, e->notes[i].value, e->notes[i].size);
        put(&at, "", 1);
    }
    *kept = (Kept){.owners = 1, .bytes = bytes};
    kept->extras = (AnbSnapshotExtras){names ? name : NULL, put_text(&at, e->target), note, e->n_notes};
    return kept;
}

Kept *anb_kept_share(Kept *kept)
{
    if (kept)
        atomic_fetch_add(&kept->owners, 1);
    return kept;
}

void anb_kept_drop(Kept *kept)
{
    if (kept && atomic_fetch_sub(&kept->owners, 1) == 1)
        RedisModule_Free(kept);
}

/* ---- the schema of the names ------------------------------------------------------------------------------------- */

static const char *note_of(const AnbSnapshotExtras *e, const char *key)
{
    for (size_t i = 0; i < e->n_notes; i++)
        if (strcmp(e->notes[i].key, key) == 0)
            return e->notes[i].value;
    return NULL;
}

static AnbSchema *of_names(const AnbSnapshotExtras *e, size_t n, const AnbSchemaOptions *options)
{
    AnbColumn *columns = RedisModule_Alloc(n * sizeof *columns);
    for (size_t i = 0; i < n; i++)
        columns[i] = (AnbColumn){.name = e->features[i], .kind = ANB_COLUMN_NUMBER};
    AnbSchema *schema = anb_schema_new(columns, n, options, NULL);
    RedisModule_Free(columns);
    return schema;
}

AnbSchemaOptions anb_schema_options(void)
{
    AnbSchemaOptions options = anb_schema_defaults();
    options.allocator = anb_model_options().allocator;
    return options;
}

/* The schema of the learner, or the one that the program `anabranch` wrote beside a model, or one of numbers by the
 * names; or NULL. */
AnbSchema *anb_kept_schema(const Kept *kept, const StreamingLearner *learner)
{
    AnbSchemaOptions options = anb_schema_options();
    if (anb_model_schema(learner))
        return anb_schema_keep(anb_model_schema(learner));
    const char *text = kept ? note_of(&kept->extras, "schema") : NULL;
    AnbSchema *schema = text ? anb_schema_parse(text, &options, NULL) : NULL;
    if (schema && anb_schema_size(schema) == anb_n_features(learner))
        return schema;
    anb_schema_drop(schema);
    return kept && kept->extras.features ? of_names(&kept->extras, anb_n_features(learner), &options) : NULL;
}
