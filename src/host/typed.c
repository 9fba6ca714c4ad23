/*
 * Models for rows of a schema. An encoder is a type that converts categories and times to numbers, with the kinds of
 * the columns as runs of letters in its options (`columns`).
 */
#include "arena.h"
#include "expand.h"
#include "expression.h"
#include "mixture.h"
#include "model.h"
#include "schema.h"
#include "src/text/given.h"
#include <anabranch/learners.h>

static const char letters[] = {'n', 'c', 'k', 'n', 't', 'x'}; /* of the kinds of schema.h */

static const AnbParam *kinds_of(const StreamingLearnerType *type)
{
    for (const AnbParam *p = type->params; p && p->name; p++)
        if (p->kind == ANB_RUNS && strchr(p->words, 'c'))
            return p;
    return NULL;
}

/* ---- whether a schema and a model fit ---------------------------------------------------------------------------- */

/* A number may be taken for a category or a code; an ignored column, which is 0, for anything. */
static bool takes(char letter, AnbColumnKind kind)
{
    switch (kind) {
    case ANB_COLUMN_CATEGORY:
    case ANB_COLUMN_CODE:
        return letter == 'c' || letter == 'k' || letter == 'x';
    case ANB_COLUMN_TIME:
        return letter == 't' || letter == 'x';
    default:
        return letter != 't' || kind == ANB_COLUMN_IGNORED;
    }
}

/* The columns of a schema that a node sees: NULL where a feature is computed of others. */
typedef struct Seen {
    const AnbColumn **column;
    size_t n;
} Seen;

typedef struct Check {
    AnbArena *arena;
    AnbError *error;
} Check;

static int check_reader(const Check *c, const AnbNode *node, Seen seen)
{
    for (size_t j = 0; j < seen.n; j++) {
        const AnbColumn *column = seen.column[j];
        if (column && anb_column_is_typed(column) && column->kind != ANB_COLUMN_IGNORED)
            return anb_fail(c->error, ANB_E_ARGUMENT,
                            "%s would read column %zu (%.60s), a %s, as if it were a number: put columns(...) around "
                            "it",
                            node->type->name, j + 1, column->name, anb_column_word(column));
    }
    return 0;
}

static int check_kinds(const Check *c, const AnbNode *node, const AnbRuns *runs, Seen seen)
{
    size_t j = 0;
    if (runs->count == 0)
        return check_reader(c, node, seen);
    for (int i = 0; i < runs->count; i++)
        for (size_t end = j + anb_runs_length(runs, i, seen.n); j < end; j++) {
            const AnbColumn *column = seen.column[j];
            if (column && !takes(runs->letter[i], column->kind))
                return anb_fail(c->error, ANB_E_ARGUMENT,
                                "%s: its kinds have %c for column %zu (%.60s), the schema has %s", node->type->name,
                                runs->letter[i], j + 1, column->name, anb_column_word(column));
        }
    return 0;
}

/* The columns that a node shows its child i; NULL where there is no memory. */
static Seen shown(const Check *c, const AnbNode *node, size_t i, Seen seen)
{
    size_t n = node->children[i].n_features;
    Seen out = {anb_arena_take(c->arena, n * sizeof *out.column), n};
    for (size_t j = 0; out.column && j < n; j++) {
        AnbFeatureSource source = anb_feature_source(node, i, j);
        out.column[j] = source.n == 1 && !source.part ? seen.column[source.column[0]] : NULL;
    }
    return out;
}

static int check_node(const Check *c, const AnbNode *node, Seen seen)
{
    const AnbParam *kinds = kinds_of(node->type);
    if (kinds)
        return check_kinds(c, node, (const AnbRuns *)((const char *)node->options + kinds->offset), seen);
    /* a wrapper directly around an encoder, such as a scale, passes the row unchanged */
    bool around = node->n_children == 1 && kinds_of(node->children[0].type);
    bool reads = node->type->flags & (ANB_READS_X | ANB_READS_RAW) && !around;
    int code = reads ? check_reader(c, node, seen) : 0;
    for (size_t i = 0; i < node->n_children && !code; i++) {
        Seen part = shown(c, node, i, seen);
        code =
            part.column ? check_node(c, &node->children[i], part) : anb_fail(c->error, ANB_E_MEMORY, "out of memory");
    }
    return code || !node->router ? code : check_node(c, node->router, seen);
}

