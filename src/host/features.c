/* Names of features, from their sources up the tree; the categories of a column. */
#include "mixture.h"
#include "model.h"
#include <anabranch/features.h>
#include <stdarg.h>
#include <stdio.h>

/* A name as it grows. */
typedef struct Name {
    char *out;
    size_t size, n;
} Name;

static void put(Name *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(Name *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool room = name->n < name->size;
    int n = vsnprintf(room ? name->out + name->n : NULL, room ? name->size - name->n : 0, format, arguments);
    va_end(arguments);
    name->n += n > 0 ? (size_t)n : 0;
}

static void put_feature(Name *name, const StreamingLearner *model, const AnbNode *node, size_t i,
                        const char *const *columns);

/* Appends the name of a child's feature from its source. */
static void put_source(Name *name, const StreamingLearner *model, const AnbNode *map, const AnbFeatureSource *source,
                       const char *const *columns)
{
    for (int k = 0; k < source->n; k++) {
        bool square = k == 1 && source->column[0] == source->column[1];
        put(name, "%s", square ? "^2" : k == 1 ? "*" : "");
        if (!square)
            put_feature(name, model, map, source->column[k], columns);
    }
    if (source->part)
        put(name, "%s%s", source->n > 0 ? "=" : "", source->part);
    if (source->number > 0)
        put(name, " %zu", source->number);
}

static void put_column(Name *name, const StreamingLearner *model, size_t i, const char *const *columns)
{
    const AnbSchema *schema = anb_model_schema(model);
    const char *given = columns ? columns[i] : schema ? anb_schema_columns(schema)[i].name : NULL;
    if (given && *given)
        put(name, "%s", given);
    else
        put(name, "x%zu", i + 1);
}

/* Appends the name of the node's feature i. */
static void put_feature(Name *name, const StreamingLearner *model, const AnbNode *node, size_t i,
                        const char *const *columns)
{
    const AnbNode *map = node->parent;
    while (map && !map->type->child_features) {
        node = map;
        map = map->parent;
    }
    if (!map) {
        put_column(name, model, i, columns);
        return;
    }
    AnbFeatureSource source = anb_feature_source(map, (size_t)(node - map->children), i);
    put_source(name, model, map, &source, columns);
}

ptrdiff_t anb_node_feature_name(const StreamingLearner *model, const AnbNode *node, size_t i,
                                const char *const *columns, char *out, size_t size)
{
    Name name = {out, size, 0};
    put(&name, "%s", "");
    put_feature(&name, model, node, i, columns);
    return (ptrdiff_t)name.n;
}

ptrdiff_t anb_feature_name(const StreamingLearner *model, const char *path, size_t i, const char *const *columns,
                           char *out, size_t size)
{
    if (!model || !path || (!out && size > 0))
        return ANB_E_ARGUMENT;
    const AnbNode *node = anb_node_at(model, path);
    if (!node || i >= node->n_features)
        return ANB_E_UNKNOWN;
    return anb_node_feature_name(model, node, i, columns, out, size);
}

size_t anb_feature_count(const StreamingLearner *model, const char *path)
{
    const AnbNode *node = anb_node_at(model, path);
    return node ? node->n_features : 0;
}

size_t anb_frequent_categories(const StreamingLearner *model, size_t column, AnbCategoryEffect *out, size_t n)
{
    const AnbPlan *plan = model->plan;
    size_t columns = plan->nodes[0].n_features;
    for (size_t i = 0; i < plan->n_nodes && column < columns; i++) {
        const AnbNode *node = &plan->nodes[i];
        bool reads_columns = node->n_features == columns && anb_since_0_3(node->type);
        if (reads_columns && node->type->categories)
            return node->type->categories->frequent(node, anb_state_of(model, node), column, out, n);
    }
    return 0;
}
