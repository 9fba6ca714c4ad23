/*
 * The types and functions that the module's files share.
 *
 * A key holds a Model; a command's rows are a Batch. A short Batch is run in the command. A long one runs in a worker
 * thread on a clone of the model; the clone replaces the model when the batch is done:
 *
 *     client --ANB.TRAINB--> parse, check --short--> run on the model, replicate, reply
 *                                 `--long---> queue --> worker: lock, look, unlock, clone, run, lock, swap, replicate, unlock
 *
 * So a fork or another command sees the model either before the command or after it, never in between.
 *
 * Locks. A Model and its learner may be used under the server's lock, which every callback but `free` holds. The lists
 * of models that share a plan, and which learner is in them (plan_cache.c), have a lock of their own, which is taken
 * inside the server's. A Ticket is counted by atomics.
 *
 * The worker keeps no pointer to a Model while it does not hold the server's lock, since the model may be freed or
 * moved meanwhile. The one exception is the making of the clone: it reads the learner without that lock, and says so in
 * the ticket. Code that changes, moves or frees a learner therefore calls anb_settle first; predicting and saving only
 * read.
 */
#ifndef ANB_REDIS_MODULE_H
#define ANB_REDIS_MODULE_H

#include "api.h"
#include <anabranch/anabranch.h>
#include <anabranch/importance.h>
#include <anabranch/explain.h>
#include <anabranch/interval.h>
#include <anabranch/number.h>
#include <anabranch/quantile.h>
#include <anabranch/schema.h>
#include <anabranch/sequence.h>
#include <anabranch/snapshot.h>

/* How many batches of a model are on their way through the worker. Shared by the model and its jobs: a model may be
 * renamed or deleted meanwhile. */
typedef struct Ticket {
    _Atomic unsigned owners, queued;
    bool busy;            /* a worker runs one of them: guarded by the queue's lock */
    _Atomic bool copying; /* a worker reads the learner: set under the server's lock, cleared without */
} Ticket;

/* ---- kept.c ---- */
typedef struct Kept {
    _Atomic unsigned owners;
    size_t bytes; /* of all of it */
    AnbSnapshotExtras extras;
} Kept;

/* A copy of what is there; NULL where nothing is. */
Kept *anb_kept_new(const AnbSnapshotExtras *extras, size_t n_features);
/* One owner more, or less; NULL is fine. */
Kept *anb_kept_share(Kept *kept);
void anb_kept_drop(Kept *kept);
/* The names and kinds of the model's columns, the caller's to drop; NULL where it has none. */
AnbSchema *anb_kept_schema(const Kept *kept, const StreamingLearner *learner);
AnbSchemaOptions anb_schema_options(void);

/* ---- beside.c ---- */
/* Of the intervals that were answered, for each coverage of the model, how many held the target. */
typedef struct Held {
    uint64_t asked; /* intervals */
    double weight, held[ANB_LEVELS_MAX], faded[ANB_LEVELS_MAX];
} Held;

/* Errors of the predictions made before learning: sums, and means that fade over so many samples. */
enum { SCORES_SPAN = 1000, FEEDS_MAX = 16, FEED_NAME = 128 };
typedef struct Scores {
    uint64_t n;
    double square, absolute, weight, faded_square, faded_absolute;
    Held *held; /* or NULL: no interval was answered */
} Scores;

/* How far a stream was read. */
typedef struct Feed {
    char stream[FEED_NAME];
    RedisModuleStreamID last, bad_id;
    uint64_t learned, bad;
    uint64_t gaps; /* times that the cursor's entry was gone when others came: some between may be lost */
} Feed;

typedef struct Feeds {
    size_t n;
    Feed feed[];
} Feeds;

/* Rows that predictions are explained against: background.c. */
enum { BACKGROUND_MAX = 4096 };
typedef struct Background {
    size_t capacity, d;
    uint64_t seen;
    double rows[];
} Background;

typedef struct Model Model;
struct Model {
    StreamingLearner *learner;
    Model *next, *previous; /* others that share the plan: plan_cache.c */
    uint64_t id;            /* no other model of this server has or had it */
    uint64_t version;       /* changes with every write */
    Ticket *ticket;         /* or NULL: nothing of it went through the worker yet */
    unsigned source;        /* place of the source that a command was numbered by last */
    float row_ns;           /* what a row took lately */
    bool answers;           /* the last row was predicted, not learned: its target is not known */
    Kept *kept;             /* or NULL */
    AnbSchema *schema;      /* of its columns, or NULL: numbers without names */
    Scores scores;
    AnbImportance *importance; /* or NULL: not measured */
    Feeds *feeds;              /* or NULL */
    Background *background;    /* or NULL: not asked for */
};

