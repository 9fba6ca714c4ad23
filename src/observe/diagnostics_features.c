/* The diagnostics' metrics of features: their names, and the importances that an observer inside keeps. */
#include "diagnostics.h"
#include <stdio.h>

enum { COMPARED = 1024 /* features, beyond which every name has its index behind */, INDEX = 24 };

/* The name of a feature; `x1` and so on, in `room`, where it has none. */
static const char *given_name(const char *const *names, const AnbSchema *schema, size_t i, char *room)
{
    const char *name = names ? names[i] : schema ? anb_schema_columns(schema)[i].name : NULL;
    if (name && *name)
        return name;
    snprintf(room, INDEX, "x%zu", i + 1);
    return room;
}

static bool is_shared(const char *const *names, const AnbSchema *schema, size_t i, size_t n)
{
    char one[INDEX], two[INDEX];
    const char *name = given_name(names, schema, i, one);
    bool shared = n > COMPARED;
    for (size_t j = 0; j < n && !shared; j++)
        shared = j != i && strcmp(given_name(names, schema, j, two), name) == 0;
    return shared;
}

/* The names behind their places, each ended by 0. */
int anb_feature_names_keep(AnbDiagnostics *d, const StreamingLearner *model, AnbError *error)
{
    const char *const *names = d->options.features;
    const AnbSchema *schema = anb_model_schema(model);
    char room[INDEX];
    size_t n = d->n_features, size = n * sizeof(char *);
    for (size_t i = 0; i < n; i++)
        size += strlen(given_name(names, schema, i, room)) + INDEX;
    d->names = d->allocator.alloc(size, d->allocator.context);
    if (!d->names)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    char *at = (char *)(d->names + n);
    for (size_t i = 0; i < n; i++) {
        const char *name = given_name(names, schema, i, room);
        d->names[i] = at;
        at = stpcpy(at, name);
        if (is_shared(names, schema, i, n))
            at += snprintf(at, INDEX, "_%zu", i + 1);
        at++;
    }
    d->options.features = NULL; /* the caller's: copied */
    return 0;
}

const char *anb_diagnostics_feature(const AnbDiagnostics *d, size_t i)
{
    return d->names ? d->names[i] : NULL;
}

void anb_derive_features(AnbDiagnostics *d)
{
    double *value = d->values + d->offset[ANB_METRIC_FEATURE_IMPORTANCE];
    double *sage = d->values + d->offset[ANB_METRIC_FEATURE_SAGE];
    double *changed = d->values + d->offset[ANB_METRIC_FEATURE_CHANGED];
    for (size_t i = 0; i < d->n_features; i++) {
        uint64_t since = anb_importance_changed(d->importance, i);
        value[i] = anb_importance_value(d->importance, i);
        sage[i] = anb_importance_sage(d->importance, i);
        changed[i] = since == UINT64_MAX ? ANB_NAN : (double)since;
    }
}
