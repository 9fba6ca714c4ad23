/* Learning a row whose answer was given before. */
#ifndef ANB_HOST_ANSWERS_H
#define ANB_HOST_ANSWERS_H

#include "model.h"
#include <anabranch/answer.h>

/* Whether target and weight can be learned; counted where not. */
bool anb_accepts_target(StreamingLearner *model, double y, double weight);
/* Predicts a row again and learns it; the stored answer is scored. Returns false where the row is rejected, which is
 * counted. */
bool anb_learn_row(StreamingLearner *model, const double *x, double y, double weight, const AnbAnswer *then);

#endif
