/* Turns the tree of structs that a caller gives into the one that a plan is built from. */
#ifndef ANB_HOST_EXPAND_H
#define ANB_HOST_EXPAND_H

#include "arena.h"
#include <anabranch/learner.h>
#include <anabranch/type.h>

/* Whether a text may name a type or an expert: 1 to ANB_NAME_MAX of a-z, 0-9 and _. */
bool anb_is_name(const char *name);
/* Copies the expert's children into the arena, where they can be changed; NULL where there is no memory. */
AnbExpert *anb_own_children(AnbArena *arena, AnbExpert *expert);
/* Refuses a learner that would see no feature, or more than ANB_FEATURES_MAX. */
int anb_check_width(const StreamingLearnerType *type, size_t n_features, AnbError *error);
/* Checks a tree and completes it in place, its children copied into the arena: every options struct as this version
 * knows it, every preset replaced by the learner that it stands for. 0 or a code with the reason. */
int anb_expand(AnbArena *arena, size_t n_features, const AnbModelOptions *options, AnbExpert *tree, AnbError *error);

#endif
