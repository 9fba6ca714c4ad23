/*
 * What a type can do beyond predicting and learning, each as a small table of functions that the type points to, or
 * NULL. A table is whole: creation refuses a type whose table lacks a function. The library asks every type in the same
 * way, so a caller's own types have the same rights as the library's.
 *
 * The functions see the node that has the table, its own state, the row as that node sees it and its own scratch, as
 * the last predict or update of that row left it. They write nothing but their results, and scratch where they say so.
 * Types find the table below a wrapper with anb_reach (reach.h).
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_CAPABILITY_H
#define ANABRANCH_CAPABILITY_H

#include <anabranch/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbRow AnbRow;
typedef struct AnbRows AnbRows;
typedef struct AnbGate AnbGate;
typedef struct AnbMixture AnbMixture;         /* moe.h */
typedef struct AnbGateWeights AnbGateWeights; /* moe.h */
typedef struct AnbMatrix AnbMatrix;           /* learners.h */
typedef struct AnbDriftView AnbDriftView;     /* drift.h */
typedef struct AnbAnswer AnbAnswer;           /* answer.h */
typedef struct AnbPair AnbPair;               /* type.h */
typedef struct AnbShapleySum AnbShapleySum;   /* type.h */

/** The tables of a learner that a wrapper passes on. */
typedef enum AnbCapability {
    ANB_CAN_MIX,     /* AnbMixtureTable */
    ANB_CAN_BOUND,   /* AnbIntervalTable */
    ANB_CAN_RESCORE, /* AnbAnswerTable */
    ANB_CAN_WEIGH,   /* AnbImportanceTable */
    ANB_CAN_SPREAD,  /* AnbSpreadTable */
    ANB_CAN_THIN,    /* AnbSparsityTable */
    ANB_CAN_SHOW,    /* AnbNetworkTable */
    ANB_CAN_DETECT,  /* AnbDriftTable */
    ANB_CAN_RANK,    /* AnbQuantileTable. Since 0.3 */
    ANB_CAN_FORESEE  /* AnbMixtureTable with `outlook`. Since 0.8 */
} AnbCapability;

/**
 * A mixture: its children are experts, and its last sample can be read. K is its number of children. Experts may carry
 * the attributes `warmup` and `name`. A type that holds a router but has no such table is no mixture to the read-outs.
 */
typedef struct AnbMixtureTable {
    /* Samples of the running mean of utilization, >= 1: a router averages its load over as many. Asked when the plan is
     * made: options are in place. */
    int (*span)(const AnbNode *self);
    /* Fills the view of the last sample: k = K, the arrays with K entries, in the state or the scratch. */
    void (*view)(const AnbNode *self, const void *state, double *scratch, AnbMixture *mixture);
    /* K probabilities that the gate gives the row, without penalties; they sum to one. */
    void (*routing)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *p);
    /* K predictions for the row, those of inactive experts as well. */
    void (*experts)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *f);
    /* The sample standard deviation over the K predictions; may overwrite the scratch. */
    double (*disagreement)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
    /* Optional, read of types with ANB_SINCE_0_3 only: predict_many that also says what the view would show as the
     * experts' predictions: K of row i from said[i * K] on. False, and nothing done, where it cannot. Since 0.3. */
    bool (*experts_many)(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out,
                         double *said);
    /* Read of types with ANB_GIVES_OUTLOOK only: what the experts that extrapolate said in the last predict, without limits:
     * NAN where there are none. Since 0.8. */
    double (*outlook)(const AnbNode *self, const void *state, double *scratch);
} AnbMixtureTable;

/** Prediction intervals. */
typedef struct AnbIntervalTable {
    /* How many coverages can be asked for; sets *coverage to them, owned by the plan. */
    size_t (*levels)(const AnbNode *self, const double **coverage);
    /* The interval around the last prediction. 0, or ANB_E_ARGUMENT for a coverage that is no level. */
    int (*interval)(const AnbNode *self, const void *state, const double *scratch, double coverage, double *low,
                    double *high);
} AnbIntervalTable;

/** Quantiles of the target. Since 0.3. */
typedef struct AnbQuantileTable {
    /* How many levels there are, ANB_LEVELS_MAX at most; sets *level to them, ascending, owned by the plan. */
    size_t (*levels)(const AnbNode *self, const double **level);
    /* The quantile of each level at the last prediction, never descending. */
    void (*values)(const AnbNode *self, const void *state, double *scratch, double *value);
} AnbQuantileTable;

