/* Data beside a model: errors, counts of intervals that contained the target, cursors of streams. */
#ifndef ANB_REDIS_BESIDE_H
#define ANB_REDIS_BESIDE_H

#include "model.h"

/* Which of the model's intervals for the last row learned contained y: a bit for each coverage, and BOUND_KNOWN where
 * there were intervals. */
enum { BOUND_KNOWN = 1 << ANB_LEVELS_MAX };
unsigned anb_beside_bound(const StreamingLearner *learner, double y);
void anb_beside_score(Scores *scores, double y, double prediction, unsigned bound);
/* The cursor of a stream, a new one where there is none; NULL where the name or one stream more is refused. */
Feed *anb_feed_add(Model *model, const char *stream, size_t n);
/* Removes a stream that was added and not read. */
void anb_feed_drop_unread(Model *model);
void anb_beside_copy(const Model *model, Model *copy);
void anb_beside_reset(Model *model);
/* Reads one of the module's notes into a model with d columns; false for notes of others. */
bool anb_beside_take(Model *model, const AnbNote *note, size_t d);
typedef struct AnbBesideNotes AnbBesideNotes;
/* Fills the extras of a snapshot from the model's notes and counts. They are valid as long as the returned memory,
 * which may be NULL and is freed by the caller (RedisModule_Free). */
AnbBesideNotes *anb_beside_notes(const Model *model, bool scores, AnbSnapshotExtras *extras);

#endif
