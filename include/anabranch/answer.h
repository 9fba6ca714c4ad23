/*
 * Answers: the prediction made for a row, stored until its target is known. One thread may predict by a reader of a
 * published version while another learns: the prediction that is scored later is the stored one.
 *
 *     AnbReader *reader = anb_reader_new(model, &error);
 *     AnbAnswer answer;
 *     anb_answer_with(model, reader, x, &answer);     // a reader predicts
 *     anb_train_answered(model, x, y, 1, &answer);    // the learner, when the target is there
 *     anb_reader_free(reader);
 *
 * serve.h does the same through a server.
 *
 * Since 0.3: everything that does not say otherwise.
 */
#ifndef ANABRANCH_ANSWER_H
#define ANABRANCH_ANSWER_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a node predicted for a row, to be scored once the label is known (AnbAnswerTable). All members but `prediction`
 * are for intervals, and have no meaning for a model without them. Since 0.1, in pending.h. */
struct AnbAnswer {
    double prediction, sigma;     /* sigma: the expected scale of the error; 0 where no node scores answers */
    double scored;                /* labels scored before the answer; negative: unknown, as are limit and asked */
    double limit[ANB_LEVELS_MAX]; /* of each level: the largest |y - prediction| / sigma inside its interval */
    double asked[ANB_LEVELS_MAX]; /* of each level: the sum of (wanted - used miscoverage) up to this answer */
};

/**
 * Predicts a row and stores the prediction as an answer.
 *
 * @param model   the model; only read
 * @param reader  of the model or a clone of it
 * @param x       n_features values; NaN marks a missing cell
 * @param answer  filled; owned by the caller
 * @return        0, or ANB_E_INPUT where the row was rejected (anb_reader_counters) or the reader is of another model
 *
 * Cost: as anb_predict_with. Never allocates.
 */
ANB_API int anb_answer_with(const StreamingLearner *model, AnbReader *reader, const double *x, AnbAnswer *answer);

/**
 * The answer for the last row that the model predicted or learned. After a label, or a sample that came with an answer,
 * it is the answer that was scored.
 *
 * @param model   a model with intervals
 * @param answer  filled
 * @return        0, or ANB_E_UNSUPPORTED where no node scores answers
 */
ANB_API int anb_last_answer(const StreamingLearner *model, AnbAnswer *answer);

/**
 * The interval of an answer.
 *
 * @param model     the model that gave the answer, or a clone of it
 * @param answer    its answer
 * @param coverage  one of anb_interval_levels
 * @param low       the lower end; -INFINITY before two labels were scored
 * @param high      the upper end
 * @return          0; ANB_E_UNSUPPORTED where the model has no intervals; ANB_E_ARGUMENT for another coverage
 */
ANB_API int anb_answer_interval(const StreamingLearner *model, const AnbAnswer *answer, double coverage, double *low,
                                double *high);

/**
 * Learns from one sample as anb_train_one; intervals score the answer instead of the model's present prediction.
 *
 * @param model   the model
 * @param x       n_features values
 * @param y       the target
 * @param weight  as anb_train_one
 * @param answer  the answer for the row, by this model or any version of it
 * @return        the answer's prediction; ANB_NAN where the sample was rejected (anb_counters), or the answer holds
 *                numbers that no model gives
 *
 * Cost: as anb_train_one. Never allocates.
 */
ANB_API double anb_train_answered(StreamingLearner *model, const double *x, double y, double weight,
                                  const AnbAnswer *answer);

/**
 * Keeps a row until its label comes, as anb_predict_pending, together with the answer that was given for it. The label
 * will be scored against this answer.
 *
 * @param model   a model whose root is a pending (pending.h)
 * @param id      the caller's name for the row
 * @param x       n_features values, copied
 * @param answer  the answer for the row, copied
 * @return        as anb_train_answered
 *
 * Cost: a prediction, and a copy of the row. Never allocates.
 */
ANB_API double anb_keep_answered(StreamingLearner *model, uint64_t id, const double *x, const AnbAnswer *answer);

#ifdef __cplusplus
}
#endif
#endif
