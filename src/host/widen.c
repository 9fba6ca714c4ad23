/*
 * A model for more columns that continues a model for fewer:
 *
 *     OLD   ->   residual(narrow(OLD, of="12y 2n"), columns(NEW, kinds="12n 2c"))
 *
 * OLD keeps its state and its columns. NEW starts at its initial state, which predicts 0, and learns OLD's residual
 * from all columns. Types that stand only at the root (interval, ...) are kept outside.
 */
#include "arena.h"
#include "expression.h"
#include "model.h"
#include "src/numeric/fields.h"
#include "schema.h"
#include "sources.h"
#include "src/text/given.h"
#include <anabranch/learners.h>
#include <stdio.h>

static const char beside[] = "auto(budget=5)"; /* NEW */

typedef struct Widening {
    const StreamingLearner *model;
    const AnbSchema *wider;
    AnbArena arena;
    AnbError *error;
} Widening;

static int refuse(const Widening *w)
{
    const AnbSchema *known = anb_schema_of(w->model);
    size_t n = anb_n_features(w->model);
    if (w->wider->n <= n)
        return anb_fail(w->error, ANB_E_ARGUMENT, "the wider schema has %zu columns, the model's rows have %zu already",
                        w->wider->n, n);
    for (size_t j = 0; known && j < n; j++) {
        const AnbColumn *a = &known->columns[j], *b = &w->wider->columns[j];
        if (strcmp(a->name, b->name) != 0 || a->kind != b->kind)
            return anb_fail(w->error, ANB_E_ARGUMENT, "column %zu of the wider schema is not the model's %.60s:%s",
                            j + 1, a->name, anb_column_word(a));
    }
    if (w->model->plan->owns_pointers)
        return anb_fail(w->error, ANB_E_UNSUPPORTED, "a learner that owns memory cannot be widened");
    return 0;
}

static void *take(Widening *w, size_t size)
{
    void *memory = anb_arena_take(&w->arena, size);
    if (!memory)
        anb_fail(w->error, ANB_E_MEMORY, "out of memory");
    return memory;
}

/* narrow(old, of="Ny Mn") */
static int narrowed(Widening *w, const AnbExpert *old, AnbExpert *out)
{
    AnbNarrowOptions *options = take(w, sizeof *options);
    AnbExpert *child = take(w, sizeof *child);
    if (!options || !child)
        return ANB_E_MEMORY;
    size_t n = anb_n_features(w->model);
    *options = anb_narrow_defaults();
    options->of = (AnbRuns){.count = 2, .n = {(uint32_t)n, (uint32_t)(w->wider->n - n)}, .letter = {'y', 'n'}};
    *child = *old;
    child->warmup = 0;
    child->name = NULL;
    *out = (AnbExpert){.type = &anb_narrow, .options = options, .children = child, .n_children = 1};
    return 0;
}

/* The learner of the residual, inside columns(...) where the table is typed. */
static int new_part(Widening *w, const AnbModelOptions *options, AnbExpert *out)
{
    const AnbExpert *parsed = anb_expression_parse(&w->arena, beside, ANB_TEXT_MAX, options->types, w->error);
    if (!parsed)
        return ANB_E_MEMORY;
    *out = *parsed;
    if (!w->wider->typed)
        return 0;
    AnbColumnsOptions *columns = take(w, sizeof *columns);
    if (!columns)
        return ANB_E_MEMORY;
    *columns = anb_columns_defaults();
    int code = anb_schema_kinds(w->wider, &columns->kinds, w->error);
    if (code)
        return code;
    *out = (AnbExpert){.type = &anb_columns, .options = columns, .children = parsed, .n_children = 1};
    return 0;
}

static bool stays_outside(const StreamingLearnerType *type)
{
    return (type->flags & ANB_ROOT_ONLY) && type->max_children == 1;
}

