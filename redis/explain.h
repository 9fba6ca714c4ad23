/* Explanations of predictions. */
#ifndef ANB_REDIS_EXPLAIN_H
#define ANB_REDIS_EXPLAIN_H

#include "model.h"
#include <anabranch/explain.h>

/* An explainer with the model's rows, the caller's; NULL where memory is out. */
AnbExplainer *anb_background_explainer(const Model *model);
int anb_explanation_reply(RedisModuleCtx *ctx, const AnbExplanation *why, const AnbSchema *schema);

#endif
