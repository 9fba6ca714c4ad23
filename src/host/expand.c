/* Copies a tree of learners for the plan: checks it, completes the options, and replaces presets by their
 * expansions. */
#include "expand.h"
#include "capability.h"
#include "expression.h"
#include "params.h"
#include "plan.h"
#include <string.h>

/* ---- presets: a copy of the tree in which each stands replaced by what it expands to ----------------------------- */

AnbExpert *anb_own_children(AnbArena *arena, AnbExpert *expert)
{
    AnbExpert *children = anb_arena_take(arena, expert->n_children * sizeof *children);
    if (!children)
        return NULL;
    if (expert->n_children > 0)
        memcpy(children, expert->children, expert->n_children * sizeof *children);
    expert->children = children;
    return children;
}

static int expand_tree(AnbArena *arena, size_t n_features, const AnbModelOptions *options, AnbExpert *expert, int depth,
                       AnbError *error);

static int preset_text(const AnbModelOptions *options, const AnbExpert *expert, size_t n_features, char *text,
                       AnbError *error)
{
    const StreamingLearnerType *type = expert->type;
    bool late = options->late && anb_since_0_3(type) && type->expand_late;
    return (late ? type->expand_late : type->expand)(expert->options, n_features, text, ANB_TEXT_MAX, error);
}

int anb_check_width(const StreamingLearnerType *type, size_t n_features, AnbError *error)
{
    if (n_features >= 1 && n_features <= ANB_FEATURES_MAX)
        return 0;
    return anb_fail(error, ANB_E_LIMIT, "%s would see %zu features; 1 to %d are possible", type->name, n_features,
                    ANB_FEATURES_MAX);
}

static int expand_preset(AnbArena *arena, size_t n_features, const AnbModelOptions *options, AnbExpert *expert,
                         int depth, AnbError *error)
{
    char *text = anb_arena_take(arena, ANB_TEXT_MAX);
    if (!text)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    int code = anb_check_width(expert->type, n_features, error);
    if (!code)
        code = anb_params_check(expert->type, expert->options, error);
    if (!code)
        code = preset_text(options, expert, n_features, text, error);
    if (code)
        return code;
    AnbExpert *made = anb_expression_parse(arena, text, ANB_TEXT_MAX, options->types, error);
    if (!made)
        return error ? error->code : ANB_E_SYNTAX;
    made->warmup = expert->warmup;
    made->name = expert->name;
    *expert = *made;
    return expand_tree(arena, n_features, options, expert, depth + 1, error);
}

/* Whether an expression can contain the name. */
bool anb_is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n > 0 && n <= ANB_NAME_MAX && name[n] == 0;
}

/* Checks what every call relies on, and the name: a model of a type that expressions cannot name could not be
 * loaded. */
static int check_type(const StreamingLearnerType *type, AnbError *error)
{
    if (!type || !type->name)
        return anb_fail(error, ANB_E_ARGUMENT, "an expert without a type");
    if (!anb_is_name(type->name) || (*type->name >= '0' && *type->name <= '9'))
        return anb_fail(error, ANB_E_ARGUMENT, "'%.60s' is no type's name: 1 to %d of a-z, 0-9 and _, no digit first",
                        type->name, ANB_NAME_MAX);
    if (!type->expand && !(type->predict && type->update))
        return anb_fail(error, ANB_E_ARGUMENT, "%s: a type has predict and update", type->name);
    return anb_check_tables(type, error);
}

/* ---- options with all members of this version: the caller's over the defaults; a router's, too ------------------- */

static int own_options(AnbArena *arena, const StreamingLearnerType *type, const void *given, void **own,
                       AnbError *error)
{
    *own = anb_arena_take(arena, type->options_size);
    if (!*own)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    return anb_options_take(type, given, *own, error);
}

static int take_options(AnbArena *arena, AnbExpert *expert, AnbError *error)
{
    const StreamingLearnerType *type = expert->type;
    void *own, *routers;
    int code = own_options(arena, type, expert->options, &own, error);
    for (const AnbParam *p = type->params; !code && p && p->name; p++) {
        AnbRouterChoice *choice = (AnbRouterChoice *)((char *)own + p->offset);
        if (p->kind != ANB_ROUTER || !choice->type)
            continue;
        code = own_options(arena, &choice->type->type, choice->options, &routers, error);
        choice->options = routers;
    }
    expert->options = own;
    return code;
}

/* How many features a preset below a feature map of one child is chosen for. As when the plan is built, the child's
 * node has a type and no more. */
static size_t width_of_child(const AnbExpert *expert, size_t n_features)
{
    AnbNode node = {.type = expert->type, .options = expert->options, .n_children = 1, .n_features = n_features};
    bool maps = expert->type->child_features && expert->n_children == 1 && expert->type->max_children == 1 &&
                anb_params_check(expert->type, expert->options, NULL) == 0;
    const AnbNode child = {.type = maps ? expert->children[0].type : NULL, .parent = &node};
    node.children = &child;
    return maps ? expert->type->child_features(&node, 0) : n_features;
}

static int expand_tree(AnbArena *arena, size_t n_features, const AnbModelOptions *options, AnbExpert *expert, int depth,
                       AnbError *error)
{
    int code = 0;
    if (depth > ANB_DEPTH_MAX)
        return anb_fail(error, ANB_E_LIMIT, "more than %d deep", ANB_DEPTH_MAX);
    if ((code = check_type(expert->type, error)))
        return code;
    if ((code = anb_check_children(expert, error)) || (code = take_options(arena, expert, error)))
        return code;
    if (expert->type->expand)
        return expand_preset(arena, n_features, options, expert, depth, error);
    AnbExpert *children = anb_own_children(arena, expert);
    if (!children)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    size_t width = width_of_child(expert, n_features);
    for (size_t i = 0; i < expert->n_children && !code; i++)
        code = expand_tree(arena, width, options, &children[i], depth + 1, error);
    return code;
}

int anb_expand(AnbArena *arena, size_t n_features, const AnbModelOptions *options, AnbExpert *tree, AnbError *error)
{
    AnbModelOptions own = *options;
    own.late |= tree->type && tree->type->waiting;
    return expand_tree(arena, n_features, &own, tree, 1, error);
}
