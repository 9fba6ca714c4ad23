/*
 * Labels that come later: a service predicts now and learns the truth minutes or days after.
 *
 *     StreamingLearner *model = anb_parse(8, "pending(scale(moe(linear, rls)), capacity=10000)", NULL, NULL);
 *     uint64_t order = 4711;
 *     double said = anb_predict_pending(model, order, x);
 *     anb_learn_label(model, order, y, 1);   // minutes or days later
 *     anb_free(model);
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_PENDING_H
#define ANABRANCH_PENDING_H

#include <anabranch/answer.h>
#include <anabranch/learner.h>
#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pending(child, capacity=240): keeps the rows that wait for their labels in a ring; the oldest gives way: choose one more
 * than the rows that come between a row and its label. Stands at the root. Memory of a row: 8 (n_features + 1) bytes, around
 * intervals 8 (n_features + 3 + 2 levels), and 26 to 34 for its id, from a capacity of 32,768 on 34 to 50. Weight class:
 * scaled (the child as it is). Plain predict and train_one pass it by.
 */
typedef struct AnbPendingOptions {
    size_t size;  /* of this struct; set by the defaults */
    int capacity; /* 240, before 0.4 1024; rows that may wait at a time, 1 to 1,048,576 */
} AnbPendingOptions;
ANB_API extern const StreamingLearnerType anb_pending;
ANB_DEFAULTS(AnbPendingOptions, anb_pending)

/**
 * Predicts a row and keeps it, with the answer, until its label comes. An id that waits already is replaced, as the newest row of
 * the ring: the oldest gives way all the same.
 *
 * @param model  a model whose root is a pending
 * @param id     the caller's name for the row
 * @param x      n_features values, copied
 * @return       the prediction; ANB_NAN where the row was rejected (anb_counters) or the model is no pending one
 *
 * Cost: a prediction, and a copy of the row. Never allocates.
 */
ANB_API double anb_predict_pending(StreamingLearner *model, uint64_t id, const double *x);

/**
 * The id of a row that is named by a text, such as an order's number: a whole number below 2^64 is itself, any other text
 * is hashed as a category is (anb_category). 007 and 7 are the same id. The service, Python and the module for Redis name rows so.
 *
 * @param text  n bytes; need not end with 0
 * @param n     at least 1
 * @return      the id for anb_predict_pending, anb_learn_label and their like
 *
 * Two of a million other texts share an id with a chance of about 1e-4. Cost: as anb_category. Since 0.11.
 */
ANB_API uint64_t anb_label_id(const char *text, size_t n);

/**
 * Learns a row that waited, as anb_train_one would now: experts and gate from a fresh pass, since the model has moved
 * on. Intervals score what was answered then.
 *
 * @param model   a model whose root is a pending
 * @param id      the row's
 * @param y       its target, finite
 * @param weight  as of anb_train_one; 0 learns nothing and leaves the row waiting
 * @return        what was answered then: the prediction that metrics should score. ANB_NAN where the label was refused:
 *                anb_counters says whether the id is unknown, has been learned already, or was evicted, or whether y or
 *                the weight is wrong, which leaves the row waiting
 *
 * Cost: a look-up and anb_train_one.
 */
ANB_API double anb_learn_label(StreamingLearner *model, uint64_t id, double y, double weight);

/** Whether rows can wait in the model: its root keeps them (AnbWaitingTable). */
ANB_API bool anb_keeps_pending(const StreamingLearner *model);

/** What became of a row. */
typedef enum AnbPendingFate {
    ANB_PENDING_UNKNOWN,
    ANB_PENDING_WAITING,
    ANB_PENDING_LEARNED,
    ANB_PENDING_EVICTED
} AnbPendingFate;

/** The fate of an id, without counting anything; an id is forgotten 2 x capacity rows after its own. */
ANB_API AnbPendingFate anb_pending_fate(const StreamingLearner *model, uint64_t id);

/** Rows that wait. 0 where the model is no pending one. */
ANB_API size_t anb_n_pending(const StreamingLearner *model);

#ifdef __cplusplus
}
#endif
#endif