/* Which of the model's intervals held y, as it answered the row that it learned last: a bit for each coverage, and
 * BOUND_KNOWN where it answered any. */
enum { BOUND_KNOWN = 1 << ANB_LEVELS_MAX };
unsigned anb_beside_bound(const StreamingLearner *learner, double y);
void anb_beside_score(Scores *scores, double y, double said, unsigned bound);
/* The cursor of a stream, a new one where there is none; NULL where the name or one stream more is refused. */
Feed *anb_feed_add(Model *model, const char *stream, size_t n);
/* Forgets a stream that was added and not read. */
void anb_feed_drop_unread(Model *model);
void anb_beside_copy(const Model *model, Model *copy);
void anb_beside_reset(Model *model);
/* Takes a note of a model with d columns over; false where it is somebody else's. */
bool anb_beside_take(Model *model, const AnbNote *note, size_t d);
typedef struct AnbBesideNotes AnbBesideNotes;
/* Sets the extras to what is kept and what is counted; they live as long as what is returned, which may be NULL: the
 * caller's to free by RedisModule_Free. */
AnbBesideNotes *anb_beside_notes(const Model *model, bool scores, AnbSnapshotExtras *extras);

/* ---- background.c ---- */
extern const char anb_background_key[];
Background *anb_background_new(size_t capacity, size_t d);
/* Bytes of one for so many rows. */
static inline size_t anb_background_size(size_t capacity, size_t d)
{
    return sizeof(Background) + capacity * d * sizeof(double);
}
/* NULL of NULL. */
Background *anb_background_copy(const Background *background);
size_t anb_background_bytes(const Background *background);
/* One row more was learned; NULL is fine. */
void anb_background_add(Background *background, const double *x);
/* Rows that are there. */
size_t anb_background_used(const Background *background);
/* Its note into so many bytes; out NULL: only their number. 0 of NULL. */
size_t anb_background_note(const Background *background, unsigned char *out);
/* NULL where the bytes are none of rows of d cells. */
Background *anb_background_of_note(const void *value, size_t size, size_t d);

