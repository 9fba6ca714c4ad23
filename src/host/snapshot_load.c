/* From an opened snapshot to a model: the plan from the expression, then every node's fields, then every type's own
 * check. */
#include "bytes.h"
#include "expression.h"
#include "model.h"
#include "snapshot.h"
#include "src/text/given.h"
#include <stdlib.h>

typedef struct Source {
    AnbVisitor visitor;
    const AnbNode *node;
    const void *state;
    const unsigned char *at, *end;
    bool bad; /* fields that are not there, or that lie outside the state */
} Source;

static void get_field(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Source *s = (Source *)visitor;
    size_t width = anb_scalar_bytes(kind), size = width * count;
    if (s->bad || size > (size_t)(s->end - s->at) || !anb_field_inside(s->node, s->state, data, size)) {
        s->bad = true;
        return;
    }
    anb_copy_scalars(data, s->at, width, count);
    s->at += size;
}

typedef struct Loading {
    const AnbSnapshotNode *next, *end;
    AnbError *error;
} Loading;

static int take_over(const Loading *l, const AnbNode *node, const AnbSnapshotNode *saved, void *state)
{
    const char *name = node->type->name;
    if (saved->version > node->type->version || !node->type->upgrade)
        return anb_fail(l->error, ANB_E_VERSION, "%s: its state has layout %u; this version knows %u", name,
                        saved->version, node->type->version);
    int code = node->type->upgrade(node, saved->version, saved->fields, saved->size, state);
    return code ? anb_fail(l->error, code, "%s: a state of layout %u could not be taken over", name, saved->version)
                : 0;
}

static int read_own(const Loading *l, const AnbNode *node, const AnbSnapshotNode *saved, void *state)
{
    const StreamingLearnerType *type = node->type;
    bool older = saved->version < type->version && type->flags & ANB_READS_OLDER;
    Source s = {{.field = get_field, .version = saved->version},
                node,
                state,
                saved->fields,
                saved->fields + saved->size,
                false};
    if ((saved->version != type->version && !older) || type->clear || (type->flags & ANB_READS_OWN))
        return take_over(l, node, saved, state);
    anb_visit_own(node, state, &s.visitor);
    if (s.bad || s.at != s.end)
        return anb_fail(l->error, ANB_E_STATE, "%s: its state has not as many fields as it says", type->name);
    return 0;
}

/* Whether a node was saved as of this type, by its name or by an earlier one. */
static bool is_saved_as(const char *name, const StreamingLearnerType *type)
{
    const AnbRouterType *router = anb_router_find(name, strlen(name));
    return strcmp(name, type->name) == 0 || anb_learner_find(name, strlen(name)) == type ||
           (router && &router->type == type);
}

static int load_tree(Loading *l, const AnbNode *node, void *state)
{
    size_t parts = node->n_children + (node->router != NULL);
    if (l->next == l->end || !is_saved_as(l->next->type, node->type))
        return anb_fail(l->error, ANB_E_FORMAT, "the snapshot holds other learners than its expression");
    int code = read_own(l, node, l->next++, state);
    for (size_t i = 0; i < parts && !code; i++)
        code = load_tree(l, &node->children[i], anb_child_state(&node->children[i], state));
    return code;
}

/* Validates from the leaves up, so that a type may rely on the nodes below it. */
static int validate_tree(const AnbNode *node, const void *state, AnbError *error)
{
    size_t parts = node->n_children + (node->router != NULL);
    for (size_t i = 0; i < parts; i++) {
        int code = validate_tree(&node->children[i], anb_child_state_const(&node->children[i], state), error);
        if (code)
            return code;
    }
    return anb_validate_own(node, state, error);
}

static StreamingLearner *empty_model(const AnbSnapshot *snapshot, const AnbModelOptions *options, AnbError *error)
{
    AnbArena arena = {.allocator = anb_allocator_of(options)};
    AnbModelOptions seeded = *options;
    StreamingLearner *model = NULL;
    seeded.seed = snapshot->seed;
    const AnbExpert *root = anb_expression_parse(&arena, snapshot->expression, snapshot->bytes, options->types, error);
    if (root)
        model = anb_new_saved(snapshot->n_features, root, &seeded, error);
    anb_arena_free(&arena);
    return model;
}