/* NULL where there is no memory. */
static Seen all_columns(AnbArena *arena, const AnbSchema *s)
{
    Seen all = {anb_arena_take(arena, s->n * sizeof *all.column), s->n};
    for (size_t j = 0; all.column && j < s->n; j++)
        all.column[j] = &s->columns[j];
    return all;
}

/* Whether the model may read the columns of the schema. */
static int check_schema(const StreamingLearner *model, const AnbSchema *s, AnbError *error)
{
    AnbArena arena = {.allocator = &model->plan->allocator};
    Seen all = all_columns(&arena, s);
    const Check c = {&arena, error};
    int code =
        all.column ? check_node(&c, &model->plan->nodes[0], all) : anb_fail(error, ANB_E_MEMORY, "out of memory");
    anb_arena_free(&arena);
    return code;
}

int anb_set_schema(StreamingLearner *model, const AnbSchema *schema, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return ANB_E_ARGUMENT;
    const AnbNode *root = &model->plan->nodes[0];
    if (schema && schema->n != root->n_features)
        return anb_fail(error, ANB_E_ARGUMENT, "the schema has %zu columns, the model's rows have %zu", schema->n,
                        root->n_features);
    int code = schema ? check_schema(model, schema, error) : 0;
    if (code)
        return code;
    AnbAttached *attached = schema || model->attached ? anb_attach(model) : NULL;
    if (!attached)
        return schema ? anb_fail(error, ANB_E_MEMORY, "out of memory") : 0;
    AnbSchema *kept = anb_schema_keep(schema);
    anb_schema_drop(attached->schema);
    attached->schema = kept;
    return 0;
}

const AnbSchema *anb_model_schema(const StreamingLearner *model)
{
    return anb_schema_of(model);
}

/* ---- a model for a schema ---------------------------------------------------------------------------------------- */

static int add_kind(AnbRuns *runs, const AnbColumn *column, AnbError *error)
{
    char letter = letters[column->kind];
    int last = runs->count - 1;
    if (last >= 0 && runs->letter[last] == letter) {
        runs->n[last]++;
        return 0;
    }
    if (runs->count == ANB_RUNS_MAX)
        return anb_fail(error, ANB_E_LIMIT,
                        "the kinds of the columns change more than %d times: put those of a kind side by side",
                        ANB_RUNS_MAX);
    runs->n[runs->count] = 1;
    runs->letter[runs->count++] = letter;
    return 0;
}

int anb_schema_kinds(const AnbSchema *schema, AnbRuns *runs, AnbError *error)
{
    int code = 0;
    memset(runs, 0, sizeof *runs);
    for (size_t j = 0; j < schema->n && !code; j++)
        code = add_kind(runs, &schema->columns[j], error);
    return code;
}

static bool has_encoder(const AnbExpert *expert)
{
    bool found = kinds_of(expert->type) != NULL;
    for (size_t i = 0; i < expert->n_children && !found; i++)
        found = has_encoder(&expert->children[i]);
    return found;
}

static bool passes(const AnbExpert *expert)
{
    return expert->n_children == 1 && (expert->type->max_children == 1 || expert->type->wrapper) &&
           !(expert->type->flags & (ANB_READS_X | ANB_READS_RAW));
}

/* Which of the node's features a child's feature is; SIZE_MAX where it is made of others. */
static size_t same_as(const AnbNode *node, size_t j)
{
    AnbFeatureSource source = anb_feature_source(node, 0, j);
    bool same = source.n == 1 && !source.part && source.column[0] >= j && source.column[0] < node->n_features;
    return same ? source.column[0] : SIZE_MAX;
}

/* The columns that a wrapper passes on, in their order; false, with nothing changed, where it makes others of them. The
 * child has no node yet. */
static bool hands_on(const AnbExpert *expert, Seen *seen)
{
    const AnbNode child = {.type = expert->children[0].type};
    const AnbNode node = {
        .type = expert->type, .options = expert->options, .children = &child, .n_children = 1, .n_features = seen->n};
    if (!expert->type->child_features)
        return true;
    size_t n = expert->n_children == 1 ? expert->type->child_features(&node, 0) : 0;
    for (size_t j = 0; j < n; j++)
        if (same_as(&node, j) == SIZE_MAX)
            return false;
    for (size_t j = 0; j < n; j++)
        seen->column[j] = seen->column[same_as(&node, j)];
    seen->n = n;
    return n > 0;
}

