/*
 * Writing a learner: the interface between the host, which owns plans and blocks, and the types of learners, which
 * compute.
 *
 *     plan   (immutable, shared)         block   (one piece, mutable, no pointers)
 *     scale ----------------------.      [ scale's state | child's state ... ]
 *       `- moe -------------.     |         each node: its own state, then its children's, then its router's,
 *            |- linear      |     |         every one on a 64-byte boundary; in small
 *            |- rls         |     |         models of types with ANB_COMPACT, of 8 bytes
 *            `- (router)    |     |
 *
 * The functions of a type get a node, its state and its scratch. Those of a child lie at fixed offsets behind them; use
 * the inline functions below to reach them. No function that predicts or learns a sample may allocate, lock or fail.
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_TYPE_H
#define ANABRANCH_TYPE_H

#include <anabranch/capability.h>
#include <anabranch/field.h>
#include <anabranch/loss.h>
#include <anabranch/options.h>
#include <anabranch/row.h>
#include <anabranch/types.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The only NaN that the library returns or stores. NaNs from arithmetic differ in their bits between CPUs. */
#define ANB_NAN ((double)NAN)

/* ---- the type -------------------------------------------------------------------------------------------------- */

enum {
    ANB_READS_X = 1,       /* reads row->x */
    ANB_READS_RAW = 2,     /* reads row->raw */
    ANB_TAKES_MISSING = 4, /* the rows that it reads may hold NaN */
    ANB_COMPLETES = 8,     /* its children's x never holds NaN (a feature map's rows are complete as they are) */
    ANB_WEIGHT_EXACT = 16, /* weight 2 has the effect of two samples, to the bit or up to rounding */
    /* the step is multiplied by the weight; a constant factor of all weights has an effect only relative to priors */
    ANB_WEIGHT_SCALED = 32,
    ANB_WEIGHT_UNIT = 64, /* learns samples of weight 1 only, and skips others */
    ANB_ROOT_ONLY = 128,  /* may only stand at the root, or directly below another type with this flag */
    /* clips to the range of the targets so far and 10 % more, or twice its width once values beyond it erred less */
    ANB_CLIPPED = 256,
    ANB_KEEPS_MISSING = 1024, /* a feature map whose rows hold NaN where its own row did */
    ANB_SEEDS_ANEW = 4096,    /* seeds below it are derived as if its child were the root */
    ANB_SIZED_OPTIONS = 512,  /* its options struct starts with `size_t size`, and may grow: new members come last */
    ANB_SINCE_0_3 = 8192,     /* its struct has the members that 0.3 added at the end; they are not read otherwise */
    ANB_SEEDLESS = 32768,     /* reads no seed: models that differ only in their seeds share a plan. Since 0.4 */
    ANB_READS_OWN = 16384,    /* `upgrade` reads the present layout too. Since 0.4 */
    ANB_READS_OLDER = 2048,   /* older layouts are read by the table of fields: newer fields have `since` (AnbField) */
    /* its state may start at any multiple of 8 bytes, and no call reads what an earlier one left in the scratch. In a
     * pool several threads may call `predict` of one state at once, and a thread may repeat a call in which something
     * was counted (row->counters). Since 0.6 */
    ANB_COMPACT = 65536,
    ANB_STEPS_MANY = 131072,     /* its direct table has step_many. Since 0.7 */
    ANB_GIVES_EVIDENCE = 262144, /* its AnbImportanceTable has `evidence`. Since 0.7 */
    ANB_GIVES_OUTLOOK = 524288,  /* its AnbMixtureTable has `outlook`. Since 0.8 */
    ANB_ANY_ROWS = 1048576,      /* predict_many, also of its direct table, takes any number of rows. Since 0.13 */
    ANB_FALLS_BACK = 2097152     /* its direct table has predict_or. Since 0.18 */
};

/* Where all types of a model have ANB_COMPACT and its whole scratch is at most this many doubles, the model has no
 * scratch of its own: each call takes it on the stack, and a direct `step` gets NULL. Since 0.6. */
enum { ANB_PASSING_MOST = 256 };

