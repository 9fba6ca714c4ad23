#include "model.h"
#include "arena.h"
#include "expression.h"
#include "src/simd/kernels.h"
#include "src/text/given.h"
#include <anabranch/host.h>

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* Allocates; max_bytes bounds what anb_total_bytes returns. */
static void *take(const AnbPlan *plan, size_t size, AnbError *error)
{
    if (size + plan->bytes > plan->max_bytes) {
        anb_fail(error, ANB_E_LIMIT, "a model of %zu bytes is over its limit of %zu (max_bytes)", size + plan->bytes,
                 plan->max_bytes);
        return NULL;
    }
    void *memory = plan->allocator.alloc(size, plan->allocator.context);
    if (!memory)
        anb_fail(error, ANB_E_MEMORY, "out of memory");
    return memory;
}

/* Doubles of scratch that are kept. */
static size_t scratch_kept(const AnbPlan *plan)
{
    return plan->passing ? 0 : plan->nodes[0].scratch_size;
}

/* Bytes that are taken in front of the head where blocks are aligned: for the allocator's pointer and for padding. */
static size_t in_front(const AnbPlan *plan)
{
    return plan->align == ANB_ALIGN ? sizeof(void *) + ANB_ALIGN : 0;
}

size_t anb_model_bytes(const AnbPlan *plan)
{
    return in_front(plan) + sizeof(StreamingLearner) + anb_block_bytes(plan) + scratch_kept(plan) * sizeof(double);
}

/* Where the head lies in memory of anb_model_bytes, so that the block behind it is aligned as the plan says. */
static StreamingLearner *head_in(const AnbPlan *plan, void *memory)
{
    if (in_front(plan) == 0)
        return memory;
    return (StreamingLearner *)anb_aligned((char *)memory + sizeof(void *) + sizeof(StreamingLearner)) - 1;
}

static void set_memory(StreamingLearner *model, void *memory)
{
    if (in_front(model->plan) > 0)
        ((void **)model)[-1] = memory;
}

static void *memory_of(const StreamingLearner *model)
{
    void **head = anb_view_of(model);
    return in_front(model->plan) > 0 ? head[-1] : head;
}

static void clear_scratch(StreamingLearner *model)
{
    size_t n = scratch_kept(model->plan);
    if (n > 0)
        memset(anb_scratch_kept(model), 0, n * sizeof(double));
}

/* All zero but the block, whose bytes the caller sets. Takes over the reference to the plan. */
static StreamingLearner *allocate(AnbPlan *plan, AnbError *error)
{
    void *memory = take(plan, anb_model_bytes(plan), error);
    if (!memory) {
        anb_plan_drop(plan);
        return NULL;
    }
    StreamingLearner *model = head_in(plan, memory);
    *model = (StreamingLearner){.plan = plan};
    set_memory(model, memory);
    clear_scratch(model);
    return model;
}

/* A model with a zeroed block, not initialised. Takes over the reference to the plan, also where it fails. */
static StreamingLearner *allocate_zeroed(AnbPlan *plan, AnbError *error)
{
    StreamingLearner *model = allocate(plan, error);
    if (model)
        memset(anb_block(model), 0, anb_block_bytes(plan));
    return model;
}

static int init_tree(const AnbNode *node, void *state)
{
    size_t parts = node->n_children + (node->router != NULL);
    int code = node->type->init ? node->type->init(node, state) : 0;
    for (size_t i = 0; i < parts && !code; i++)
        code = init_tree(&node->children[i], anb_child_state(&node->children[i], state));
    return code;
}

static StreamingLearner *new_from_plan(AnbPlan *plan, AnbError *error)
{
    StreamingLearner *model = plan ? allocate_zeroed(plan, error) : NULL;
    if (!model)
        return NULL;
    int code = init_tree(&plan->nodes[0], anb_block(model));
    if (code) {
        anb_fail(error, code, "%s", anb_error_text(code));
        anb_free(model);
        return NULL;
    }
    return model;
}

