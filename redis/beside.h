/* What is counted of a model and kept beside it: errors, intervals that held, cursors of streams. */
#ifndef ANB_REDIS_BESIDE_H
#define ANB_REDIS_BESIDE_H

#include "model.h"

/* Which of the model's intervals held y, as it answered the row that it learned last: a bit for each coverage, and
 * BOUND_KNOWN where it answered any. */
enum { BOUND_KNOWN = 1 << ANB_LEVELS_MAX };
unsigned anb_beside_bound(const StreamingLearner *learner, double y);
void anb_beside_score(Scores *scores, double y, double prediction, unsigned bound);
/* The cursor of a stream, a new one where there is none; NULL where the name or one stream more is refused. */
Feed *anb_feed_add(Model *model, const char *stream, size_t n);
/* Forgets a stream that was added and not read. */
void anb_feed_drop_unread(Model *model);
void anb_beside_copy(const Model *model, Model *copy);
void anb_beside_reset(Model *model);
/* Takes a note of a model with d columns over; false where it is somebody else's. */
bool anb_beside_take(Model *model, const AnbNote *note, size_t d);
typedef struct AnbBesideNotes AnbBesideNotes;
/* Sets the extras to what is kept and what is counted; they live as long as what is returned, which may be NULL: the
 * caller's to free by RedisModule_Free. */
AnbBesideNotes *anb_beside_notes(const Model *model, bool scores, AnbSnapshotExtras *extras);

#endif
