/*
 * One thread learns, any number of threads predict from the same model meanwhile, and none of them waits for another.
 *
 *     AnbServer *server = anb_serve_new(model, 64, &error);               // the learning thread
 *     anb_serve_train(server, x, y, 1);
 *
 *     AnbServeReader *reader = anb_serve_reader_new(server, &error);      // each predicting thread
 *     double f = anb_serve_predict(reader, x);
 *
 * The server keeps two copies of the model's block: readers see one, the learner writes the other. Every `interval`
 * events (samples, rows that wait, labels) they change places, and the learner repeats on the copy that it got back
 * what it had missed:
 *
 *     copy 0   [ learn 64 ] swap [ ......... read ......... ] swap [ repeat 64, learn 64 ]
 *     copy 1   [ .. read .. ] swap [ repeat 64, learn 64 ]    swap [ ...... read ........ ]
 *
 * A child process after fork has no reading threads: it must not use its parent's server, whose publications would wait
 * for readers that are gone. It may make one of its own from anb_serve_model.
 *
 * Learning costs twice as much as without a server, predicting what it always does plus two stores. After Ramalhete &
 * Correia 2015, "Left-Right", with one counter a reader.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SERVE_H
#define ANABRANCH_SERVE_H

#include <anabranch/learner.h>
#include <anabranch/observer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbServer AnbServer;
typedef struct AnbServeReader AnbServeReader;

enum { ANB_SERVE_INTERVAL_MAX = 1 << 20, ANB_SERVE_OBSERVERS_MAX = 8 };

/**
 * Makes a server of a model.
 *
 * @param model     copied twice; stays the caller's
 * @param interval  samples, rows that wait and labels from one publication to the next, 1 to ANB_SERVE_INTERVAL_MAX;
 *                  they are kept, at 8 n_features + 32 bytes each
 * @param error     why it failed, or NULL
 * @return          the server, owned by the caller (anb_serve_free), or NULL
 */
ANB_API AnbServer *anb_serve_new(const StreamingLearner *model, size_t interval, AnbError *error);

/** Frees a server; its readers have to be freed before. NULL is fine. */
ANB_API void anb_serve_free(AnbServer *server);

/* ---- the learner thread: one at a time -------------------------------------------------------------------------- */

/**
 * Learns from one sample, as anb_train_one; every interval-th call publishes.
 *
 * @param server  the server
 * @param x       n_features values; NaN marks a missing cell
 * @param y       the target
 * @param weight  >= 0
 * @return        as anb_train_one
 *
 * Cost: two train steps of the model on average. A call that publishes waits for the predictions that were under way,
 * one a reader at most, and repeats interval samples. Never allocates.
 */
ANB_API double anb_serve_train(AnbServer *server, const double *x, double y, double weight);

/**
 * Delayed labels, where the model's root is a pending (pending.h): the learner thread keeps the row that a reader was
 * asked for, and hands in the label when it comes. As anb_predict_pending and anb_learn_label; each counts for the
 * interval and costs twice what it costs there.
 */
ANB_API double anb_serve_predict_pending(AnbServer *server, uint64_t id, const double *x);
ANB_API double anb_serve_learn_label(AnbServer *server, uint64_t id, double y, double weight);

/** Shows the readers all that was learned, now. Cost: as a publishing anb_serve_train. */
ANB_API void anb_serve_publish(AnbServer *server);

/**
 * Lets the learner thread feed an observer: diagnostics, an audit, or one of the caller's own. Each sample and each label is
 * told once, as by anb_observe; a label has no row.
 *
 * @param server    the server
 * @param observer  the caller's; it lives as long as the server, and is read on the learner thread or under the caller's
 *                  own lock
 * @return          0, or ANB_E_LIMIT behind ANB_SERVE_OBSERVERS_MAX
 *
 * Cost: that of the observer, on the learner thread. Since 0.2.
 */
ANB_API int anb_serve_attach(AnbServer *server, AnbObserver *observer);

/** How often was published. */
ANB_API uint64_t anb_serve_version(const AnbServer *server);

/** The learner's copy, with everything learned: for read-outs, anb_save, anb_clone. It lives until the next call of the
 * learner thread on this server. */
ANB_API const StreamingLearner *anb_serve_model(const AnbServer *server);

/* ---- predicting threads: one reader each ------------------------------------------------------------------------ */

/**
 * Registers a reader, from any thread.
 *
 * @return  the reader, owned by the caller (anb_serve_reader_free), or NULL with the reason in error
 *
 * Cost: one allocation for its scratch, and a lock that other registrations and publications hold.
 */
ANB_API AnbServeReader *anb_serve_reader_new(AnbServer *server, AnbError *error);
/** NULL is fine. The server has to be alive. */
ANB_API void anb_serve_reader_free(AnbServeReader *reader);

/**
 * What the published model expects for a row.
 *
 * @param reader  used by one thread at a time
 * @param x       n_features values; NaN marks a missing cell
 * @return        the prediction of one whole published version, at most `interval` samples old; ANB_NAN where the row
 *                was rejected (anb_serve_reader_counters)
 *
 * Wait-free: no lock, no loop, whatever the learner does. Never allocates.
 */
ANB_API double anb_serve_predict(AnbServeReader *reader, const double *x);

/**
 * The interval around that prediction, where the model's root is an interval or a pending around one (interval.h).
 *
 * @param reader    used by one thread at a time
 * @param x         n_features values
 * @param coverage  one of anb_interval_levels
 * @param low       the lower end in the published version, -INFINITY before two labels were scored
 * @param high      the upper end
 * @return          as anb_predict_interval: 0, ANB_E_UNSUPPORTED, ANB_E_ARGUMENT or ANB_E_INPUT
 *
 * Wait-free as anb_serve_predict. Never allocates.
 */
ANB_API int anb_serve_predict_interval(AnbServeReader *reader, const double *x, double coverage, double *low,
                                       double *high);

/** The version that the reader's last prediction saw: 0 before the first publication. */
ANB_API uint64_t anb_serve_reader_version(const AnbServeReader *reader);
ANB_API const AnbCounters *anb_serve_reader_counters(const AnbServeReader *reader);

#ifdef __cplusplus
}
#endif
#endif