StreamingLearner *anb_new(size_t n_features, const AnbExpert *root, const AnbModelOptions *options, AnbError *error)
{
    AnbModelOptions own;
    if (!root) {
        anb_fail(error, ANB_E_ARGUMENT, "no learner to make");
        return NULL;
    }
    if (anb_model_options_take(options, &own, error))
        return NULL;
    return new_from_plan(anb_plan_asked(n_features, root, &own, error), error);
}

StreamingLearner *anb_new_saved(size_t n_features, const AnbExpert *root, const AnbModelOptions *own, AnbError *error)
{
    return new_from_plan(anb_plan_new(n_features, root, own, error), error);
}

/* Parses an expression and completes the options by their defaults. NULL with the reason. */
static const AnbExpert *read(AnbArena *arena, const char *expression, const AnbModelOptions *options,
                             AnbModelOptions *own, AnbError *error)
{
    if (!expression) {
        anb_fail(error, ANB_E_ARGUMENT, "no expression to make a model from");
        return NULL;
    }
    if (anb_model_options_take(options, own, error))
        return NULL;
    arena->allocator = anb_allocator_of(own);
    return anb_expression_parse(arena, expression, ANB_TEXT_MAX, own->types, error);
}

/* By anb_new or anb_new_saved. */
static StreamingLearner *parse(size_t n_features, const char *expression, const AnbModelOptions *options,
                               AnbError *error,
                               StreamingLearner *make(size_t, const AnbExpert *, const AnbModelOptions *, AnbError *))
{
    AnbModelOptions own;
    AnbArena arena = {NULL};
    const AnbExpert *root = read(&arena, expression, options, &own, error);
    StreamingLearner *model = root ? make(n_features, root, &own, error) : NULL;
    anb_arena_free(&arena);
    return model;
}

StreamingLearner *anb_parse(size_t n_features, const char *expression, const AnbModelOptions *options, AnbError *error)
{
    return parse(n_features, expression, options, error, anb_new);
}

StreamingLearner *anb_parse_saved(size_t n_features, const char *expression, const AnbModelOptions *options,
                                  AnbError *error)
{
    return parse(n_features, expression, options, error, anb_new_saved);
}

size_t anb_parse_bytes(size_t n_features, const char *expression, const AnbModelOptions *options, size_t *state,
                       AnbError *error)
{
    AnbModelOptions own;
    AnbArena arena = {NULL};
    const AnbExpert *root = read(&arena, expression, options, &own, error);
    own.max_bytes = SIZE_MAX / 4;
    AnbPlan *plan = root ? anb_plan_asked(n_features, root, &own, error) : NULL;
    size_t bytes = plan ? anb_model_bytes(plan) + plan->bytes : 0;
    if (state)
        *state = plan ? anb_block_bytes(plan) : 0;
    if (plan)
        anb_plan_drop(plan);
    anb_arena_free(&arena);
    return bytes;
}

/* ---- clones: a memcpy, but for types that own pointers ----------------------------------------------------------- */

static void clear_tree(const AnbNode *node, void *state)
{
    size_t parts = node->n_children + (node->router != NULL);
    if (node->type->clear)
        node->type->clear(node, state);
    for (size_t i = 0; i < parts; i++)
        clear_tree(&node->children[i], anb_child_state(&node->children[i], state));
}

/* Replaces owned pointers in a block that was copied as bytes by copies of what they own. After a failure they are
 * zeroed, so that the copy can be freed in any case. */
static int clone_tree(const AnbNode *node, const void *from, void *to, int code)
{
    size_t parts = node->n_children + (node->router != NULL);
    if (node->type->clone) {
        memset(to, 0, node->state_size);
        code = code ? code : node->type->clone(node, from, to);
    }
    for (size_t i = 0; i < parts; i++) {
        const AnbNode *child = &node->children[i];
        code = clone_tree(child, anb_child_state_const(child, from), anb_child_state(child, to), code);
    }
    return code;
}

