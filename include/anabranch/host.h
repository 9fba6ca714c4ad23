/*
 * For programs that host very many models, as the module for Redis does: sharing plans, and moving models in memory.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_HOST_H
#define ANABRANCH_HOST_H

#include <anabranch/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Lets a model use the plan of another that was made alike, as its clones do, and gives its own back. At few features a
 * plan takes more memory than the rest of a model.
 *
 * @param model  the model that changes plans; what it predicts does not change
 * @param with   one with the same expression, n_features and allocator, and the same seed where some learner draws random numbers
 *               from it
 * @return       whether they share a plan now
 */
ANB_API bool anb_share_plan(StreamingLearner *model, const StreamingLearner *with);

/** Whether some learner of the model draws random numbers from the model's seed: else models that differ in it alone are the same
 * and may share a plan. Since 0.4. */
ANB_API bool anb_reads_seed(const StreamingLearner *model);

/**
 * Moves a model's memory.
 *
 * @param memory   what the model's allocator gave for head, block and scratch. Its size is the one that the allocator was asked
 *                 for; anb_clone_bytes is larger where something is attached to the model
 * @param context  the caller's
 * @return         the new place with the same bytes, the old one given back; or NULL: they stay
 */
typedef void *(*AnbMove)(void *memory, void *context);

/**
 * Lets an owner of the allocator that compacts its heap give a model another place.
 *
 * @param model    the model; nobody may use it meanwhile
 * @param move     called once with the memory of head, block and scratch, and not where a type of the model owns pointers;
 *                 the plan stays where it is
 * @param context  handed to move
 * @return         the model where it is now; where that is another place, the old pointer and all views are void
 *
 * Cost: what move costs, and a memmove where the new place is aligned otherwise.
 */
ANB_API StreamingLearner *anb_relocate(StreamingLearner *model, AnbMove move, void *context);

/**
 * As anb_clone, in memory that is there already: a large model is copied several times faster where its pages need not be
 * asked for again.
 *
 * @param model  what to copy; nobody may change it meanwhile, others may read it, as anb_predict_with does
 * @param spare  a model that nobody needs any more, or NULL. Where it shares the plan of the model (a clone of it, or of a
 *               clone) it becomes the copy; else it is freed. In any case it is no longer the caller's
 * @param error  why it failed, or NULL
 * @return       the copy, owned by the caller, or NULL where memory is out
 *
 * Cost: a memcpy of the block; no allocation for a spare of the same plan but for types that own pointers and for sources of
 * numbered samples. Since 0.4.
 */
ANB_API StreamingLearner *anb_clone_reusing(const StreamingLearner *model, StreamingLearner *spare, AnbError *error);

#ifdef __cplusplus
}
#endif
#endif
