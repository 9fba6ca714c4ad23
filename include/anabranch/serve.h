/*
 * One thread learns, any number of threads predict from the same model meanwhile, and no prediction waits.
 *
 *     AnbServer *server = anb_serve_new(model, 64, &error);
 *     anb_serve_train(server, x, y, 1);                                   // the learner
 *
 *     AnbServeReader *reader = anb_serve_reader_new(server, &error);      // each predicting thread
 *     double f = anb_serve_predict(reader, x);
 *
 * The server keeps two copies of the model's block: readers see one, the learner writes the other. Every `interval`
 * events (samples, rows that wait, labels), or so many seconds after the first of them, they change places, and the learner
 * repeats on the copy that it got back what it had missed:
 *
 *     copy 0   [ learn 64 ] swap [ ......... read ......... ] swap [ repeat 64, learn 64 ]
 *     copy 1   [ .. read .. ] swap [ repeat 64, learn 64 ]    swap [ ...... read ........ ]
 *
 * Threads. The learner's functions may be called from any thread: they take turns under a lock. A reader belongs to one
 * thread at a time. Who publishes sleeps until the predictions that were under way on the copy that it takes are over.
 *
 * A child process after fork has the published version and can read it, with the readers that it has or new ones. It does
 * not learn: what the child's copy was about to learn is the parent's, whose other threads the child does not have. There
 * anb_serve_is_child is true, learning is refused, publishing does nothing, and anb_serve_model is the published version.
 *
 * Learning costs twice as much as without a server, predicting what it always does plus two ordered stores. After Ramalhete
 * & Correia 2015, "Left-Right", with one counter a reader.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SERVE_H
#define ANABRANCH_SERVE_H

#include <anabranch/answer.h>
#include <anabranch/learner.h>
#include <anabranch/moe.h>
#include <anabranch/observer.h>
#include <anabranch/sequence.h>
#include <anabranch/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbServer AnbServer;
typedef struct AnbServeReader AnbServeReader;

enum { ANB_SERVE_INTERVAL_MAX = 1 << 20, ANB_SERVE_OBSERVERS_MAX = 8 };

/** When readers see what was learned. Starts from anb_serve_defaults(). Since 0.3. */
typedef struct AnbServeOptions {
    size_t size;     /* of this struct; set by the defaults */
    size_t interval; /* 64; events from one publication to the next, 1 to ANB_SERVE_INTERVAL_MAX */
    double seconds;  /* 0; the longest that an event stays unpublished, 0.001 to 86,400; 0: only events count. A thread
                        of the server's own sees to it */
} AnbServeOptions;
/** Fills the first `size` bytes of the defaults: what anb_serve_defaults calls. Since 0.3. */
ANB_API void anb_serve_options_init(AnbServeOptions *options, size_t size);
/** The defaults above. Since 0.3. */
static inline AnbServeOptions anb_serve_defaults(void)
{
    AnbServeOptions options;
    anb_serve_options_init(&options, sizeof options);
    return options;
}

/**
 * Makes a server of a model that publishes every `interval` events.
 *
 * @param model     copied twice; stays the caller's
 * @param interval  samples, rows that wait and labels from one publication to the next, 1 to ANB_SERVE_INTERVAL_MAX;
 *                  they are kept, at 8 n_features + 48 bytes each, and 152 more where the model has intervals or rows that
 *                  wait
 * @param error     why it failed, or NULL: ANB_E_ARGUMENT, ANB_E_MEMORY
 * @return          the server, owned by the caller (anb_serve_free), or NULL
 */
ANB_API AnbServer *anb_serve_new(const StreamingLearner *model, size_t interval, AnbError *error);

/** The same with options; NULL: the defaults. ANB_E_ARGUMENT names the option; ANB_E_MEMORY also where a thread was refused.
 * Since 0.3. */
ANB_API AnbServer *anb_serve_new_with(const StreamingLearner *model, const AnbServeOptions *options, AnbError *error);

/** Frees a server; its readers have to be freed before, and nobody may be in a call of it. NULL is fine. */
ANB_API void anb_serve_free(AnbServer *server);

/** Whether this process is a child of the one that made the server: it can read, and not learn. Since 0.3. */
ANB_API bool anb_serve_is_child(const AnbServer *server);

/* ---- learning: any thread, in turn ------------------------------------------------------------------------------ */

/**
 * Learns from one sample, as anb_train_one; every interval-th event publishes.
 *
 * @param server  the server
 * @param x       n_features values; NaN marks a missing cell
 * @param y       the target
 * @param weight  >= 0
 * @return        as anb_train_one; ANB_NAN in a child process
 *
 * Cost: two train steps of the model on average. A call that publishes sleeps until the predictions that were under way are
 * over, one a reader at most, and repeats interval samples. Never allocates.
 */
