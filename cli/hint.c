/* What an unknown word of an expression may have been meant for: a learner, a router, an option of the learner it is
 * in. */
#include "hint.h"
#include <anabranch/anabranch.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";

static void try_options(Nearest *nearest, const StreamingLearnerType *type)
{
    for (const AnbParam *p = type->params; p && p->name; p++)
        nearest_try(nearest, p->name);
}

static bool takes_router(const StreamingLearnerType *type)
{
    for (const AnbParam *p = type->params; p && p->name; p++)
        if (p->kind == ANB_ROUTER)
            return true;
    return false;
}

/* The name before the bracket that is open at a place; false outside of all. */
static bool enclosing(const char *text, size_t at, const char **name, size_t *size)
{
    int depth = 1;
    while (at > 0 && depth > 0) {
        at--;
        depth += text[at] == ')' ? 1 : text[at] == '(' ? -1 : 0;
    }
    size_t end = at;
    while (at > 0 && strchr(letters, text[at - 1]))
        at--;
    *name = text + at;
    *size = end - at;
    return depth == 0;
}

/* Options of a learner and of its router. */
static void try_keys(Nearest *nearest, const char *text, size_t at)
{
    const char *name;
    size_t size;
    if (!enclosing(text, at, &name, &size))
        return;
    const StreamingLearnerType *learner = anb_learner_find(name, size);
    const AnbRouterType *router = anb_router_find(name, size);
    if (learner)
        try_options(nearest, learner);
    if (router)
        try_options(nearest, &router->type);
    for (const AnbRouterType *const *any = anb_router_types(); learner && takes_router(learner) && *any; any++)
        try_options(nearest, &(*any)->type);
}

static void try_learners(Nearest *nearest)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        nearest_try(nearest, (*type)->name);
}

const char *hint_of(const char *text, size_t at, char hint[HINT_SIZE])
{
    char word[HINT_SIZE];
    size_t n = at < strlen(text) ? strspn(text + at, letters) : 0;
    *hint = 0;
    if (n == 0 || n >= sizeof word)
        return hint;
    memcpy(word, text + at, n);
    word[n] = 0;
    Nearest nearest = {.word = word};
    const char *behind = text + at + n;
    if (behind[strspn(behind, " \t")] == '=')
        try_keys(&nearest, text, at);
    else
        try_learners(&nearest);
    return nearest_hint(&nearest, hint);
}