/* The wider model in its initial state. */
static StreamingLearner *make(Widening *w, const AnbModelOptions *options)
{
    const char *text = anb_expression(w->model);
    AnbExpert *root = anb_expression_parse(&w->arena, text, strlen(text) + 1, options->types, w->error), *at = root;
    AnbExpert *parts = root ? take(w, 2 * sizeof *parts) : NULL;
    while (parts && stays_outside(at->type))
        at = anb_view_of(at->children); /* the parser's own */
    if (!parts || narrowed(w, at, &parts[0]) || new_part(w, options, &parts[1]))
        return NULL;
    *at =
        (AnbExpert){.type = &anb_residual, .children = parts, .n_children = 2, .warmup = at->warmup, .name = at->name};
    return anb_new_saved(w->wider->n, root, options, w->error);
}

/* Copies a node's own state, without padding. False where the two differ in size. */
static bool copy_own(const AnbNode *from, const void *old, const AnbNode *to, void *state)
{
    size_t size = anb_fields_layout(from->type->fields, from, NULL);
    bool same = size == anb_fields_layout(to->type->fields, to, NULL);
    if (same)
        memcpy(state, old, size);
    return same;
}

/* Copies the states of a node and of those below it, whose offsets differ between the models. False where the nodes are
 * not the same. */
static bool copy_tree(const AnbNode *from, const void *old, const AnbNode *to, void *state)
{
    size_t parts = from->n_children + (from->router != NULL);
    bool fine =
        from->type == to->type && parts == to->n_children + (to->router != NULL) && copy_own(from, old, to, state);
    for (size_t i = 0; i < parts && fine; i++)
        fine = copy_tree(&from->children[i], anb_child_state_const(&from->children[i], old), &to->children[i],
                         anb_child_state(&to->children[i], state));
    return fine;
}

/* Copies the old model's state to its place below residual(narrow(...)), and the states of the nodes outside, whose
 * sizes must be the same. */
static int copy_states(const Widening *w, const AnbNode *from, const void *old, const AnbNode *to, void *state)
{
    for (; stays_outside(from->type); from = &from->children[0], to = &to->children[0]) {
        if (!copy_own(from, old, to, state))
            return anb_fail(w->error, ANB_E_UNSUPPORTED, "%s keeps whole rows: a model with it cannot be widened",
                            from->type->name);
        old = anb_child_state_const(&from->children[0], old);
        state = anb_child_state(&to->children[0], state);
    }
    for (int depth = 0; depth < 2; depth++) {
        to = &to->children[0];
        state = anb_child_state(to, state);
    }
    return copy_tree(from, old, to, state)
               ? 0
               : anb_fail(w->error, ANB_E_STATE, "%s has another size in the wider model", from->type->name);
}

static StreamingLearner *widen(Widening *w, const AnbModelOptions *options)
{
    StreamingLearner *wide = make(w, options);
    if (!wide)
        return NULL;
    wide->counters = w->model->counters;
    if (anb_sources_copy(w->model, wide)) {
        anb_fail(w->error, ANB_E_MEMORY, "out of memory");
        anb_free(wide);
        return NULL;
    }
    if (copy_states(w, &w->model->plan->nodes[0], anb_block(w->model), &wide->plan->nodes[0], anb_block(wide)) ||
        anb_set_schema(wide, w->wider, w->error)) {
        anb_free(wide);
        return NULL;
    }
    return wide;
}

StreamingLearner *anb_widen(const StreamingLearner *model, const AnbSchema *wider, const AnbModelOptions *options,
                            AnbError *error)
{
    AnbModelOptions own;
    if (!anb_given(model, "model", error) || !anb_given(wider, "schema", error) ||
        anb_model_options_take(options, &own, error))
        return NULL;
    own.seed = anb_seed_of(model);
    Widening w = {model, wider, {.allocator = anb_allocator_of(&own)}, error};
    StreamingLearner *wide = refuse(&w) ? NULL : widen(&w, &own);
    anb_arena_free(&w.arena);
    return wide;
}
