/* Models that were made alike share one plan. */
#ifndef ANB_REDIS_PLAN_CACHE_H
#define ANB_REDIS_PLAN_CACHE_H

#include "model.h"

void anb_plan_cache_add(Model *model);
void anb_plan_cache_remove(Model *model);
/* Puts another learner in the model's place, one made alike, and returns the old one. */
StreamingLearner *anb_plan_cache_swap(Model *model, StreamingLearner *learner);
/* Gives the model and its learner other places, as anb_relocate does; returns where the model is now. */
Model *anb_plan_cache_relocate(Model *model, AnbMove move, void *context);
/* Whether no other model has its plan. */
bool anb_plan_cache_alone(const Model *model);
uint64_t anb_plan_cache_models(void);
uint64_t anb_plan_cache_plans(void);

#endif