/** What an update scores besides the row: the answer that predict left in the scratch. Rows that wait keep it. */
typedef struct AnbAnswerTable {
    void (*given)(const AnbNode *self, const double *scratch, AnbAnswer *answer);
    /* Puts an earlier answer back, so that the next update of the same row scores that one. */
    void (*restore)(const AnbNode *self, double *scratch, const AnbAnswer *answer);
} AnbAnswerTable;

/** Rows that wait for their labels; only a root is asked. */
typedef struct AnbWaitingTable {
    /* Keeps a row under an id, with what predict has just said and left in the scratch. */
    void (*keep)(const AnbNode *self, void *state, const AnbRow *row, uint64_t id, double prediction, double *scratch);
    /* The n_features cells of the row that waits under the id, and the answer that was given then; or NULL, and the
     * reason counted (labels_unknown, labels_repeated, labels_evicted). */
    const double *(*find)(const AnbNode *self, const void *state, uint64_t id, AnbCounters *counters,
                          AnbAnswer *answer);
    /* The row has been learned: its id stays known, its row does not. */
    void (*learned)(const AnbNode *self, void *state, uint64_t id);
    /* An AnbPendingFate. */
    int (*fate)(const AnbNode *self, const void *state, uint64_t id);
    /* How many rows wait. */
    size_t (*count)(const AnbNode *self, const void *state);
} AnbWaitingTable;

/** Which features matter. */
typedef struct AnbImportanceTable {
    /* n_features shares that sum to one. 0, or ANB_E_UNSUPPORTED while they are not known. */
    int (*shares)(const AnbNode *self, const void *state, double *share);
    /* Read of types with ANB_GIVES_EVIDENCE only: writes to z the evidence that each of n_features features is relevant: what the
     * feature adds to predictions of rows that had not been learned, over its standard error. z[j] is about standard normal for an
     * irrelevant feature, 0 for one that is not used. Returns 0, or ANB_E_UNSUPPORTED while it is not known. Since 0.7. */
    int (*evidence)(const AnbNode *self, const void *state, double *z);
} AnbImportanceTable;

/** How far off the next target may be. */
typedef struct AnbSpreadTable {
    /* The expected scale of the error at the row, in units of the target, >= 0. */
    double (*spread)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
} AnbSpreadTable;

/** How sparse a learner is on a row. */
typedef struct AnbSparsityTable {
    /* The share of hidden units near zero, else of contributions; 0 to 1. */
    double (*share)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
} AnbSparsityTable;

/** A network. */
typedef struct AnbNetworkTable {
    /* The feature-by-hidden weights, owned by the model. Where they are not kept as doubles: their shape, and value NULL. */
    void (*matrix)(const AnbNode *self, const void *state, AnbMatrix *matrix);
    /* Writes the weights to rows x stride doubles. Needed where `matrix` gives value NULL; else not called and may be NULL.
     * Since 0.6. */
    void (*copy)(const AnbNode *self, const void *state, double *to);
} AnbNetworkTable;

/** A drift detector. */
typedef struct AnbDriftTable {
    void (*view)(const AnbNode *self, const void *state, AnbDriftView *view);
} AnbDriftTable;

/** Where a feature of a child comes from. */
typedef struct AnbFeatureSource {
    size_t column[2]; /* the features of the node that it is made of, n of them; two: their product */
    int n;
    const char *part; /* what of them: "hour-sine"; a plain word where n is 0; NULL: the feature or product itself */
    size_t number;    /* written behind; 0: not */
} AnbFeatureSource;

/** A node whose children see other features than itself (child_features), named for people. Since 0.3. */
typedef struct AnbFeatureTable {
    /* Fills the source of feature i of a child; it arrives with the type's name as the part and i + 1 as the number. */
    void (*source)(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *source);
} AnbFeatureTable;

/** What is known of the targets of one category of a column. */
typedef struct AnbCategoryEffect {
    double cell;   /* the category, as a row holds it; of a time the hour of the week */
    double count;  /* samples with it, those of long ago fading */
    double weight; /* sum of the weights of its samples since it came in */
    double mean;   /* of their targets */
    double recent; /* the same of late */
    double effect; /* what it adds to a linear model of all columns, in units of the target */
} AnbCategoryEffect;

/** A node that keeps statistics of categories. Since 0.3. */
typedef struct AnbCategoryTable {
    /* The most frequent categories of a feature of the node, up to n, the most frequent first; how many. */
    size_t (*frequent)(const AnbNode *self, const void *state, size_t feature, AnbCategoryEffect *out, size_t n);
} AnbCategoryTable;