ANB_API double anb_serve_train(AnbServer *server, const double *x, double y, double weight);

/**
 * Delayed labels, where the model's root is a pending (pending.h): keeps a row that the learner's copy is asked for, and
 * takes the label when it comes. As anb_predict_pending and anb_learn_label; each counts for the interval and costs twice
 * what it costs there. Rows that a reader answered go to anb_serve_keep.
 */
ANB_API double anb_serve_predict_pending(AnbServer *server, uint64_t id, const double *x);
ANB_API double anb_serve_learn_label(AnbServer *server, uint64_t id, double y, double weight);

/**
 * Keeps a row until its label comes, with what a reader answered for it: intervals, and observers, judge the label by that
 * answer.
 *
 * @param server  of a model whose root is a pending
 * @param id      the caller's name for the row
 * @param x       n_features values, copied
 * @param answer  of anb_serve_answer, copied
 * @return        as anb_keep_answered; ANB_NAN in a child process
 *
 * Since 0.3.
 */
ANB_API double anb_serve_keep(AnbServer *server, uint64_t id, const double *x, const AnbAnswer *answer);

/** A sample with all that may come with it. Starts from anb_serve_sample(). Since 0.3. */
typedef struct AnbServeSample {
    size_t size;     /* of this struct; set by the defaults */
    const double *x; /* NULL; n_features values; NULL: the row that waits under `id` */
    uint64_t id;     /* 0; of a row that waits */
    double y;        /* 0; the target */
    double weight;   /* 1 */
    const AnbAnswer
        *answer;         /* NULL; what a reader answered for x, which intervals and observers then judge; NULL: what the
                                learner's copy says; a row that waits has its own */
    const char *source;  /* NULL; its source's name (sequence.h), which need not end with 0; NULL: it has no number */
    size_t source_bytes; /* 0; 1 to ANB_SOURCE_SIZE - 1 */
    uint64_t number;     /* 0; its number at the source, below 2^64 - 1 */
} AnbServeSample;
/** Fills the first `size` bytes of the defaults: what anb_serve_sample calls. Since 0.3. */
ANB_API void anb_serve_sample_init(AnbServeSample *sample, size_t size);
/** The defaults above. Since 0.3. */
static inline AnbServeSample anb_serve_sample(void)
{
    AnbServeSample sample;
    anb_serve_sample_init(&sample, sizeof sample);
    return sample;
}

/**
 * Learns a sample or a label, once where it is numbered: what its source has brought before is not learned again, as
 * anb_train_seq. A source is added with its first sample that is learned.
 *
 * @param server  the server
 * @param sample  only read
 * @param before  what is scored: the answer's prediction, or what was predicted before learning; ANB_NAN where nothing was
 *                learned; or NULL
 * @return        ANB_SEQ_LEARNED or ANB_SEQ_REPEATED; ANB_E_INPUT where the sample or label was rejected (anb_counters);
 *                ANB_E_LIMIT for the 65th source; ANB_E_ARGUMENT for the source's name, the number or the size;
 *                ANB_E_UNSUPPORTED in a child process
 *
 * Cost: as anb_serve_train. Never allocates. Since 0.3.
 */
ANB_API int anb_serve_learn(AnbServer *server, const AnbServeSample *sample, double *before);

/** Shows the readers all that was learned, now. Cost: as a publishing anb_serve_train. */
ANB_API void anb_serve_publish(AnbServer *server);

/**
 * Lets the learner feed an observer: diagnostics, an audit, or one of the caller's own. Each sample and each label is
 * told once, as by anb_observe, with what was answered; a label has no row.
 *
 * @param server    the server
 * @param observer  the caller's; it lives as long as the server, and is read between anb_serve_hold and anb_serve_release
 * @return          0; ANB_E_LIMIT behind ANB_SERVE_OBSERVERS_MAX; ANB_E_ARGUMENT for NULL; ANB_E_UNSUPPORTED in a child process
 *
 * Cost: that of the observer, with each sample. Since 0.2.
 */
ANB_API int anb_serve_attach(AnbServer *server, AnbObserver *observer);

/**
 * Between the two nothing is learned or published by other threads: for reading observers and the learner's copy. Readers
 * go on. They nest; the thread that holds may learn itself.
 *
 * Since 0.3.
 */
ANB_API void anb_serve_hold(AnbServer *server);
ANB_API void anb_serve_release(AnbServer *server);

