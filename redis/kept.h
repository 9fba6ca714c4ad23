/* What a snapshot holds beside its model: names and kinds of its columns, and notes of others. */
#ifndef ANB_REDIS_KEPT_H
#define ANB_REDIS_KEPT_H

#include <anabranch/schema.h>
#include <anabranch/snapshot.h>
#include <stddef.h>

typedef struct Kept {
    _Atomic unsigned owners;
    size_t bytes; /* of all of it */
    AnbSnapshotExtras extras;
} Kept;

/* A copy of what is there; NULL where nothing is. */
Kept *anb_kept_new(const AnbSnapshotExtras *extras, size_t n_features);
/* Adds, or drops, a reference; NULL is fine. */
Kept *anb_kept_share(Kept *kept);
void anb_kept_drop(Kept *kept);
/* The names and kinds of the model's columns, the caller's to drop; NULL where it has none. */
AnbSchema *anb_kept_schema(const Kept *kept, const StreamingLearner *learner);
AnbSchemaOptions anb_schema_options(void);

#endif