/* The schema that was saved beside the model, where there was one. */
static int load_schema(const AnbSnapshot *snapshot, StreamingLearner *model, AnbError *error)
{
    const char *text = anb_snapshot_note(snapshot, ANB_SCHEMA_NOTE);
    if (!text)
        return 0;
    AnbSchemaOptions options = anb_schema_defaults();
    AnbError why = {0};
    options.allocator = &model->plan->allocator;
    AnbSchema *schema = anb_schema_parse(text, &options, &why);
    int code = schema ? anb_set_schema(model, schema, &why) : why.code;
    anb_schema_drop(schema);
    return code ? anb_fail(error, ANB_E_STATE, "the schema in the snapshot does not fit: %.180s", why.message) : 0;
}

static int load_sources(const AnbSnapshot *snapshot, StreamingLearner *model, AnbError *error)
{
    for (size_t i = 0; i < snapshot->n_sources; i++) {
        const AnbSnapshotSource *saved = &snapshot->sources[i];
        int at = anb_source_add(model, saved->name, strlen(saved->name), error);
        if (at < 0)
            return at;
        if ((size_t)at != i)
            return anb_fail(error, ANB_E_FORMAT, "the snapshot holds a source twice");
        anb_sources_of(model)->source[at].next = saved->next;
    }
    return 0;
}

/* Whether the first of two versions is the newer one. */
static bool is_newer(const char *version, const char *other)
{
    for (;; version++, other++) {
        char *end, *other_end;
        unsigned long mine = strtoul(version, &end, 10), theirs = strtoul(other, &other_end, 10);
        if (mine != theirs || *end != '.' || *other_end != '.')
            return mine > theirs;
        version = end;
        other = other_end;
    }
}

/* A newer version has learners, options and layouts that this one does not know. */
static void name_version(const AnbSnapshot *snapshot, AnbError *error)
{
    if (!error || !is_newer(snapshot->library, anb_version()) || error->code == ANB_E_MEMORY)
        return;
    const AnbError unnamed = *error;
    anb_fail(error, unnamed.code, "saved by version %.20s, which is newer than this one, %s: %s", snapshot->library,
             anb_version(), unnamed.message);
    error->position = unnamed.position;
}

static StreamingLearner *load(const AnbSnapshot *snapshot, const AnbModelOptions *options, AnbError *error)
{
    StreamingLearner *model = empty_model(snapshot, options, error);
    if (!model)
        return NULL;
    Loading l = {snapshot->nodes, snapshot->nodes + snapshot->n_nodes, error};
    int code = load_tree(&l, &model->plan->nodes[0], anb_block(model));
    if (!code && l.next != l.end)
        code = anb_fail(error, ANB_E_FORMAT, "the snapshot holds more learners than its expression");
    if (!code)
        code = validate_tree(&model->plan->nodes[0], anb_block(model), error);
    if (!code)
        code = load_schema(snapshot, model, error);
    if (!code)
        code = load_sources(snapshot, model, error);
    if (code) {
        anb_free(model);
        return NULL;
    }
    model->counters = snapshot->counters;
    return model;
}

StreamingLearner *anb_snapshot_model(const AnbSnapshot *snapshot, const AnbModelOptions *options, AnbError *error)
{
    AnbModelOptions own;
    if (!anb_given(snapshot, "snapshot", error) || anb_model_options_take(options, &own, error))
        return NULL;
    StreamingLearner *model = load(snapshot, &own, error);
    if (!model)
        name_version(snapshot, error);
    return model;
}

static StreamingLearner *model_and_close(AnbSnapshot *snapshot, const AnbModelOptions *options, AnbError *error)
{
    StreamingLearner *model = snapshot ? anb_snapshot_model(snapshot, options, error) : NULL;
    anb_snapshot_close(snapshot);
    return model;
}

StreamingLearner *anb_load(const char *path, const AnbModelOptions *options, AnbError *error)
{
    AnbSnapshot *snapshot = anb_snapshot_read(path, options, error);
    StreamingLearner *model = model_and_close(snapshot, options, error);
    if (snapshot && !model)
        anb_name_file(error, path);
    return model;
}

StreamingLearner *anb_load_memory(const void *bytes, size_t size, const AnbModelOptions *options, AnbError *error)
{
    return model_and_close(anb_snapshot_open(bytes, size, options, error), options, error);
}