/** The learner's copy, with everything learned: for read-outs, anb_save, anb_clone. It stays as it is until the next call
 * of a learner's function; where several threads learn, or the server publishes by time, until anb_serve_release. In a child
 * process the published version. */
ANB_API const StreamingLearner *anb_serve_model(const AnbServer *server);

/** How often was published; any thread. */
ANB_API uint64_t anb_serve_version(const AnbServer *server);
/** Seconds since the version that readers see was published, or since the server was made; any thread. Since 0.3. */
ANB_API double anb_serve_age(const AnbServer *server);
/** Events that readers do not see yet; any thread, in turn. Since 0.3. */
ANB_API size_t anb_serve_unpublished(AnbServer *server);

/**
 * A clone of the published version.
 *
 * @param error  why it failed, or NULL
 * @return       the clone, the caller's (anb_free), or NULL: ANB_E_MEMORY
 *
 * Any thread. Predictions do not wait; a publication waits for the copying of the block (about 0.1 ms a MB). Since 0.3.
 */
ANB_API StreamingLearner *anb_serve_clone(AnbServer *server, AnbError *error);

/**
 * Saves the published version, as anb_save, from a clone: nobody waits for the disk.
 *
 * @param server  the server; anb_serve_publish before it to have everything learned
 * @param extras  as of anb_save; NULL: none
 * @param path    the file
 * @param error   why it failed, or NULL
 * @return        as anb_save
 *
 * Any thread. Since 0.3.
 */
ANB_API int anb_serve_save(AnbServer *server, const AnbSnapshotExtras *extras, const char *path, AnbError *error);

/* ---- predicting threads: one reader each ------------------------------------------------------------------------ */

/**
 * Registers a reader, from any thread.
 *
 * @return  the reader, owned by the caller (anb_serve_reader_free), or NULL with the reason in error
 *
 * Cost: one allocation for its scratch, and a lock that other registrations and publications hold. In a child process without
 * the lock.
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

/**
 * The quantiles of the row's target by the published version, where the model has quantiles (quantile.h).
 *
 * @param reader  used by one thread at a time
 * @param x       n_features values
 * @param value   out: one value for each of anb_quantile_levels, never descending
 * @return        as anb_predict_quantiles: 0, ANB_E_UNSUPPORTED or ANB_E_INPUT
 *
 * Wait-free as anb_serve_predict. Never allocates. Since 0.4.
 */
ANB_API int anb_serve_predict_quantiles(AnbServeReader *reader, const double *x, double *value);

/**
 * What the published model says of a row, kept for when its target is known: anb_serve_keep or anb_serve_learn take it. Its
 * interval is read by anb_answer_interval from any clone of the model.
 *
 * @param reader  used by one thread at a time
 * @param x       n_features values
 * @param answer  filled, the caller's
 * @return        0, or ANB_E_INPUT where the row was rejected
 *
 * Wait-free as anb_serve_predict. Never allocates. Since 0.3.
 */
ANB_API int anb_serve_answer(AnbServeReader *reader, const double *x, AnbAnswer *answer);

/** Of the published version's first mixture, for a row: the gate's probabilities, what every expert says, how far they are
 * apart. As anb_routing_probabilities, anb_expert_predictions and anb_expert_disagreement; wait-free. Since 0.3. */
ANB_API int anb_serve_routing(AnbServeReader *reader, const double *x, double *p);
ANB_API int anb_serve_experts(AnbServeReader *reader, const double *x, double *f);
ANB_API double anb_serve_disagreement(AnbServeReader *reader, const double *x);

/** Looks at a whole published version; what it returns anb_serve_look returns. Since 0.3. */
typedef int (*AnbServeLook)(const StreamingLearner *model, AnbReader *reader, void *context);
/**
 * Calls a function with the published version, which stays as it is meanwhile: for several questions about one version, and
 * every read-out that takes a reader or a const model, but anb_mixture and anb_equal, which write notes into it.
 *
 * @param reader   used by one thread at a time
 * @param look     gets the model and the reader's scratch; not a call of the same reader or of the server's learner
 * @param context  handed to look
 * @return         what look returned; ANB_E_ARGUMENT where it is NULL
 *
 * A publication waits until look returns. Since 0.3.
 */
ANB_API int anb_serve_look(AnbServeReader *reader, AnbServeLook look, void *context);

/** The version that the reader's last prediction saw: 0 before the first publication. */
ANB_API uint64_t anb_serve_reader_version(const AnbServeReader *reader);
ANB_API const AnbCounters *anb_serve_reader_counters(const AnbServeReader *reader);

#ifdef __cplusplus
}
#endif
#endif