/* ---- explain.c ---- */
/* An explainer with the model's rows, the caller's; NULL where memory is out. */
AnbExplainer *anb_background_explainer(const Model *model);
int anb_explanation_reply(RedisModuleCtx *ctx, const AnbExplanation *why, const AnbSchema *schema);
int anb_command_background(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

/* ---- memory.c ---- */
AnbModelOptions anb_model_options(void);

/* ---- model.c ---- */
extern RedisModuleType *anb_model_type;
int anb_register_type(RedisModuleCtx *ctx);
/* Takes over the learner, and the reference to what is kept. */
Model *anb_model_wrap(StreamingLearner *learner, Kept *kept);
/* From a snapshot; NULL with the reason. */
Model *anb_model_load(const char *blob, size_t size, AnbError *error);
/* A copy, or NULL where memory is out. */
Model *anb_model_copy(const Model *model);
void anb_model_free(void *model);
/* The model's ticket, made where it has none. */
Ticket *anb_ticket_of(Model *model);
/* How many batches of the model are on their way through the worker. */
static inline unsigned anb_ticket_queued(const Model *model)
{
    return model->ticket ? model->ticket->queued : 0;
}
/* One owner less; NULL is fine. */
void anb_ticket_drop(Ticket *ticket);
/* Waits until no worker reads the learner any more, some milliseconds where it is large. */
void anb_settle(const Model *model);
/* The model at a key, or NULL with the error replied; a missing key is an error. ctx stays the owner of nothing. */
Model *anb_model_at(RedisModuleCtx *ctx, RedisModuleString *name, int mode);
/* As it, without a reply. */
Model *anb_model_peek(RedisModuleCtx *ctx, RedisModuleString *name);
/* Sets a key that may be empty or hold anything; frees what it held. */
int anb_model_store(RedisModuleCtx *ctx, RedisModuleString *name, Model *model);
/* The snapshot in RedisModule_Alloc's memory, or NULL; with the scores, as the server's own files have them. */
char *anb_model_blob(const Model *model, bool scores, size_t *size);
void anb_touch(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const char *event);

/* ---- plan_cache.c: models that were made alike share one plan ---- */
void anb_plan_cache_add(Model *model);
void anb_plan_cache_remove(Model *model);
/* Puts another learner in the model's place, one made alike, and returns the old one. */
StreamingLearner *anb_plan_cache_swap(Model *model, StreamingLearner *learner);
/* Gives the model and its learner other places, as anb_relocate does; returns where the model is now. */
Model *anb_plan_cache_relocate(Model *model, AnbMove move, void *context);
/* Whether no other model has its plan. */
bool anb_plan_cache_alone(const Model *model);
uint64_t anb_plan_cache_models(void);
uint64_t anb_plan_cache_plans(void);

/* ---- sequence.c ---- */
/* The number that a command's samples have at their source: `SEQ source n`, `SEQ=source:n`, or `@source:n` behind the
 * target of one row or the count of many. */
typedef struct Sequence {
    const char *source; /* its name in the command's own text, with no 0 behind it */
    size_t size;        /* of the name, below ANB_SOURCE_SIZE; 0: the command is not numbered */
    uint64_t n;
    int at; /* the source's place in the model that was looked at; below 0: not known */
} Sequence;

/* Reads `source n`. Here and below: 0, or -1 with the error replied. */
int anb_sequence_apart(RedisModuleCtx *ctx, RedisModuleString **argv, Sequence *sequence);
/* Reads `SEQ=source:n`. */
int anb_sequence_joined(RedisModuleCtx *ctx, RedisModuleString *text, Sequence *sequence);
/* Whether the text begins with SEQ=. */
bool anb_sequence_is_joined(RedisModuleString *text);
/* Reads what anb_text_number does, with or without `@source:n` behind it; 1 where it is no number. */
int anb_sequence_behind(RedisModuleCtx *ctx, RedisModuleString *text, double *value, Sequence *sequence);
typedef enum SequenceFate { SEQUENCE_REPEATED, SEQUENCE_NEW, SEQUENCE_NO_ROOM, SEQUENCE_NO_NAME } SequenceFate;
/* Whether the model has learned this number before; finds the source. Without a number it is new. */
SequenceFate anb_sequence_look(Model *model, Sequence *sequence);
/* As it, and where the number is new the source's position moves to it. The learner is that of the model that was looked at;
 * or any one where `at` is below 0: then the source is found, or added. */
SequenceFate anb_sequence_take(StreamingLearner *learner, const Sequence *sequence);
int anb_sequence_reply(RedisModuleCtx *ctx, SequenceFate fate);
extern const char anb_no_room_for_source[];

/* ---- options.c ---- */
/* What a command says beside its rows. */
typedef struct Options {
    double weight;
    Sequence sequence;
    bool with_diag, with_interval, with_quantiles;
    double coverage; /* with_interval */
    unsigned said;   /* a bit for each option that was said */
} Options;

enum { OPTIONS_LEARNING = 1, OPTIONS_ONE_ROW = 2 }; /* what kind of command takes them */
/* 0; -1 with the error replied; 1 where something else than an option stands there. */
int anb_options_read(RedisModuleCtx *ctx, Options *options, unsigned of, RedisModuleString **argv, int argc);
/* How many arguments stand before the first option. */
int anb_before_options(RedisModuleString **argv, int argc, bool learning);

/* ---- batch.c ---- */
typedef struct Batch {
    AnbObserver *observer; /* is told of each row that is learned; or NULL */
    bool learn, packed, single, only_interval;
    Options options;
    double low, high; /* with_interval */
    size_t levels;    /* with_quantiles: so many, and their values */
    double quantile[ANB_LEVELS_MAX];
    size_t n, d;             /* rows; features */
    double *rows;            /* n rows of (y,) x1 .. xd */
    double *out;             /* n predictions */
    unsigned *bound;         /* of each row: anb_beside_bound */
    AnbMixture mixture;      /* with_diag, inline only */
    AnbExplainer *explainer; /* or NULL: not to be explained; the batch's */
    AnbExplanation why;
    AnbSchema *schema; /* names its columns; a reference, or NULL */
    bool handed;       /* to the worker, which frees what the explanation needs */
    SequenceFate fate; /* of the sequence: where it is not new, nothing was learned */
} Batch;

/* Numbers from row to row. */
static inline size_t anb_batch_stride(const Batch *batch)
{
    return batch->d + batch->learn;
}

/* Learns or predicts the rows; sets `fate`. */
void anb_batch_run(Batch *batch, StreamingLearner *learner);
/* Its rows count as trained or predicted: once what was run is there to stay. */
void anb_batch_count(const Batch *batch);
/* What was learned, into what is counted and kept beside the model. */
void anb_batch_score(const Batch *batch, Model *model);
/* How many predictions its rows are worth. */
double anb_batch_work(const Batch *batch);
/* What an explanation needed. */
void anb_batch_clear(Batch *batch);
int anb_batch_reply(RedisModuleCtx *ctx, const Batch *batch);

/* ---- caller.c ---- */
/* Whether the command may wait: not inside MULTI, scripts, replication and loading. */
bool anb_may_block(RedisModuleCtx *ctx);
/* Whether a client or a script sent it: not a master, not a file. Commands of those were accepted before, perhaps by an older
 * version, and are not refused for what is checked since. */
bool anb_from_client(RedisModuleCtx *ctx);

/* ---- cells.c ---- */
/* How the cells of a row are read. */
typedef struct Cells {
    size_t d;                /* columns */
    const AnbSchema *schema; /* or NULL: numbers */
    const char *consequence; /* what an error ends with */
    size_t row;              /* which one, for errors */
} Cells;

/* One row from argc arguments, d cells or `FIELDS n name value ..`: how many it took, or -1 with the error replied. */
int anb_cells_read(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString **argv, int argc, double *x);
/* One cell of a column; text NULL: missing. 0 or a code. */
int anb_cell_read(const AnbSchema *schema, size_t column, RedisModuleString *text, double *value, AnbError *error);
/* The target of a row; where sequence is not NULL with or without `@source:n` behind it. */
int anb_cells_target(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString *text, double *y, Sequence *sequence);
/* Replies that a row is too short or too long; -1. */
int anb_cells_width(RedisModuleCtx *ctx, const Cells *cells, size_t given);

/* ---- text.c ---- */
/* Whether n bytes, or a text, are a word, in capitals or not. */
bool anb_word_is(const char *text, size_t n, const char *word);
bool anb_text_is(RedisModuleString *text, const char *wanted);
/* A missing cell of any column that is not a category: an empty text, nan with or without a sign, NA. */
bool anb_text_missing(const char *text, size_t n);
/* A number, a missing cell, or false. */
bool anb_text_number(RedisModuleString *text, double *value);

/* ---- samples.c ---- */
/* The numbers of a row from argv into memory that lives until the next command, checked as a row to predict. NULL with
 * the error replied. */
const double *anb_parse_features(RedisModuleCtx *ctx, const Model *model, RedisModuleString **argv, int argc);
int anb_command_interval(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_explain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_train(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_mtrain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_trainb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_predict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_mpredict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_predictb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

/* ---- feed.c ---- */
int anb_command_feed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

/* ---- importance.c ---- */
int anb_command_importance(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

/* ---- labels.c ---- */
int anb_command_pending(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_label(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

/* ---- spares.c ---- */
/* The learner that a job of this ticket left behind; where it left none and there are as many as may be, the oldest of the
 * others; or NULL. The caller's. */
StreamingLearner *anb_spare_take(const Ticket *of, size_t most);
/* Keeps a learner, never NULL, for a second. */
void anb_spare_put(const Ticket *of, StreamingLearner *learner, size_t most);
/* Frees what was kept for long enough; whether others are left. */
bool anb_spare_expire(void);

/* ---- worker.c ---- */
int anb_worker_start(RedisModuleCtx *ctx);
/* What a copy of the model takes, by what those before it took. */
double anb_copy_ns(const Model *model);
/* Takes a copy of the batch and blocks the client. */
int anb_worker_queue(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const Batch *batch);

/* ---- command_table.c ---- */
int anb_register_commands(RedisModuleCtx *ctx);

/* ---- commands.c ---- */
int anb_command_create(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_info(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_diag(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_experts(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_reset(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_clone(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_save(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_restore(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_version(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

/* ---- reply.c ---- */
void anb_reply_map(RedisModuleCtx *ctx, long pairs);
void anb_reply_number(RedisModuleCtx *ctx, double value);
void anb_reply_text(RedisModuleCtx *ctx, const char *text);
void anb_reply_pair(RedisModuleCtx *ctx, const char *key, double value);
int anb_reply_error(RedisModuleCtx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What one mixture shows, as pairs of a map that has been opened for ANB_MIXTURE_PAIRS of them. */
enum { ANB_MIXTURE_PAIRS = 9 };
void anb_reply_mixture(RedisModuleCtx *ctx, const AnbMixture *mixture);

/* ---- statistics.c ---- */
typedef struct Statistics {
    _Atomic uint64_t trained, predicted, rejected, repeated, queued, retried, moved;
    _Atomic uint64_t inline_ns, worker_ns, longest_inline_ns;
} Statistics;
extern Statistics anb_statistics;
extern long long anb_inline_us, anb_max_model_bytes, anb_workers;
uint64_t anb_now_ns(void);

#endif
