#include "plan.h"
#include "arena.h"
#include "expand.h"
#include "expression.h"
#include "params.h"
#include "src/numeric/fields.h"
#include "src/numeric/random.h"
#include <stdio.h>
#include <stdlib.h>

enum { NODES_MAX = 65536 };

static void *from_malloc(size_t size, void *context)
{
    (void)context;
    return malloc(size);
}

static void to_free(void *memory, void *context)
{
    (void)context;
    free(memory);
}

const AnbAllocator *anb_allocator_of(const AnbModelOptions *options)
{
    static const AnbAllocator usual = {from_malloc, to_free, NULL};
    return options->allocator ? options->allocator : &usual;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

typedef struct Measure {
    size_t nodes, bytes; /* bytes of options and names, each on its own boundary */
} Measure;

static const AnbRouterChoice *router_of(const StreamingLearnerType *type, const void *options)
{
    for (const AnbParam *p = type->params; options && p && p->name; p++)
        if (p->kind == ANB_ROUTER)
            return (const AnbRouterChoice *)((const char *)options + p->offset);
    return NULL;
}

/* The type of the router that an expert will hold, or NULL. */
static const StreamingLearnerType *router_type(const AnbExpert *expert)
{
    const AnbRouterChoice *choice = router_of(expert->type, expert->options);
    return choice && choice->type ? &choice->type->type : NULL; /* none named: refused when the options are checked */
}

enum { LABEL_EXTRA = 24, PLAN_ALIGN = 16 };

/* The bytes that `take` will use for a node of the type. */
static size_t own_bytes(const StreamingLearnerType *type, const char *name)
{
    size_t label = name ? strlen(name) + 1 : strlen(type->name) + LABEL_EXTRA;
    size_t places = anb_fields_count(type->fields) + anb_fields_count(type->scratch);
    return anb_round_up(type->options_size, PLAN_ALIGN) + anb_round_up(label, PLAN_ALIGN) +
           anb_round_up(places * sizeof(size_t), PLAN_ALIGN);
}

static void measure(const AnbExpert *expert, Measure *m)
{
    const StreamingLearnerType *router = router_type(expert);
    m->nodes += 1 + (router != NULL);
    m->bytes += own_bytes(expert->type, expert->name) + (router ? own_bytes(router, NULL) : 0);
    for (size_t i = 0; i < expert->n_children; i++)
        measure(&expert->children[i], m);
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

typedef struct Builder {
    AnbPlan *plan;
    size_t next_node;
    unsigned next_index, unseeded; /* nodes before this one that do not count for its seed */
    char *next_byte;
    size_t bytes; /* of block and scratch so far: no more than they will be */
    AnbError *error;
} Builder;

static void *take(Builder *b, size_t size)
{
    void *memory = b->next_byte;
    b->next_byte += anb_round_up(size, PLAN_ALIGN);
    return memory;
}

/* The plan's own copy of a node's options. */
static int copy_options(Builder *b, AnbNode *node, const void *options)
{
    node->options = memcpy(take(b, node->type->options_size), options, node->type->options_size);
    return anb_params_check(node->type, options, b->error);
}

static void set_seed(Builder *b, AnbNode *node)
{
    node->index = b->next_index++;
    node->seed = 0;
    for (const AnbParam *p = node->type->params; p && p->name; p++)
        if (p->kind == ANB_SEED)
            node->seed = *(const uint64_t *)((const char *)node->options + p->offset);
    if (node->seed != 0)
        return;
    node->seed = anb_seed_mix(b->plan->seed, node->index - b->unseeded);
    b->plan->reads_seed |= !(node->type->flags & ANB_SEEDLESS);
}

static int check_place(const Builder *b, const AnbNode *node)
{
    bool root_only = node->type->flags & ANB_ROOT_ONLY;
    if (root_only && node->parent && !(node->parent->type->flags & ANB_ROOT_ONLY))
        return anb_fail(b->error, ANB_E_ARGUMENT, "%s stands only at the root", node->type->name);
    return anb_check_width(node->type, node->n_features, b->error);
}

/* state: bytes; scratch: doubles. */
static int add_size(Builder *b, AnbNode *node, size_t state, size_t scratch)
{
    size_t limit = b->plan->max_bytes;
    bool possible = state < SIZE_MAX / 4 && scratch < SIZE_MAX / 4 / sizeof(double);
    node->state_size = anb_round_up(state, ANB_ALIGN);
    node->scratch_size = anb_round_up(scratch, ANB_ALIGN / sizeof(double));
    bool compact = node->type->flags & ANB_COMPACT;
    size_t bytes = compact ? state : node->state_size + node->scratch_size * sizeof(double);
    if (!possible || bytes > limit - b->bytes)
        return anb_fail(b->error, ANB_E_LIMIT,
                        "%s over %zu features takes %.4g MB, which brings the model over its limit of "
                        "%.4g MB (max_bytes)",
                        node->type->name, node->n_features, ((double)state + (double)scratch * sizeof(double)) / 1e6,
                        (double)limit / 1e6);
    b->bytes += bytes;
    return 0;
}

/* Computes the sizes that the node needs from the type's tables, and stores the offset of each field in the plan. */
static int place_fields(Builder *b, AnbNode *node)
{
    const StreamingLearnerType *type = node->type;
    size_t n = anb_fields_count(type->fields);
    size_t *at = take(b, (n + anb_fields_count(type->scratch)) * sizeof *at);
    node->field_at = at;
    node->scratch_at = at + n;
    size_t state = anb_fields_layout(type->fields, node, at);
    size_t scratch = anb_fields_layout(type->scratch, node, at + n);
    return add_size(b, node, state, (scratch + sizeof(double) - 1) / sizeof(double));
}

static int build_node(Builder *b, AnbNode *node, const AnbExpert *expert);

static int build_router(Builder *b, AnbNode *node, const AnbRouterChoice *choice)
{
    AnbNode *router = anb_view_of(&node->children[node->n_children]);
    const void *given = choice->options;
    /* the plan's copy of the mixture's options must not point at the caller's */
    ((AnbRouterChoice *)anb_view_of(choice))->options = NULL;
    AnbExpert expert = {.type = &choice->type->type, .options = given};
    int code = anb_check_router_tables(choice->type, b->error);
    return code ? code : build_node(b, router, &expert);
}

/* The children's places behind the node's own state and scratch. */
static void lay_out(AnbNode *node, size_t parts)
{
    size_t state = node->state_size, scratch = node->scratch_size;
    for (size_t i = 0; i < parts; i++) {
        AnbNode *child = anb_view_of(&node->children[i]);
        child->state_offset = state;
        child->scratch_offset = scratch;
        state += child->subtree_size;
        scratch += child->scratch_size;
    }
    node->subtree_size = state;
    node->scratch_size = scratch;
}

/* How many nodes do not count for seeds: before the child of a node with ANB_SEEDS_ANEW all but those that may stand
 * only at the root. */
static unsigned nodes_outside(const Builder *b, const AnbNode *node)
{
    unsigned roots = 0;
    if (!(node->type->flags & ANB_SEEDS_ANEW))
        return b->unseeded;
    for (; node; node = node->parent)
        roots += (node->type->flags & ANB_ROOT_ONLY) != 0;
    return b->next_index - roots;
}

static int build_children(Builder *b, AnbNode *node, const AnbExpert *expert)
{
    int code = 0;
    unsigned unseeded = b->unseeded;
    b->unseeded = nodes_outside(b, node);
    for (size_t i = 0; i < node->n_children && !code; i++) {
        AnbNode *child = anb_view_of(&node->children[i]);
        child->n_features = node->type->child_features ? node->type->child_features(node, i) : node->n_features;
        code = build_node(b, child, &expert->children[i]);
    }
    if (!code && node->router)
        code = build_router(b, node, router_of(node->type, node->options));
    b->unseeded = unseeded;
    return code;
}

enum { SPAN = 500 }; /* of a gate whose node is no mixture; the mixture's default as well */

static AnbGatePlan gate_plan(const AnbNode *node)
{
    AnbGatePlan plan = {.k = node->n_children, .span = SPAN};
    if (node->type->mixture)
        plan.span = node->type->mixture->span(node);
    plan.span = plan.span < 1 ? 1 : plan.span;
    for (; node; node = node->parent)
        plan.standardized |= (node->type->flags & ANB_COMPLETES) != 0;
    return plan;
}

static void place_children(Builder *b, AnbNode *node, const AnbExpert *expert)
{
    const AnbRouterChoice *choice = router_of(node->type, node->options);
    AnbNode *children = &b->plan->nodes[b->next_node];
    b->next_node += expert->n_children + (choice != NULL);
    node->children = children;
    node->n_children = expert->n_children;
    for (size_t i = 0; i < expert->n_children; i++)
        children[i] = (AnbNode){.type = expert->children[i].type, .parent = node};
    if (choice) {
        children[expert->n_children] =
            (AnbNode){.type = &choice->type->type, .parent = node, .n_features = node->n_features};
        children[expert->n_children].gate = gate_plan(node);
        node->router = &children[expert->n_children];
    }
}

static int set_attributes(Builder *b, AnbNode *node, const AnbExpert *expert)
{
    size_t which = node->parent ? (size_t)(node - node->parent->children) : 0;
    if (expert->warmup < 0 || expert->warmup > ANB_WARMUP_MAX)
        return anb_fail(b->error, ANB_E_ARGUMENT, "%s: warmup = %d is outside [0, %d]", expert->type->name,
                        expert->warmup, ANB_WARMUP_MAX);
    if (expert->name && !anb_is_name(expert->name))
        return anb_fail(b->error, ANB_E_ARGUMENT, "%s: a name is 1 to %d of a-z, 0-9 and _", expert->type->name,
                        ANB_NAME_MAX);
    bool of_mixture = node->parent && (node->parent->router || node->parent->type->mixture);
    if ((expert->warmup > 0 || expert->name) && !of_mixture)
        return anb_fail(b->error, ANB_E_ARGUMENT, "%s: warmup and name are for the experts of a mixture",
                        expert->type->name);
    node->warmup = expert->warmup;
    if (expert->name)
        node->name = node->label = memcpy(take(b, strlen(expert->name) + 1), expert->name, strlen(expert->name) + 1);
    else {
        size_t size = strlen(expert->type->name) + LABEL_EXTRA;
        char *label = take(b, size);
        snprintf(label, size, "%s_%zu", expert->type->name, which);
        node->label = label;
    }
    return 0;
}

static int build_node(Builder *b, AnbNode *node, const AnbExpert *expert)
{
    int code = set_attributes(b, node, expert);
    if (code)
        return code;
    code = copy_options(b, node, expert->options);
    if (code || (code = check_place(b, node)))
        return code;
    set_seed(b, node);
    place_children(b, node, expert);
    if (node->type->check && (code = node->type->check(node, b->error)))
        return code;
    code = build_children(b, node, expert);
    if (code)
        return code;
    code = place_fields(b, node);
    if (code)
        return code;
    lay_out(node, node->n_children + (node->router != NULL));
    b->plan->owns_pointers |= node->type->clear != NULL;
    return 0;
}

/* ---- what the whole tree can take -------------------------------------------------------------------------------- */

static bool takes_missing(const AnbNode *node, bool x_complete, bool raw_complete)
{
    unsigned flags = node->type->flags;
    if (!(flags & ANB_TAKES_MISSING) &&
        (((flags & ANB_READS_X) && !x_complete) || ((flags & ANB_READS_RAW) && !raw_complete)))
        return false;
    bool x = x_complete || (flags & ANB_COMPLETES), raw = raw_complete;
    for (size_t i = 0; i < node->n_children; i++) {
        /* such rows are complete as they are */
        bool mapped = node->children[i].n_features != node->n_features && !(flags & ANB_KEEPS_MISSING);
        if (!takes_missing(&node->children[i], x || mapped, raw || mapped))
            return false;
    }
    return !node->router || takes_missing(node->router, x, raw);
}

static const AnbNode *first_mixture(const AnbNode *node)
{
    if (node->type->mixture)
        return node;
    for (size_t i = 0; i < node->n_children; i++) {
        const AnbNode *found = first_mixture(&node->children[i]);
        if (found)
            return found;
    }
    return NULL;
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

/* The head and the nodes, up to where options and names start. */
static size_t node_bytes(size_t nodes)
{
    return anb_round_up(sizeof(AnbPlan) + nodes * sizeof(AnbNode), PLAN_ALIGN);
}

static AnbPlan *allocate(const Measure *m, const AnbModelOptions *options, AnbError *error)
{
    const AnbAllocator *allocator = anb_allocator_of(options);
    size_t bytes = node_bytes(m->nodes) + m->bytes;
    if (m->nodes > NODES_MAX) {
        anb_fail(error, ANB_E_LIMIT, "a model of %zu learners; %d are possible", m->nodes, NODES_MAX);
        return NULL;
    }
    if (bytes > options->max_bytes) {
        anb_fail(error, ANB_E_LIMIT,
                 "the plan of %zu learners takes %zu bytes, over the model's limit of %zu (max_bytes)", m->nodes, bytes,
                 options->max_bytes);
        return NULL;
    }
    AnbPlan *plan = allocator->alloc(bytes, allocator->context);
    if (!plan) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    memset(plan, 0, bytes);
    atomic_init(&plan->references, 1);
    plan->allocator = *allocator;
    plan->seed = options->seed;
    plan->max_bytes = options->max_bytes;
    plan->n_nodes = m->nodes;
    plan->bytes = bytes;
    plan->nodes = (AnbNode *)(plan + 1);
    return plan;
}

/* Both expressions in one piece of memory. */
static int keep_texts(AnbPlan *plan, AnbError *error)
{
    const AnbNode *root = &plan->nodes[0];
    size_t length = anb_expression_print(root, false, NULL, 0) + 1;
    size_t full = anb_expression_print(root, true, NULL, 0) + 1;
    char *text = plan->allocator.alloc(length + full, plan->allocator.context);
    if (!text)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    anb_expression_print(root, false, text, length);
    anb_expression_print(root, true, text + length, full);
    plan->expression = text;
    plan->full_expression = text + length;
    plan->bytes += length + full;
    return 0;
}

/* That of a root without children. */
static const AnbDirectTable *direct_way(const AnbPlan *plan)
{
    const StreamingLearnerType *type = plan->nodes[0].type;
    return plan->n_nodes == 1 && anb_since_0_3(type) ? type->direct : NULL;
}

static int build(AnbPlan *plan, size_t n_features, const AnbExpert *root, AnbError *error)
{
    Builder b = {.plan = plan, .next_node = 1, .next_byte = (char *)plan + node_bytes(plan->n_nodes), .error = error};
    b.bytes = plan->bytes;
    plan->nodes[0] = (AnbNode){.type = root->type, .n_features = n_features};
    int code = build_node(&b, &plan->nodes[0], root);
    if (code)
        return code;
    plan->takes_missing = takes_missing(&plan->nodes[0], false, false);
    plan->moe = first_mixture(&plan->nodes[0]);
    plan->direct = direct_way(plan);
    plan->look = anb_look_of(plan->nodes[0].type, plan->direct);
    anb_plan_close_up(plan);
    return keep_texts(plan, error);
}

AnbPlan *anb_plan_new(size_t n_features, const AnbExpert *root, const AnbModelOptions *options, AnbError *error)
{
    AnbArena arena = {.allocator = anb_allocator_of(options)};
    AnbExpert tree = *root;
    AnbPlan *plan = NULL;
    Measure m = {0};
    if (anb_expand(&arena, n_features, options, &tree, error))
        goto done;
    measure(&tree, &m);
    plan = allocate(&m, options, error);
    if (plan && build(plan, n_features, &tree, error)) {
        anb_plan_drop(plan);
        plan = NULL;
    }
done:
    anb_arena_free(&arena);
    return plan;
}

AnbPlan *anb_plan_keep(AnbPlan *plan)
{
    atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
    return plan;
}

void anb_plan_drop(AnbPlan *plan)
{
    if (atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) != 1)
        return;
    AnbAllocator allocator = plan->allocator;
    if (plan->expression)
        allocator.free(anb_view_of(plan->expression), allocator.context);
    allocator.free(plan, allocator.context);
}

size_t anb_node_state_offset(const AnbNode *node)
{
    size_t offset = 0;
    for (; node->parent; node = node->parent)
        offset += node->state_offset;
    return offset;
}

size_t anb_node_scratch_offset(const AnbNode *node)
{
    size_t offset = 0;
    for (; node->parent; node = node->parent)
        offset += node->scratch_offset;
    return offset;
}
