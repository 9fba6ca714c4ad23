/* Replaced learners of jobs, as memory for the next clone. */
#ifndef ANB_REDIS_SPARES_H
#define ANB_REDIS_SPARES_H

#include "model.h"

/* A spare from a job of this ticket; without one, if the store is full, the oldest other one; or NULL. Owned by the
 * caller. */
StreamingLearner *anb_spare_take(const Ticket *of, size_t most);
/* Keeps a learner, never NULL, for a second. */
void anb_spare_put(const Ticket *of, StreamingLearner *learner, size_t most);
/* Frees what was kept for long enough; whether others are left. */
bool anb_spare_expire(void);

#endif