struct StreamingLearnerType {
    const char *name, *brief, *example; /* example: a small valid expression, for the contract suite and the docs */
    size_t options_size;                /* the plan keeps its own copy of the options */
    const AnbParam *params;             /* ended by {0}; NULL: no options */
    unsigned flags;                     /* above */
    unsigned version;                   /* of the state's layout, from 1 */
    unsigned min_children, max_children;

    /* Optional: checks that involve more than one option. Called from the root down: the node's parent, its options and
     * its children's types are set, the children's own nodes are not yet. 0 or a code with the reason (anb_fail). */
    int (*check)(const AnbNode *self, AnbError *error);
    /* Optional: how many features child i sees; else as many as the node itself. */
    size_t (*child_features)(const AnbNode *self, size_t i);
    /* Only of presets: writes the expression that replaces the preset, ended by 0, to `text`. 0 or a code. */
    int (*expand)(const void *options, size_t n_features, char *text, size_t size, AnbError *error);

    /* The tables of the node's state and scratch, children not counted; NULL where there is none. */
    const AnbField *fields, *scratch;
    /* Optional: initialises the zeroed state. 0, or ANB_E_MEMORY for a caller's type that owns pointers. */
    int (*init)(const AnbNode *self, void *state);
    double (*predict)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
    /* Learns. Gets the scratch that predict has just filled for the same row and state. */
    void (*update)(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch);
    /* Optional: predict and update in one, with the same bits. Returns the prediction. */
    double (*step)(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch);

    /* Optional: resets the node's own state, not its children's; else the host zeroes the state and calls init. */
    void (*reset)(const AnbNode *self, void *state);
    /* Optional: lowers the weight of past samples by a factor > 1 (an RLS multiplies P by it); own state only. */
    void (*refresh)(const AnbNode *self, void *state, double factor);
    /* Optional: checks after loading that involve more than one field, such as indices that must fit together. The
     * checks of the field table have passed. 0 or ANB_E_STATE with the reason. */
    int (*validate)(const AnbNode *self, const void *state, AnbError *error);
    /* Optional: fills the state from what an older version wrote: `size` bytes at `fields`, little-endian, in the order
     * of that version's table. A type with `clear` that can be saved, and one with ANB_READS_OWN, need it for the
     * present version as well: a part of the table writes what the state owns, and this function reads it. The bytes
     * may be damaged in any way. 0 or a code. */
    int (*upgrade)(const AnbNode *self, unsigned from, const unsigned char *fields, size_t size, void *state);
    /* For a caller's type that owns pointers, both or neither: `clear` frees what the state owns, `clone` copies it (0
     * or ANB_E_MEMORY). */
    void (*clear)(const AnbNode *self, void *state);
    int (*clone)(const AnbNode *self, const void *from, void *to);
    /* Optional: the features in row->x change their unit, old x_j = alpha_j new x_j + beta_j with alpha_j > 0; row->raw
     * stays as it is. Transforms what the state keeps in units of x, so that the node's predictions, and a gate's
     * weights, stay the same. It handles all nodes below as well. Without it the children, and since 0.16 the router,
     * that see the same features are reframed. */
    void (*reframe)(const AnbNode *self, void *state, const double *alpha, const double *beta);

    /* Capabilities (capability.h), or NULL. */
    const AnbWrapperTable *wrapper;
    const AnbMixtureTable *mixture;
    const AnbIntervalTable *interval;
    const AnbAnswerTable *answer;
    const AnbWaitingTable *waiting;
    const AnbImportanceTable *importance;
    const AnbSpreadTable *spread;
    const AnbSparsityTable *sparsity;
    const AnbNetworkTable *network;
    const AnbDriftTable *drift;
    const AnbAffineTable *affine;
    const AnbShapleyTable *shapley;

    /* The members from here on are read of types with ANB_SINCE_0_3 only. Since 0.3. */

