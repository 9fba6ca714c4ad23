/*
 * What a type can do beyond predicting and learning. Each such capability is a table of functions that the type points
 * to, or NULL. All functions of a table have to be there unless they are called optional: creation refuses a type with
 * an incomplete table. The library treats a caller's own types as it treats its own.
 *
 * The functions get the node that has the table, the node's state, the row as that node sees it, and the node's scratch
 * as the last predict or update of that row left it. They write only their results, and the scratch where that is said.
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
 * A mixture: its children are experts, and its last sample can be read. K is its number of children. Experts may have
 * the attributes `warmup` and `name`. The read-outs do not treat a type that holds a router without this table as a
 * mixture.
 */
typedef struct AnbMixtureTable {
    /* Samples of the running mean of utilization, >= 1; a router averages its load over as many. Called while the plan
     * is made, after the options are set. */
    int (*span)(const AnbNode *self);
    /* Fills the view of the last sample: k = K, the arrays with K entries, in the state or the scratch. */
    void (*view)(const AnbNode *self, const void *state, double *scratch, AnbMixture *mixture);
    /* K probabilities that the gate gives the row, without penalties; they sum to one. */
    void (*routing)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *p);
    /* K predictions for the row, those of inactive experts as well. */
    void (*experts)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *f);
    /* The sample standard deviation over the K predictions; may overwrite the scratch. */
    double (*disagreement)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
    /* Optional, read of types with ANB_SINCE_0_3 only: predict_many that also writes the experts' predictions that the
     * view would show: the K of row i from said[i * K] on. Returns false, and does nothing, where it cannot. Since
     * 0.3. */
    bool (*experts_many)(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out,
                         double *said);
    /* Read of types with ANB_GIVES_OUTLOOK only: the mean of the last predictions of the experts that extrapolate,
     * without limits; NAN where there are none. Since 0.8. */
    double (*outlook)(const AnbNode *self, const void *state, double *scratch);
} AnbMixtureTable;

/** Prediction intervals. */
typedef struct AnbIntervalTable {
    /* How many coverages there are; sets *coverage to them, owned by the plan. */
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

/** The answer that predict leaves in the scratch and update scores. Pending rows store it. */
typedef struct AnbAnswerTable {
    void (*given)(const AnbNode *self, const double *scratch, AnbAnswer *answer);
    /* Writes an earlier answer into the scratch, so that the next update of the same row scores it. */
    void (*restore)(const AnbNode *self, double *scratch, const AnbAnswer *answer);
} AnbAnswerTable;

/** Pending rows: rows that are kept until their labels come. Only the table of a root is used. */
typedef struct AnbWaitingTable {
    /* Keeps a row under an id, with the prediction that predict has just made and what it left in the scratch. */
    void (*keep)(const AnbNode *self, void *state, const AnbRow *row, uint64_t id, double prediction, double *scratch);
    /* The n_features cells of the row that is kept under the id, and the answer that was given for it. NULL where there
     * is none; the reason is counted then (labels_unknown, labels_repeated, labels_evicted). */
    const double *(*find)(const AnbNode *self, const void *state, uint64_t id, AnbCounters *counters,
                          AnbAnswer *answer);
    /* The row has been learned: removes the row, and stores that its id has been learned. */
    void (*learned)(const AnbNode *self, void *state, uint64_t id);
    /* An AnbPendingFate. */
    int (*fate)(const AnbNode *self, const void *state, uint64_t id);
    /* How many rows are kept. */
    size_t (*count)(const AnbNode *self, const void *state);
} AnbWaitingTable;

/** Which features matter. */
typedef struct AnbImportanceTable {
    /* Writes n_features shares that sum to one. 0, or ANB_E_UNSUPPORTED while there is nothing to compute them from. */
    int (*shares)(const AnbNode *self, const void *state, double *share);
    /* Read of types with ANB_GIVES_EVIDENCE only: writes to z the evidence that each of the n_features features is
     * relevant: by how much the feature improves predictions of rows not yet learned, divided by its standard error.
     * z[j] is about standard normal for an irrelevant feature, 0 for one that is not used. Returns 0, or
     * ANB_E_UNSUPPORTED while there is nothing to compute it from. Since 0.7. */
    int (*evidence)(const AnbNode *self, const void *state, double *z);
} AnbImportanceTable;

/** The expected error at a row. */
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
    /* The feature-by-hidden weights, owned by the model. Where they are not stored as doubles: their shape, and a value
     * of NULL. */
    void (*matrix)(const AnbNode *self, const void *state, AnbMatrix *matrix);
    /* Writes the weights to rows x stride doubles. Needed where `matrix` gives value NULL; else not called and may be
     * NULL. Since 0.6. */
    void (*copy)(const AnbNode *self, const void *state, double *to);
} AnbNetworkTable;

/** A drift detector. */
typedef struct AnbDriftTable {
    void (*view)(const AnbNode *self, const void *state, AnbDriftView *view);
} AnbDriftTable;

