/*
 * Delayed labels: a service predicts a row now and gets its target minutes or days later.
 *
 *     StreamingLearner *model = anb_parse(8, "pending(scale(moe(linear, rls)), capacity=10000)", NULL, NULL);
 *     uint64_t order = 4711;
 *     double f = anb_predict_pending(model, order, x);
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
 * pending(child, capacity=240): keeps rows until their labels come, in a ring in which a new row replaces the oldest.
 * Choose a capacity larger than the number of rows that come between a row and its label. Stands at the root. Memory of
 * a row: 8 (n_features + 1) bytes, around intervals 8 (n_features + 3 + 2 levels), and 26 to 34 for its id, from a
 * capacity of 32,768 on 34 to 50. Weight class: scaled (the child as it is). Plain predict and train_one keep no row.
 */
typedef struct AnbPendingOptions {
    size_t size;  /* of this struct; set by the defaults */
    int capacity; /* 240, before 0.4 1024; rows kept at a time, 1 to 1,048,576 */
} AnbPendingOptions;
ANB_API extern const StreamingLearnerType anb_pending;
ANB_DEFAULTS(AnbPendingOptions, anb_pending)

/**
 * Predicts a row and keeps it, with the answer, until its label comes. If a row is kept under the id already, the new
 * row replaces it as the newest of the ring; the oldest row of a full ring is dropped in this case too.
 *
 * @param model  a model whose root is a pending
 * @param id     the caller's name for the row
 * @param x      n_features values, copied
 * @return       the prediction; ANB_NAN where the row was rejected (anb_counters) or the root is not a pending
 *
 * Cost: a prediction, and a copy of the row. Never allocates.
 */
ANB_API double anb_predict_pending(StreamingLearner *model, uint64_t id, const double *x);

/**
 * The id of a row that is named by a text, such as an order number: of a whole number below 2^64 the number itself, of
 * any other text a hash, as of a category (anb_category). 007 and 7 are the same id. The service, the Python package
 * and the Redis module use this function.
 *
 * @param text  n bytes; need not end with 0
 * @param n     at least 1
 * @return      the id for anb_predict_pending, anb_learn_label and their like
 *
 * Among a million hashed texts two share an id with a probability of about 1e-4. Cost: as anb_category. Since 0.11.
 */
ANB_API uint64_t anb_label_id(const char *text, size_t n);

/**
 * Learns a kept row with its label, as anb_train_one would now: the present model predicts the row again before it
 * learns. Intervals score the answer that was given when the row was predicted.
 *
 * @param model   a model whose root is a pending
 * @param id      the row's
 * @param y       its target, finite
 * @param weight  as of anb_train_one; 0 learns nothing and keeps the row
 * @return        the prediction that was given for the row, which metrics should score. ANB_NAN where the label was
 *                refused: anb_counters tells whether the id is unknown, learned already or evicted, or whether y or the
 *                weight is invalid; in the last case the row is kept
 *
 * Cost: a look-up and anb_train_one.
 */
ANB_API double anb_learn_label(StreamingLearner *model, uint64_t id, double y, double weight);

/** Whether the model can keep rows for delayed labels: its root has an AnbWaitingTable. */
ANB_API bool anb_keeps_pending(const StreamingLearner *model);

/** The status of an id. */
typedef enum AnbPendingFate {
    ANB_PENDING_UNKNOWN,
    ANB_PENDING_WAITING,
    ANB_PENDING_LEARNED,
    ANB_PENDING_EVICTED
} AnbPendingFate;

/** The status of an id; counts nothing. An id is unknown again once 2 x capacity rows were kept after its own. */
ANB_API AnbPendingFate anb_pending_fate(const StreamingLearner *model, uint64_t id);

/** How many rows are kept; 0 where the root is not a pending. */
ANB_API size_t anb_n_pending(const StreamingLearner *model);

#ifdef __cplusplus
}
#endif
#endif
