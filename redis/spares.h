/* Learners that jobs have left, for the next clone. */
#ifndef ANB_REDIS_SPARES_H
#define ANB_REDIS_SPARES_H

#include "model.h"

/* The learner that a job of this ticket left behind; where it left none and there are as many as may be, the oldest of the
 * others; or NULL. The caller's. */
StreamingLearner *anb_spare_take(const Ticket *of, size_t most);
/* Keeps a learner, never NULL, for a second. */
void anb_spare_put(const Ticket *of, StreamingLearner *learner, size_t most);
/* Frees what was kept for long enough; whether others are left. */
bool anb_spare_expire(void);

#endif