    /* Optional, beside expand: called in its place where labels come later than the next row, so that past targets
     * cannot be inputs. */
    int (*expand_late)(const void *options, size_t n_features, char *text, size_t size, AnbError *error);
    const AnbQuantileTable *quantile;
    const AnbDirectTable *direct;
    /* Optional: predicts several rows; out[i] is to the bit what predict returns for row i. Gets the scratch of
     * predict; its contents afterwards do not matter. */
    void (*predict_many)(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out);
    const AnbFeatureTable *features;
    const AnbCategoryTable *categories;
};

/** Whether the type's struct has the members that 0.3 added. */
static inline bool anb_since_0_3(const StreamingLearnerType *type)
{
    return type->flags & ANB_SINCE_0_3;
}

/** What a router gets when the plan is made. Data of one sample are in AnbGate. */
typedef struct AnbGatePlan {
    size_t k;          /* experts */
    int span;          /* samples of the running mean of the load; 500 where the node above is no mixture */
    bool standardized; /* a scale above has standardised row->x */
} AnbGatePlan;

struct AnbNode {
    const StreamingLearnerType *type;
    const void *options;     /* the plan's own copy */
    const AnbNode *parent;   /* NULL at the root */
    const AnbNode *children; /* n_children learners, then the router where there is one */
    const AnbNode *router;   /* of a mixture */
    size_t n_children;
    size_t n_features;
    size_t state_offset, state_size, subtree_size; /* bytes; the offset is from the parent's state */
    size_t scratch_offset, scratch_size;           /* doubles; likewise */
    const size_t *field_at, *scratch_at;           /* bytes: where each field of the type's tables starts */
    uint64_t seed;                                 /* the option, or derived where it is 0 */
    unsigned index;                                /* depth first from 0 */
    int warmup;                                    /* attribute of an expert of a mixture */
    const char *name;                              /* attribute of an expert of a mixture, or NULL */
    const char *label;                             /* the name, or `<type>_<index among the children>` */
    AnbGatePlan gate;                              /* of a router */
};

/* ---- a gate ---------------------------------------------------------------------------------------------------- */

/*
 * One sample at a gate. "gate:" marks what AnbRouterType.gate fills, "learn:" what its learn fills. The arrays have K
 * entries and lie in the mixture's scratch. Arrays of doubles have room for K rounded up to a multiple of eight; any
 * function may overwrite the entries from the K-th on.
 */
struct AnbGate {
    size_t k;                    /* experts */
    uint64_t samples;            /* that the mixture learned before this one */
    const double *penalty;       /* added to the logits during warmup; NULL: no expert is in its warmup */
    const unsigned char *asleep; /* 1: a dense router gives the expert weight 0; NULL: no such expert */
    double *p;                   /* gate: probabilities, with penalties; they sum to one */
    double *weight;              /* gate: mixture weights; 0 for inactive experts */
    double *f;                   /* the experts' predictions; only those of active experts are set */
    unsigned *active;            /* gate: the active experts in the order of selection */
    size_t n_active;
    size_t explorer;   /* before learn: the inactive expert that learns as well; K: none */
    unsigned best;     /* before learn: the expert with the smallest loss among the active ones and the explorer, the
                          first of equals */
    double prediction; /* the mixture's */
    double *after;     /* learn: probabilities after the update, without penalties */
    double entropy;    /* learn: their entropy in nats; negative on entry: if left so, the mixture computes it */
    double low, high;  /* the seen target range, widened, to which a dense router clips; low > high: none yet */
    AnbLoss loss;      /* what experts are weighed by. Since 0.3 */
};

/*
 * A router is a node as well: `type` holds everything that it shares with a learner (name, params, fields, init, reset
 * ...; predict, update and step are NULL). It gets data of the experts only from self->gate and AnbGate, and does not
 * read its parent or its siblings.
 */
struct AnbRouterType {
    StreamingLearnerType type;
    bool dense; /* every expert is active and learns */
    bool fixed; /* the prediction is the sum of weight f, and the weights do not depend on the row */
    /* Fills p, weight, active, n_active. */
    void (*gate)(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch);
    double (*mix)(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch);
    void (*learn)(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch);
    /* Optional, called before learning: fills active and n_active with the experts that shall learn and returns true;
     * or returns false. */
    bool (*redirect)(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double *scratch);
    /* Optional: expert i was reset or has restarted. Called during that sample: after a restart before learn, after the
     * reset of a dead expert after learn. */
    void (*forget)(const AnbNode *self, void *state, size_t i);

