/*
 * Serving: one thread learns while any number of threads predict by the same model, without locks in a prediction.
 *
 *     AnbServer *server = anb_serve_new(model, 64, &error);
 *     anb_serve_train(server, x, y, 1);                                   // the learner
 *
 *     AnbServeReader *reader = anb_serve_reader_new(server, &error);      // each predicting thread
 *     double f = anb_serve_predict(reader, x);
 *
 * The server keeps two copies of the model's block: readers use one, the learner writes the other. Every `interval`
 * events (samples, pending rows, labels), or a set time after the first of them, the copies are swapped (a
 * publication), and the learner repeats the events since the last swap on the copy that it got back:
 *
 *     copy 0   [ learn 64 ] swap [ ......... read ......... ] swap [ repeat 64, learn 64 ]
 *     copy 1   [ .. read .. ] swap [ repeat 64, learn 64 ]    swap [ ...... read ........ ]
 *
 * Threads. The learner's functions may be called from any thread; a lock serialises them, and goes to who waits for it
 * even where the thread that had it learns on at once. A reader is used by one
 * thread at a time. A publication sleeps until the predictions under way on the copy that it takes are finished.
 *
 * Fork. A child process can predict by the version that was published when it was forked, with its readers or new ones.
 * It cannot learn, since the learner's copy may have been half changed by a thread that exists only in the parent: in
 * the child anb_serve_is_child is true, learning is refused, publishing does nothing, and anb_serve_model is the
 * published version.
 *
 * Cost: learning takes twice the time that it takes without a server; a prediction takes two ordered stores more. After
 * Ramalhete & Correia 2015, "Left-Right", with one counter a reader.
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

/** When new versions are published. Starts from anb_serve_defaults(). Since 0.3. */
typedef struct AnbServeOptions {
    size_t size;     /* of this struct; set by the defaults */
    size_t interval; /* 64; events from one publication to the next, 1 to ANB_SERVE_INTERVAL_MAX */
    double seconds;  /* 0; the longest time that an event stays unpublished, 0.001 to 86,400; a thread of the server
                        publishes then; 0: no limit */
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
 * Makes a server that publishes every `interval` events.
 *
 * @param model     copied twice; still owned by the caller
 * @param interval  samples, pending rows and labels from one publication to the next, 1 to ANB_SERVE_INTERVAL_MAX; they
 *                  are stored, at 8 n_features + 48 bytes each, and 152 more where the model has intervals or keeps
 *                  pending rows
 * @param error     why it failed, or NULL: ANB_E_ARGUMENT, ANB_E_MEMORY
 * @return          the server, owned by the caller (anb_serve_free), or NULL
 */
ANB_API AnbServer *anb_serve_new(const StreamingLearner *model, size_t interval, AnbError *error);

/** The same with options; NULL: the defaults. The message of ANB_E_ARGUMENT names the option; ANB_E_MEMORY also where
 * no thread could be started. Since 0.3. */
ANB_API AnbServer *anb_serve_new_with(const StreamingLearner *model, const AnbServeOptions *options, AnbError *error);

/** Frees a server. Its readers have to be freed before, and no thread may be in a call of it. NULL is fine. */
ANB_API void anb_serve_free(AnbServer *server);

/** Whether this process is a child of the one that made the server, and so can only predict. Since 0.3. */
ANB_API bool anb_serve_is_child(const AnbServer *server);

/* ---- learning: any thread, one at a time ------------------------------------------------------------------------ */

/**
 * Learns from one sample, as anb_train_one. Every interval-th event publishes.
 *
 * @param server  the server
 * @param x       n_features values; NaN marks a missing cell
 * @param y       the target
 * @param weight  >= 0
 * @return        as anb_train_one; ANB_NAN in a child process
 *
 * Cost: two train steps of the model on average. A call that publishes sleeps until the predictions under way are
 * finished, at most one a reader, and repeats `interval` samples. Never allocates.
 */
ANB_API double anb_serve_train(AnbServer *server, const double *x, double y, double weight);

/**
 * Delayed labels, where the model's root is a pending (pending.h): predicts a row by the learner's copy and keeps it;
 * learns its label. As anb_predict_pending and anb_learn_label, at twice their cost; each call is an event. For rows
 * that a reader predicted use anb_serve_keep.
 */
ANB_API double anb_serve_predict_pending(AnbServer *server, uint64_t id, const double *x);
ANB_API double anb_serve_learn_label(AnbServer *server, uint64_t id, double y, double weight);

/**
 * Keeps a row until its label comes, with the answer of a reader: intervals and observers score this answer.
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

/** A sample or a label, with all optional data. Starts from anb_serve_sample(). Since 0.3. */
typedef struct AnbServeSample {
    size_t size;     /* of this struct; set by the defaults */
    const double *x; /* NULL; n_features values; NULL: the pending row with the id below */
    uint64_t id;     /* 0; id of the pending row */
    double y;        /* 0; the target */
    double weight;   /* 1 */
    /* NULL; the answer of a reader for x, to be scored by intervals and observers; NULL: the prediction of the
     * learner's copy; not read for a pending row, which has its own */
    const AnbAnswer *answer;
    const char *source;  /* NULL; name of its source (sequence.h), need not end with 0; NULL: it has no number */
    size_t source_bytes; /* 0; bytes of the name, 1 to ANB_SOURCE_SIZE - 1 */
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
 * Learns a sample or a label. One with a number is learned only once, as by anb_train_seq. A source is added with its
 * first sample that is learned.
 *
 * @param server  the server
 * @param sample  only read
 * @param before  out: the prediction to score: the answer's, or else the one made before learning; ANB_NAN where
 *                nothing was learned; or NULL
 * @return        ANB_SEQ_LEARNED or ANB_SEQ_REPEATED; ANB_E_INPUT where the sample or label was rejected
 *                (anb_counters); ANB_E_LIMIT for the 65th source; ANB_E_ARGUMENT for the source's name, the number or
 *                the size; ANB_E_UNSUPPORTED in a child process
 *
 * Cost: as anb_serve_train. Never allocates. Since 0.3.
 */
ANB_API int anb_serve_learn(AnbServer *server, const AnbServeSample *sample, double *before);

/** Publishes now, so that readers use all that was learned. Cost: as an anb_serve_train that publishes. */
ANB_API void anb_serve_publish(AnbServer *server);

/**
 * Attaches an observer: diagnostics, an audit, or one of the caller's own. The learner calls it once for each sample
 * and label, as anb_observe, with the prediction that is scored; for a label x is NULL.
 *
 * @param server    the server
 * @param observer  owned by the caller; has to be valid as long as the server. Read it between anb_serve_hold and
 *                  anb_serve_release
 * @return          0; ANB_E_LIMIT beyond ANB_SERVE_OBSERVERS_MAX; ANB_E_ARGUMENT for NULL; ANB_E_UNSUPPORTED in a child
 *                  process
 *
 * Cost: that of the observer, with each sample. Since 0.2.
 */
ANB_API int anb_serve_attach(AnbServer *server, AnbObserver *observer);

/**
 * Between these two calls no other thread learns or publishes: for reading observers and the learner's copy. Readers
 * still predict. Pairs of calls may be nested; the thread between them may learn.
 *
 * Since 0.3.
 */
ANB_API void anb_serve_hold(AnbServer *server);
ANB_API void anb_serve_release(AnbServer *server);

/** The learner's copy, with everything learned: for read-outs, anb_save, anb_clone. It does not change until the next
 * call of a learner's function; where several threads learn, or the server publishes by time, only until
 * anb_serve_release. In a child process it is the published version. */
ANB_API const StreamingLearner *anb_serve_model(const AnbServer *server);

/** How many versions were published; any thread. */
ANB_API uint64_t anb_serve_version(const AnbServer *server);
/** Seconds since the last publication, or since the server was made; any thread. Since 0.3. */
ANB_API double anb_serve_age(const AnbServer *server);
/** How many events are not published yet; any thread. Since 0.3. */
ANB_API size_t anb_serve_unpublished(AnbServer *server);

/**
 * A clone of the published version.
 *
 * @param error  why it failed, or NULL
 * @return       the clone, owned by the caller (anb_free), or NULL: ANB_E_MEMORY
 *
 * Any thread. Predictions are not delayed; a publication waits until the block is copied (about 0.1 ms a MB). Since
 * 0.3.
 */
ANB_API StreamingLearner *anb_serve_clone(AnbServer *server, AnbError *error);

/**
 * Saves a clone of the published version, as anb_save: no other thread waits for the disk.
 *
 * @param server  the server; call anb_serve_publish first to save everything that was learned
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
 * Makes a reader, from any thread.
 *
 * @return  the reader, owned by the caller (anb_serve_reader_free), or NULL with the reason in error
 *
 * Cost: one allocation for its scratch, and a lock that this function shares with publications. In a child process
 * without the lock.
 */
ANB_API AnbServeReader *anb_serve_reader_new(AnbServer *server, AnbError *error);
/** Frees a reader, before its server. NULL is fine. */
ANB_API void anb_serve_reader_free(AnbServeReader *reader);

/**
 * Predicts a row by the published version.
 *
 * @param reader  used by one thread at a time
 * @param x       n_features values; NaN marks a missing cell
 * @return        the prediction of one published version, at most `interval` samples old; ANB_NAN where the row was
 *                rejected (anb_serve_reader_counters)
 *
 * Wait-free: takes no lock and does not retry. Never allocates.
 */
ANB_API double anb_serve_predict(AnbServeReader *reader, const double *x);
/** As anb_predict_many, all n rows by one published version. A call that publishes waits until it is done: hand large
 * tables over in parts, such as 64 rows. Since 0.17. */
ANB_API void anb_serve_predict_many(AnbServeReader *reader, const double *x, size_t n, double *out);

/**
 * Predicts an interval by the published version, where the model's root is an interval or a pending around one
 * (interval.h).
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
 * Predicts the quantiles of a row's target by the published version, where the model has quantiles (quantile.h).
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
 * Predicts a row by the published version and stores the prediction as an answer, for anb_serve_keep or
 * anb_serve_learn. anb_answer_interval reads the answer's interval, from any clone of the model.
 *
 * @param reader  used by one thread at a time
 * @param x       n_features values
 * @param answer  filled; owned by the caller
 * @return        0, or ANB_E_INPUT where the row was rejected
 *
 * Wait-free as anb_serve_predict. Never allocates. Since 0.3.
 */
ANB_API int anb_serve_answer(AnbServeReader *reader, const double *x, AnbAnswer *answer);

/** anb_routing_probabilities, anb_expert_predictions and anb_expert_disagreement of the published version; wait-free.
 * Since 0.3. */
ANB_API int anb_serve_routing(AnbServeReader *reader, const double *x, double *p);
ANB_API int anb_serve_experts(AnbServeReader *reader, const double *x, double *f);
ANB_API double anb_serve_disagreement(AnbServeReader *reader, const double *x);

/** A function that reads a published version; its result is that of anb_serve_look. Since 0.3. */
typedef int (*AnbServeLook)(const StreamingLearner *model, AnbReader *reader, void *context);
/**
 * Calls a function with the published version, which does not change meanwhile: for several calls on the same version,
 * and every read-out that takes a reader or a const model, except anb_mixture and anb_equal, which write into the
 * model.
 *
 * @param reader   used by one thread at a time
 * @param look     gets the model and the reader's scratch; must not call functions of the same reader or of the learner
 * @param context  passed to look
 * @return         what look returned; ANB_E_ARGUMENT where it is NULL
 *
 * A publication waits until look returns. Since 0.3.
 */
ANB_API int anb_serve_look(AnbServeReader *reader, AnbServeLook look, void *context);

/** The number of the version that made the reader's last prediction; 0 before the first publication. */
ANB_API uint64_t anb_serve_reader_version(const AnbServeReader *reader);
/** Counters of the rows that the reader rejected; owned by the reader. */
ANB_API const AnbCounters *anb_serve_reader_counters(const AnbServeReader *reader);

#ifdef __cplusplus
}
#endif
#endif