/* Gives the copy what is attached to the model, but for threads. */
static int copy_attached(const StreamingLearner *model, StreamingLearner *copy)
{
    if (!model->attached && !copy->attached)
        return 0;
    AnbAttached *to = anb_attach(copy);
    if (!to)
        return ANB_E_MEMORY;
    to->seed = anb_seed_of(model);
    anb_schema_drop(to->schema);
    to->schema = anb_schema_keep(anb_schema_of(model));
    return anb_sources_copy(model, copy);
}

/* Makes the copy, of the same plan and without owned pointers of its own, equal to the model; frees it where memory is
 * out. */
static StreamingLearner *filled(const StreamingLearner *model, StreamingLearner *copy, AnbError *error)
{
    memcpy(anb_block(copy), anb_block(model), anb_block_bytes(model->plan));
    copy->counters = model->counters;
    int code = copy_attached(model, copy);
    if (model->plan->owns_pointers)
        code = clone_tree(&model->plan->nodes[0], anb_block(model), anb_block(copy), code);
    if (code) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        anb_free(copy);
        return NULL;
    }
    return copy;
}

StreamingLearner *anb_clone(const StreamingLearner *model, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return NULL;
    StreamingLearner *copy = allocate(anb_plan_keep(model->plan), error);
    return copy ? filled(model, copy, error) : NULL;
}

StreamingLearner *anb_clone_reusing(const StreamingLearner *model, StreamingLearner *spare, AnbError *error)
{
    const AnbPlan *plan = model ? model->plan : NULL;
    if (!plan || !spare || spare->plan != plan) {
        anb_free(spare);
        return anb_clone(model, error);
    }
    if (plan->owns_pointers)
        clear_tree(&plan->nodes[0], anb_block(spare));
    clear_scratch(spare);
    return filled(model, spare, error);
}

/* Nothing in block and scratch points into them, so only the place of the head changes, where blocks are aligned. */
StreamingLearner *anb_relocate(StreamingLearner *model, AnbMove move, void *context)
{
    const AnbPlan *plan = model->plan;
    void *before = memory_of(model);
    size_t shift = (size_t)((char *)model - (char *)before);
    char *memory = plan->owns_pointers || !move ? NULL : move(before, context);
    if (!memory)
        return model;
    StreamingLearner *place = head_in(plan, memory);
    memmove(place, memory + shift, anb_model_bytes(plan) - in_front(plan));
    set_memory(place, memory);
    return place;
}

static void free_attached(StreamingLearner *model)
{
    const AnbPlan *plan = model->plan;
    if (!model->attached)
        return;
    anb_threads_free(model->attached->threads);
    anb_schema_drop(model->attached->schema);
    anb_sources_free(model);
    plan->allocator.free(model->attached, plan->allocator.context);
}

void anb_free(StreamingLearner *model)
{
    if (!model)
        return;
    AnbPlan *plan = model->plan;
    if (plan->owns_pointers)
        clear_tree(&plan->nodes[0], anb_block(model));
    free_attached(model);
    plan->allocator.free(memory_of(model), plan->allocator.context);
    anb_plan_drop(plan);
}

void anb_reset(StreamingLearner *model)
{
    anb_node_reset(&model->plan->nodes[0], anb_block(model));
    model->counters = (AnbCounters){0};
    anb_sources_free(model);
    anb_detach(model);
}

/* ---- a sample's way ---------------------------------------------------------------------------------------------- */

bool anb_refuses_row(const AnbPlan *plan, const double *x, AnbCounters *counters, uint64_t *missing)
{
    size_t n = plan->nodes[0].n_features;
    bool infinite = false;
    *missing = 0;
    for (size_t i = 0; i < n; i++) {
        *missing += x[i] != x[i];
        infinite |= x[i] == x[i] && x[i] - x[i] != 0;
    }
    bool refused = infinite || (*missing && !plan->takes_missing);
    counters->rejected_features += refused;
    return refused;
}

/* Not inlined, so that the fast path saves no registers for the slow one. */
#define APART __attribute__((noinline))