    /* Capabilities (capability.h), or NULL. */
    const AnbGateTable *readable;
    const AnbLoadTable *load;
    const AnbLogitsTable *logits;
    const AnbBatchTable *batch;
    const AnbExploreTable *explore;
};

/** Whether expert i is active. */
static inline bool anb_gate_active(const AnbGate *gate, size_t i)
{
    for (size_t a = 0; a < gate->n_active; a++)
        if (gate->active[a] == i)
            return true;
    return false;
}

/** The type of a node that is a router. */
static inline const AnbRouterType *anb_router_type(const AnbNode *router)
{
    return (const AnbRouterType *)router->type;
}

/* ---- for types: the way to a child ------------------------------------------------------------------------------ */

static inline void *anb_child_state(const AnbNode *child, void *state)
{
    return (char *)state + child->state_offset;
}

static inline const void *anb_child_state_const(const AnbNode *child, const void *state)
{
    return (const char *)state + child->state_offset;
}

/** Field i of the type's table `fields`, an index into it; of the node's own state. */
static inline void *anb_field(const AnbNode *self, void *state, size_t i)
{
    return (char *)state + self->field_at[i];
}

static inline const void *anb_field_const(const AnbNode *self, const void *state, size_t i)
{
    return (const char *)state + self->field_at[i];
}

/** Field i of the type's table `scratch`. */
static inline void *anb_scratch(const AnbNode *self, double *scratch, size_t i)
{
    return (char *)scratch + self->scratch_at[i];
}

/** Drops const, for functions that fill a struct of pointers into a state for readers and writers alike. A caller that
 * got a const state must not write through these pointers. */
static inline void *anb_view_of(const void *state)
{
    return (void *)(uintptr_t)state; /* no cast from const for -Wcast-qual to warn of */
}

/** The most common count: one item a feature. */
static inline size_t anb_per_feature(const AnbNode *self)
{
    return self->n_features;
}

/** The prediction of child i of self for the row; state and scratch are self's. */
static inline double anb_child_predict(const AnbNode *self, size_t i, const void *state, const AnbRow *row,
                                       double *scratch)
{
    const AnbNode *child = &self->children[i];
    return child->type->predict(child, anb_child_state_const(child, state), row, scratch + child->scratch_offset);
}

/** A loop over predict, for types without predict_many. */
static inline void anb_predict_each(const AnbNode *node, const void *state, const AnbRows *rows, double *scratch,
                                    double *out)
{
    for (size_t i = 0; i < rows->n; i++) {
        AnbRow row = anb_rows_at(rows, i);
        out[i] = node->type->predict(node, state, &row, scratch);
    }
}

/** The node's predictions for several rows. */
static inline void anb_node_predict_many(const AnbNode *node, const void *state, const AnbRows *rows, double *scratch,
                                         double *out)
{
    if (anb_since_0_3(node->type) && node->type->predict_many)
        node->type->predict_many(node, state, rows, scratch, out);
    else
        anb_predict_each(node, state, rows, scratch, out);
}

/** The predictions of child i of self for several rows; state and scratch are self's. */
static inline void anb_child_predict_many(const AnbNode *self, size_t i, const void *state, const AnbRows *rows,
                                          double *scratch, double *out)
{
    const AnbNode *child = &self->children[i];
    anb_node_predict_many(child, anb_child_state_const(child, state), rows, scratch + child->scratch_offset, out);
}

/** Whether the node skips the sample, which is counted: a learner of weight class `unit` skips weights other than 1. */
static inline bool anb_sits_out(const AnbNode *node, const AnbRow *row, double weight)
{
    if (weight == 1 || !(node->type->flags & ANB_WEIGHT_UNIT))
        return false;
    row->counters->weight_skipped++;
    return true;
}

