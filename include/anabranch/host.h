/*
 * For programs that host very many models, such as the Redis module: sharing plans, and moving models in memory.
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
 * Makes a model use the plan of another model that was made with the same arguments, and frees its own. With few
 * features a plan takes more memory than the rest of a model.
 *
 * @param model  the model that changes plans; what it predicts does not change
 * @param with   one with the same expression, n_features and allocator, and the same seed where some learner draws
 *               random numbers from it
 * @return       whether the two models share a plan now
 */
ANB_API bool anb_share_plan(StreamingLearner *model, const StreamingLearner *with);

/** Whether some learner of the model draws random numbers from the model's seed. If none does, models that differ only
 * in their seeds may share a plan. Since 0.4. */
ANB_API bool anb_reads_seed(const StreamingLearner *model);

/**
 * Moves a model's memory.
 *
 * @param memory   the model's head, block and scratch, as the model's allocator returned them. Their size is the one
 *                 that the allocator was called with; anb_clone_bytes is larger where something is attached to the
 *                 model
 * @param context  the caller's
 * @return         new memory with the same bytes, the old memory freed; or NULL: nothing was moved
 */
typedef void *(*AnbMove)(void *memory, void *context);

/**
 * Moves a model to another place in memory, for programs that compact their heap.
 *
 * @param model    the model; no thread may use it meanwhile
 * @param move     called once with the memory of head, block and scratch; not called where a type of the model owns
 *                 pointers; the plan is not moved
 * @param context  passed to move
 * @return         the model at its present place; if it was moved, the old pointer and all views are invalid
 *
 * Cost: that of move, and a memmove where the new place has another alignment.
 */
ANB_API StreamingLearner *anb_relocate(StreamingLearner *model, AnbMove move, void *context);

/**
 * As anb_clone, into the memory of a model that is no longer needed: a large model is copied several times faster where
 * no new pages are needed.
 *
 * @param model  what to copy; no thread may change it meanwhile; others may read it, as anb_predict_with does
 * @param spare  a model that is no longer needed, or NULL. Where it shares the plan of the model (a clone of it, or of
 *               a clone) it becomes the copy, else it is freed. In both cases the caller no longer owns it
 * @param error  why it failed, or NULL
 * @return       the copy, owned by the caller, or NULL where memory is out
 *
 * Cost: a memcpy of the block. With a spare of the same plan it allocates only for types that own pointers and for
 * sources of numbered samples. Since 0.4.
 */
ANB_API StreamingLearner *anb_clone_reusing(const StreamingLearner *model, StreamingLearner *spare, AnbError *error);

#ifdef __cplusplus
}
#endif
#endif