/* The slow path: checks the row first. */
static double predict_checked(const AnbPlan *plan, const unsigned char *block, double *scratch, AnbCounters *counters,
                              const double *x)
{
    const AnbNode *root = &plan->nodes[0];
    AnbRow row = {x, x, NULL, counters, NULL};
    uint64_t missing;
    if (anb_nonfinite(x, root->n_features) != 0 && anb_refuses_row(plan, x, counters, &missing))
        return ANB_NAN;
    return root->type->predict(root, block, &row, scratch);
}

double anb_predict_reading(const StreamingLearner *model, const double *x, AnbCounters *counters)
{
    const AnbPlan *plan = model->plan;
    const AnbNode *root = &plan->nodes[0];
    AnbRow row = {x, x, NULL, counters, NULL};
    AnbRoom room;
    bool fine = plan->passing && anb_nonfinite(x, root->n_features) == 0;
    return fine ? root->type->predict(root, anb_block(model), &row, room.scratch) : ANB_NAN;
}

static double predict_apart(const void *block, const double *x)
{
    StreamingLearner *model = anb_model_around(block);
    AnbRoom room;
    return predict_checked(model->plan, block, anb_scratch_in(model, &room), &model->counters, x);
}

ANB_ON_A_LINE double anb_predict(StreamingLearner *model, const double *x)
{
    return anb_look(model, x, predict_apart);
}

double anb_predict_with(const StreamingLearner *model, AnbReader *reader, const double *x)
{
    if (reader->plan != model->plan && !anb_plans_fit(reader->plan, model->plan))
        return ANB_NAN;
    double f = anb_look(model, x, anb_unsure);
    return f - f == 0 ? f : predict_checked(model->plan, anb_block(model), reader->scratch, &reader->counters, x);
}

/* The slow path for samples that may be rejected, have a weight of 0 or missing cells, or are skipped for their
 * weight. */
static APART double train_slowly(StreamingLearner *model, const double *x, double y, double weight)
{
    const AnbPlan *plan = model->plan;
    const AnbNode *root = &plan->nodes[0];
    AnbCounters *counters = &model->counters;
    AnbRow row = {x, x, NULL, counters, NULL};
    AnbRoom room;
    double *scratch = anb_scratch_in(model, &room);
    uint64_t missing;
    if (anb_refuses_row(plan, x, counters, &missing))
        return ANB_NAN;
    if (y - y != 0) {
        counters->rejected_target++;
        return ANB_NAN;
    }
    if (weight - weight != 0 || weight < 0) {
        counters->rejected_weight++;
        return ANB_NAN;
    }
    if (weight == 0 || anb_sits_out(root, &row, weight))
        return root->type->predict(root, anb_block(model), &row, scratch);
    counters->missing_cells += missing;
    counters->trained++;
    return anb_node_step(root, anb_block(model), &row, y, anb_weight_within(weight), scratch);
}

static APART double train_checked(StreamingLearner *model, const double *x, double y, double weight)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, &model->counters, NULL};
    if (weight != 1 || anb_nonfinite(x, root->n_features) + (y - y) != 0)
        return train_slowly(model, x, y, weight);
    AnbRoom room;
    void *block = anb_block(model);
    double *scratch = anb_scratch_in(model, &room);
    model->counters.trained++;
    if (root->type->step)
        return root->type->step(root, block, &row, y, weight, scratch);
    double f = root->type->predict(root, block, &row, scratch);
    root->type->update(root, block, &row, y, weight, scratch);
    return f;
}

double anb_train_one(StreamingLearner *model, const double *x, double y, double weight)
{
    const AnbPlan *plan = model->plan;
    if (plan->direct && weight == 1) {
        double f = plan->direct->step(plan->nodes, anb_block(model), x, y, anb_scratch_kept(model), &model->counters);
        if (f - f == 0) {
            model->counters.trained++;
            return f;
        }
    }
    return train_checked(model, x, y, weight);
}

void anb_train_many(StreamingLearner *model, const double *x, const double *y, const double *weight, size_t n,
                    double *out)
{
    size_t d = model->plan->nodes[0].n_features;
    for (size_t i = 0; i < n; i++) {
        double f = anb_train_one(model, x + i * d, y[i], weight ? weight[i] : 1);
        if (out)
            out[i] = f;
    }
}