/* The first learner, from the root, that reads rows or has several children; `seen` becomes the columns that reach it.
 * NULL where there is no memory. */
static AnbExpert *reader_of(AnbArena *arena, AnbExpert *root, Seen *seen)
{
    AnbExpert *at = root;
    while (at && passes(at) && hands_on(at, seen))
        at = anb_own_children(arena, at);
    return at;
}

/* The options of an encoder with the kinds of the columns, over the options given; NULL with the reason. */
static void *with_kinds(AnbArena *arena, const StreamingLearnerType *type, const void *given, Seen seen,
                        AnbError *error)
{
    char *options = anb_arena_take(arena, type->options_size);
    int code = options ? 0 : anb_fail(error, ANB_E_MEMORY, "out of memory");
    if (!code)
        memcpy(options, given, type->options_size);
    for (size_t j = 0; j < seen.n && !code; j++)
        code = add_kind((AnbRuns *)(options + kinds_of(type)->offset), seen.column[j], error);
    return code ? NULL : options;
}

static int put_encoder(AnbArena *arena, AnbExpert *at, Seen seen, AnbError *error)
{
    const AnbColumnsOptions defaults = anb_columns_defaults();
    AnbExpert *inner = anb_arena_take(arena, sizeof *inner);
    const void *options = with_kinds(arena, &anb_columns, &defaults, seen, error);
    if (!inner || !options)
        return options ? anb_fail(error, ANB_E_MEMORY, "out of memory") : ANB_E_LIMIT;
    *inner = *at;
    inner->warmup = 0;
    inner->name = NULL;
    *at = (AnbExpert){&anb_columns, options, inner, 1, at->warmup, at->name};
    return 0;
}

/* Encoders of the caller's that leave their kinds open take those of the columns that reach them. */
static int complete(AnbArena *arena, AnbExpert *expert, Seen seen, AnbError *error)
{
    const AnbParam *kinds = kinds_of(expert->type);
    if (kinds) {
        const AnbRuns *given = (const AnbRuns *)((const char *)expert->options + kinds->offset);
        if (given->count == 0)
            expert->options = with_kinds(arena, expert->type, expert->options, seen, error);
        return expert->options ? 0 : ANB_E_LIMIT;
    }
    Seen part = {anb_arena_take(arena, seen.n * sizeof *part.column), seen.n};
    AnbExpert *children = anb_own_children(arena, expert);
    if (!part.column || !children)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    memcpy(part.column, seen.column, seen.n * sizeof *part.column);
    int code = 0;
    for (size_t i = 0; i < expert->n_children && !code && hands_on(expert, &part); i++)
        code = complete(arena, &children[i], part, error);
    return code;
}

static bool is_typed(Seen seen)
{
    bool typed = false;
    for (size_t j = 0; j < seen.n; j++)
        typed |= anb_column_is_typed(seen.column[j]);
    return typed;
}

/* Inserts an encoder where one is needed, or sets the kinds of those that are there. */
static int encode(AnbArena *arena, const AnbSchema *schema, AnbExpert *root, AnbError *error)
{
    Seen all = all_columns(arena, schema);
    if (!all.column)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    if (has_encoder(root))
        return complete(arena, root, all, error);
    AnbExpert *at = reader_of(arena, root, &all);
    if (!at)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    return is_typed(all) ? put_encoder(arena, at, all, error) : 0;
}

StreamingLearner *anb_parse_schema(const AnbSchema *schema, const char *expression, const AnbModelOptions *options,
                                   AnbError *error)
{
    AnbModelOptions own;
    if (!anb_given(schema, "schema", error) || !anb_given(expression, "expression", error) ||
        anb_model_options_take(options, &own, error))
        return NULL;
    AnbArena arena = {.allocator = anb_allocator_of(&own)};
    StreamingLearner *model = NULL;
    AnbExpert *root = anb_expression_parse(&arena, expression, ANB_TEXT_MAX, own.types, error);
    if (root && (!schema->typed || encode(&arena, schema, root, error) == 0))
        model = anb_new(schema->n, root, &own, error);
    anb_arena_free(&arena);
    if (model && anb_set_schema(model, schema, error)) {
        anb_free(model);
        return NULL;
    }
    return model;
}
