/* What the host calls to keep a row and to find it again; the rest of `pending` is an ordinary type. */
#ifndef ANB_LEARNERS_PENDING_H
#define ANB_LEARNERS_PENDING_H

#include <anabranch/pending.h>

/* Keeps a row under an id, with what predict has just said and left in the scratch. */
void anb_pending_keep(const AnbNode *self, void *state, const AnbRow *row, uint64_t id, double prediction,
                      double *scratch);
/* The row that waits under the id, or NULL, counted. The answer that was given then is copied. */
const double *anb_pending_find(const AnbNode *self, const void *state, uint64_t id, AnbCounters *counters,
                               AnbAnswer *then);
/* The row has been learned: its id stays known, its row does not. */
void anb_pending_learned(const AnbNode *self, void *state, uint64_t id);
AnbPendingFate anb_pending_entry_fate(const AnbNode *self, const void *state, uint64_t id);
size_t anb_pending_waiting(const AnbNode *self, const void *state);

#endif