/** Where a feature of a child comes from. */
typedef struct AnbFeatureSource {
    size_t column[2]; /* the n features of the node that it is made of; two: their product */
    int n;            /* 0 to 2 */
    const char *part; /* the function of them, "hour-sine"; with n = 0 a name; NULL: the feature or product itself */
    size_t number;    /* written behind the part; 0: none */
} AnbFeatureSource;

/** Names of the features that a node's children see, where they differ from its own (child_features). Since 0.3. */
typedef struct AnbFeatureTable {
    /* Fills the source of feature i of a child. On entry the part is the type's name and the number i + 1. */
    void (*source)(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *source);
} AnbFeatureTable;

/** Statistics of the targets of one category of a column. */
typedef struct AnbCategoryEffect {
    double cell;   /* the category, as a row holds it; of a time column the hour of the week */
    double count;  /* faded count of its samples */
    double weight; /* sum of the weights of its samples since its entry was made */
    double mean;   /* mean of their targets */
    double recent; /* recent mean of their targets */
    double effect; /* its coefficient in a linear model of all columns, in units of the target */
} AnbCategoryEffect;

/** A node that keeps statistics of categories. Since 0.3. */
typedef struct AnbCategoryTable {
    /* Writes up to n categories of a feature of the node, the most frequent first. Returns how many. */
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
     * are this node's as predict left them for either row. False where the values cannot be computed for these two
     * rows, for example because a bound on the prediction may act on some coalition: out->phi is undefined then. */
    bool (*split)(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out);
} AnbShapleyTable;

/** The samples of a call of AnbDirectTable.step_many: those whose indices are in `number`. Since 0.7. */
typedef struct AnbSteps {
    void *const *models;    /* of each sample of the call */
    size_t state;           /* offset of a model's state from models[i], in bytes */
    size_t counters;        /* offset of its AnbCounters, in bytes */
    const void *first;      /* the value of the first pointer in every model of this node */
    const double *const *x; /* rows, of each sample of the call */
    const double *y;        /* targets, of each sample of the call */
    const uint32_t *number; /* n indices of samples, in the order to learn them; several may have the same model */
    size_t n;
} AnbSteps;

/** What AnbDirectTable.predict_or returns in place of a result that is not finite. Since 0.18. */
typedef double (*AnbFallback)(const void *state, const double *x);

/**
 * A fast path for a model that is this node alone, and samples of weight 1. The row has not been checked: the node
 * tells from its own arithmetic whether all cells are finite. Where it cannot tell, it returns NaN and leaves the state
 * as it was; the sample is then checked and goes through predict, update or step. A finite result is, to the bit, what
 * predict or step would have returned, and the state is the one that step would have left.
 *
 * Since 0.3.
 */
typedef struct AnbDirectTable {
    double (*predict)(const AnbNode *self, const void *state, const double *x);
    double (*step)(const AnbNode *self, void *state, const double *x, double y, double *scratch, AnbCounters *counters);
    /* The same as predict for several rows. */
    void (*predict_many)(const AnbNode *self, const void *state, const AnbRows *rows, double *out);
    /* Optional, read of types with ANB_STEPS_MANY only: does what `step` does for each of the n samples in order,
     * without scratch, and adds 1 to `trained` of its model. Stops at the first sample whose model is not of this node,
     * or for which step would return NaN. Returns how many samples were learned; out[i] is the result of step for
     * sample number[i]. Since 0.7. */
    size_t (*step_many)(const AnbNode *self, const AnbSteps *steps, double *out);
    /* Optional, read of types with ANB_FALLS_BACK only: the result of `predict` where it is finite, else what
     * `fallback` returns for the same state and row. Faster than a check by the caller: the call of the fallback is the
     * last thing done, so the compiler makes a jump of it and saves no registers for it. Since 0.18. */
    double (*predict_or)(const AnbNode *self, const void *state, const double *x, AnbFallback fallback);
} AnbDirectTable;

/**
 * A wrapper: for a capability that it has no table for, its child's table is used. Every member is optional.
 */
typedef struct AnbWrapperTable {
    /* The row that the child sees, as a predict left it in the scratch; NULL: the wrapper's own row. */
    AnbRow (*row)(const AnbNode *self, const AnbRow *row, double *scratch);
    /* The index of the child whose table is used; n_children: none; NULL: the first. */
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

/** A gate that computes its probabilities from logits. */
typedef struct AnbLogitsTable {
    const double *(*logits)(const AnbNode *self, double *scratch); /* K logits, as of the last learning step */
} AnbLogitsTable;

/** A gate that bounds how many samples of a mini-batch an expert learns from. */
typedef struct AnbBatchTable {
    void (*begin)(const AnbNode *self, double *scratch, size_t samples);
    size_t (*end)(const AnbNode *self, double *scratch); /* how many assignments to a full expert were redirected */
} AnbBatchTable;

/** A gate that also trains inactive experts. */
typedef struct AnbExploreTable {
    /* The inactive expert that also learns from this sample; K: none. Called before learning, with a filled gate. */
    size_t (*explorer)(const AnbNode *self, const AnbGate *gate);
} AnbExploreTable;

#ifdef __cplusplus
}
#endif
#endif