/** Child i learns; its predict has just been called for the same row. */
static inline void anb_child_update(const AnbNode *self, size_t i, void *state, const AnbRow *row, double y,
                                    double weight, double *scratch)
{
    const AnbNode *child = &self->children[i];
    if (!anb_sits_out(child, row, weight))
        child->type->update(child, anb_child_state(child, state), row, y, weight, scratch + child->scratch_offset);
}

/** Predicts, then learns, by `step` where the type has one. */
static inline double anb_node_step(const AnbNode *node, void *state, const AnbRow *row, double y, double weight,
                                   double *scratch)
{
    if (node->type->step && !anb_sits_out(node, row, weight))
        return node->type->step(node, state, row, y, weight, scratch);
    double f = node->type->predict(node, state, row, scratch);
    if (!node->type->step && !anb_sits_out(node, row, weight))
        node->type->update(node, state, row, y, weight, scratch);
    return f;
}

static inline double anb_child_step(const AnbNode *self, size_t i, void *state, const AnbRow *row, double y,
                                    double weight, double *scratch)
{
    const AnbNode *child = &self->children[i];
    return anb_node_step(child, anb_child_state(child, state), row, y, weight, scratch + child->scratch_offset);
}

/* ---- resets ------------------------------------------------------------------------------------------------------ */

/** Resets the node's own state. Never fails: a type whose init can fail has a reset that cannot. */
static inline void anb_node_reset_own(const AnbNode *node, void *state)
{
    if (node->type->reset) {
        node->type->reset(node, state);
        return;
    }
    memset(state, 0, node->state_size);
    if (node->type->init)
        node->type->init(node, state);
}

/** Resets the node and all nodes below it. */
static inline void anb_node_reset(const AnbNode *node, void *state)
{
    size_t parts = node->n_children + (node->router != NULL);
    anb_node_reset_own(node, state);
    for (size_t i = 0; i < parts; i++)
        anb_node_reset(&node->children[i], anb_child_state(&node->children[i], state));
}

static inline void anb_child_reset(const AnbNode *self, size_t i, void *state)
{
    anb_node_reset(&self->children[i], anb_child_state(&self->children[i], state));
}

/** Lowers the weight of past samples in the node and all nodes below it. */
static inline void anb_node_refresh(const AnbNode *node, void *state, double factor)
{
    size_t parts = node->n_children + (node->router != NULL);
    if (node->type->refresh)
        node->type->refresh(node, state, factor);
    for (size_t i = 0; i < parts; i++)
        anb_node_refresh(&node->children[i], anb_child_state(&node->children[i], state), factor);
}

/** Transforms the node, and the nodes below it that see the same features, routers too, to features in another unit,
 * old x_j = alpha_j new x_j + beta_j: with a type's reframe predictions stay the same. */
static inline void anb_node_reframe(const AnbNode *node, void *state, const double *alpha, const double *beta)
{
    if (node->type->reframe) {
        node->type->reframe(node, state, alpha, beta);
        return;
    }
    size_t parts = node->n_children + (node->router != NULL);
    for (size_t i = 0; i < parts; i++)
        if (node->children[i].n_features == node->n_features)
            anb_node_reframe(&node->children[i], anb_child_state(&node->children[i], state), alpha, beta);
}

/** Counts the restart of a part of the node; the node itself has not restarted. */
static inline void anb_restart_part(const AnbRow *row)
{
    row->counters->restarts++;
}

/** Restarts a learner whose step would have left it non-finite: resets it, counts the restart and reports it. */
static inline void anb_restart(const AnbNode *self, void *state, const AnbRow *row)
{
    anb_node_reset_own(self, state);
    anb_restart_part(row);
    if (row->outcome)
        row->outcome->restarted = true;
}

/**
 * Writes an error; for check, expand and validate.
 *
 * @param error   filled, or NULL
 * @param code    one of ANB_ERRORS
 * @param format  as printf's; one line
 * @return        code
 */
ANB_API int anb_fail(AnbError *error, int code, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

#ifdef __cplusplus
}
#endif
#endif
