/* Equal models share one plan. */
#ifndef ANB_REDIS_PLAN_CACHE_H
#define ANB_REDIS_PLAN_CACHE_H

#include "model.h"

void anb_plan_cache_add(Model *model);
void anb_plan_cache_remove(Model *model);
/* Replaces a model's learner by an equal one, and returns the old one. */
StreamingLearner *anb_plan_cache_swap(Model *model, StreamingLearner *learner);
/* Moves the model and its learner in memory, as anb_relocate; returns the model's present place. */
Model *anb_plan_cache_relocate(Model *model, AnbMove move, void *context);
/* Whether no other model has its plan. */
bool anb_plan_cache_alone(const Model *model);
uint64_t anb_plan_cache_models(void);
uint64_t anb_plan_cache_plans(void);

#endif
