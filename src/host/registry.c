/* Every learner and router there is, from the lists in the two meson.build files. */
#include <anabranch/learner.h>
#include <anabranch/type.h>
#include <stddef.h>

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
