/* All learners and routers, from the lists in the two meson.build files. */
#include "src/text/words.h"
#include <anabranch/learner.h>
#include <anabranch/type.h>
#include <stddef.h>
#include <string.h>

#define ANB_LEARNER(name) extern const StreamingLearnerType anb_##name;
#define ANB_ROUTER_TYPE(name) extern const AnbRouterType anb_router_##name;
#include "learners/registry.inc"
#undef ANB_LEARNER
#undef ANB_ROUTER_TYPE

static const StreamingLearnerType *const learners[] = {
#define ANB_LEARNER(name) &anb_##name,
#define ANB_ROUTER_TYPE(name)
#include "learners/registry.inc"
#undef ANB_LEARNER
#undef ANB_ROUTER_TYPE
    NULL};

static const AnbRouterType *const routers[] = {
#define ANB_LEARNER(name)
#define ANB_ROUTER_TYPE(name) &anb_router_##name,
#include "learners/registry.inc"
#undef ANB_LEARNER
#undef ANB_ROUTER_TYPE
    NULL};

const StreamingLearnerType *const *anb_learner_types(void)
{
    return learners;
}

const AnbRouterType *const *anb_router_types(void)
{
    return routers;
}

/* Names of version 0.1 that expressions and snapshots may still hold, and the present names. */
typedef struct Alias {
    const char *old, *now;
} Alias;
static const Alias learner_aliases[] = {{"chain", "residual"}, {"lags", "residual_ar"}, {0}};
static const Alias router_aliases[] = {{"soft", "softmax"}, {0}};

/* The present name: the name itself where it is no alias. */
static const char *present(const Alias *aliases, const char *name, size_t *n)
{
    for (; aliases->old; aliases++)
        if (anb_same_word(aliases->old, name, *n)) {
            *n = strlen(aliases->now);
            return aliases->now;
        }
    return name;
}

const StreamingLearnerType *anb_learner_find(const char *name, size_t n)
{
    name = present(learner_aliases, name, &n);
    for (const StreamingLearnerType *const *type = learners; *type; type++)
        if (anb_same_word((*type)->name, name, n))
            return *type;
    return NULL;
}

const AnbRouterType *anb_router_find(const char *name, size_t n)
{
    name = present(router_aliases, name, &n);
    for (const AnbRouterType *const *router = routers; *router; router++)
        if (anb_same_word((*router)->type.name, name, n))
            return *router;
    return NULL;
}