/** A prediction that is affine in the row's x: f(x) = constant + unit w.x. */
typedef struct AnbAffineTable {
    /* w, n_features values owned by the model; sets *unit. */
    const double *(*slopes)(const AnbNode *self, const void *state, double *unit);
} AnbAffineTable;

/**
 * Exact Shapley values of the difference between two predictions: f(row) - f(other), where a coalition S of features
 * takes the cells of `row` for j in S and those of `other` elsewhere. A type with an affine table needs no other.
 */
typedef struct AnbShapleyTable {
    /* Adds `share` times the values to out->phi and sets out->low and out->high; pair->scratch and pair->other_scratch
     * are this node's as predict left them for either row. False where the type cannot say it of these two rows (a
     * bound on the prediction may act on some coalition, say): out->phi is then of no use. */
    bool (*split)(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out);
} AnbShapleyTable;

/** Samples for AnbDirectTable.step_many: of all samples of a call those with the numbers in `number`. Since 0.7. */
typedef struct AnbSteps {
    void *const *models;    /* of each sample of the call */
    size_t state;           /* offset of a model's state from models[i], in bytes */
    size_t counters;        /* offset of its AnbCounters, in bytes */
    const void *first;      /* the first pointer in every model of this node */
    const double *const *x; /* rows, of each sample of the call */
    const double *y;        /* targets, of each sample of the call */
    const uint32_t *number; /* n numbers of samples, in the order to learn them; several may have the same model */
    size_t n;
} AnbSteps;

/**
 * The short way for a model of this node alone and samples of weight 1: the row has not been looked at, and the node
 * finds out by its own arithmetic whether all of it is finite. Where it is not sure it says NaN, has changed nothing of
 * the state, and the sample goes the long way: checked, then predict, update or step. A finite answer is to the bit
 * what predict or step would have returned, and the state is what step would have left.
 *
 * Since 0.3.
 */
typedef struct AnbDirectTable {
    double (*predict)(const AnbNode *self, const void *state, const double *x);
    double (*step)(const AnbNode *self, void *state, const double *x, double y, double *scratch, AnbCounters *counters);
    /* What predict says of several rows. */
    void (*predict_many)(const AnbNode *self, const void *state, const AnbRows *rows, double *out);
    /* Optional, read of types with ANB_STEPS_MANY only: does what `step` does for each of the n samples in order, without scratch,
     * and adds 1 to `trained` of its model. Stops at the first sample whose model is not of this node, or for which step would
     * return NaN. Returns how many samples were learned; out[i] is what step returns for sample number[i]. Since 0.7. */
    size_t (*step_many)(const AnbNode *self, const AnbSteps *steps, double *out);
} AnbDirectTable;

/**
 * A wrapper: what it has no table for, its child is asked for. One table serves all capabilities. Every member is
 * optional.
 */
typedef struct AnbWrapperTable {
    /* The row that the child sees, as it lies in the scratch after a predict; NULL: the wrapper's own row. */
    AnbRow (*row)(const AnbNode *self, const AnbRow *row, double *scratch);
    /* Which child is asked; NULL: the first. */
    size_t (*child)(const AnbNode *self, AnbCapability what);
} AnbWrapperTable;

/* ---- what a router can do beyond routing: AnbRouterType points to these ----------------------------------------- */

/** A gate whose weights can be read. */
typedef struct AnbGateTable {
    void (*weights)(const AnbNode *self, const void *state, AnbGateWeights *weights);
} AnbGateTable;

/** A gate that balances the load. */
typedef struct AnbLoadTable {
    const double *(*load)(const AnbNode *self, const void *state); /* K running shares of samples, in the state */
    double (*rate)(const AnbNode *self);                           /* step of the balance, >= 0 */
} AnbLoadTable;

/** A gate over scores. */
typedef struct AnbLogitsTable {
    const double *(*logits)(const AnbNode *self, double *scratch); /* K, after the last learning step */
} AnbLogitsTable;

/** A gate that bounds how many samples of a mini-batch an expert learns from. */
typedef struct AnbBatchTable {
    void (*begin)(const AnbNode *self, double *scratch, size_t samples);
    size_t (*end)(const AnbNode *self, double *scratch); /* how many dispatches met a full expert */
} AnbBatchTable;

/** A gate that has inactive experts learn as well. */
typedef struct AnbExploreTable {
    /* The inactive expert that also learns from this sample; K: none. Called before learning, the gate is filled. */
    size_t (*explorer)(const AnbNode *self, const AnbGate *gate);
} AnbExploreTable;

#ifdef __cplusplus
}
#endif
#endif
