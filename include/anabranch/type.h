/*
 * Writing a learner: the interface between the host, which owns plans and blocks, and the types, which own the
 * arithmetic.
 *
 *     plan   (immutable, shared)         block   (one piece, mutable, no pointers)
 *     scale ----------------------.      [ scale's state | child's state ... ]
 *       `- moe -------------.     |         each node: its own state, then its children's, then its router's,
 *            |- linear      |     |         every one on a 64-byte boundary
 *            |- rls         |     |
 *            `- (router)    |     |
 *
 * A type sees its node, its own state and its own scratch; a child's lie at fixed offsets behind them, and the inline
 * functions below are the only way to one. Nothing here allocates, locks or fails while a sample is on its way.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_TYPE_H
#define ANABRANCH_TYPE_H

#include <anabranch/capability.h>
#include <anabranch/types.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The one not-a-number that the library returns or stores: a missing value. Computed ones differ between CPUs. */
#define ANB_NAN ((double)NAN)

/* ---- parameters ------------------------------------------------------------------------------------------------ */

typedef enum AnbParamKind {
    ANB_REAL,   /* double */
    ANB_COUNT,  /* int, whole and never negative */
    ANB_BOOL,   /* bool */
    ANB_WORD,   /* int: which of `words` */
    ANB_SEED,   /* uint64_t: 0 = derived from the model's seed and the node's index (fallback is exact up to 2^53) */
    ANB_LEVELS, /* AnbLevels */
    ANB_RUNS,   /* AnbRuns: text in quotes */
    ANB_ROUTER  /* AnbRouterChoice: the gate of a mixture */
} AnbParamKind;

/** A short list of numbers as an option: `coverage=[0.8, 0.9]`. */
enum { ANB_LEVELS_MAX = 8 };
typedef struct AnbLevels {
    int count;
    double value[ANB_LEVELS_MAX];
} AnbLevels;

/**
 * Letters in runs as an option: `kinds="3n c 2t x"` is nnncttx; `*n` stands for as many as are left. Runs of one letter
 * side by side are one.
 */
enum { ANB_RUNS_MAX = 256, ANB_RUNS_LETTERS = 1 << 20, ANB_RUNS_TEXT = 12 * ANB_RUNS_MAX };
typedef struct AnbRuns {
    int count;
    uint32_t n[ANB_RUNS_MAX]; /* how often; 0: as many as are left, in one run at most */
    char letter[ANB_RUNS_MAX];
} AnbRuns;

/**
 * Reads runs from text: letters, each behind a number, `*` or nothing, blanks between them or none.
 *
 * @param text     n bytes
 * @param letters  those that are allowed
 * @param runs     filled
 * @return         0; ANB_E_SYNTAX; ANB_E_LIMIT where there are more than ANB_RUNS_MAX runs or 2^20 letters
 */
ANB_API int anb_runs_parse(const char *text, size_t n, const char *letters, AnbRuns *runs);
/** Writes them as text in its shortest form, ended by 0; returns the bytes. out: ANB_RUNS_TEXT bytes. */
ANB_API size_t anb_runs_format(const AnbRuns *runs, char *out);
/** How long run i is for a row of n letters: the run without a number takes what the others leave. */
ANB_API size_t anb_runs_length(const AnbRuns *runs, int i, size_t n);

/** Which gate, and its options (NULL: the defaults). The plan copies both. */
typedef struct AnbRouterChoice {
    const AnbRouterType *type;
    const void *options;
} AnbRouterChoice;

/** One option of a type. A table of these, ended by {0}, feeds creation, text, --help, snapshots and documents. */
typedef struct AnbParam {
    const char *name;
    AnbParamKind kind;
    size_t offset;     /* in the options struct */
    double fallback;   /* the default; of a word its index */
    double min, max;   /* both allowed unless `open`; of a list every value; unused for bool, word and router */
    unsigned open;     /* ANB_OPEN_MIN | ANB_OPEN_MAX: the bound itself is refused */
    const char *words; /* of a word: "adaptive|mean|linear"; of a list its default: "0.8, 0.9"; of runs the letters
                          allowed; of a router its name */
    const char *help;  /* one phrase, no full stop */
} AnbParam;

enum { ANB_OPEN_MIN = 1, ANB_OPEN_MAX = 2 };

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/** What an update reports of its own node. */
typedef struct AnbOutcome {
    bool restarted; /* the node began again: nothing it learned before remains */
} AnbOutcome;

/*
 * What a node is shown of one sample. A node hands its outcome on with the row only to the one child that it stands or
 * falls with: where a scaled learner begins again, so does the whole. Other children get an outcome of their own, or
 * NULL: an expert that begins again does not make its mixture new.
 */
struct AnbRow {
    const double *x;          /* n_features values, complete: standardised by a scale above, or as given */
    const double *raw;        /* n_features values as given, NaN = missing cell */
    const double *importance; /* n_features shares summing to 1, or NULL */
    AnbCounters *counters;    /* the model's while it learns, the reader's in anb_predict_with */
    AnbOutcome *outcome;      /* for update; NULL: nobody asks */
};

/** Two rows between which a prediction is explained, each with the scratch that predict left for it. */
struct AnbPair {
    AnbRow row, other;
    double *scratch, *other_scratch;
};

/** The answer of AnbShapleyTable. */
struct AnbShapleySum {
    double *phi;      /* n_features sums that are added to */
    double low, high; /* bounds of the node's prediction over all coalitions, not multiplied by the share */
};

/* ---- fields: what a snapshot writes and equality compares ------------------------------------------------------- */

typedef enum AnbScalar { ANB_U8, ANB_U16, ANB_U32, ANB_U64, ANB_F32, ANB_F64 } AnbScalar;

/** Shown every used field of a state, in a fixed order. It may read them or, while loading, write them. */
typedef struct AnbVisitor AnbVisitor;
struct AnbVisitor {
    void (*field)(AnbVisitor *self, void *data, AnbScalar kind, size_t count);
    /* Optional, of one that only reads and leaves the state as it is. A type that has put work off shows it what the
     * field at `data` will hold, for the time of the call, and what follows in the place of a call of `field`; to one
     * without it the type does that work first. */
    void (*value)(AnbVisitor *self, void *data, const void *value, AnbScalar kind, size_t count);
    unsigned version; /* of the layout that is read; 0: the type's own */
    const char *name; /* of the field that is shown */
};

/* Shows one array of scalars; for an AnbPart and for `upgrade`. */
static inline void anb_visit(AnbVisitor *v, const char *name, void *data, AnbScalar kind, size_t count)
{
    v->name = name;
    if (count > 0)
        v->field(v, data, kind, count);
}

/* Whether the layout that is read has a field which the type's version `since` brought. */
static inline bool anb_visits_since(const AnbVisitor *v, unsigned since)
{
    return v->version == 0 || v->version >= since;
}

/* ---- state and scratch: tables of fields ------------------------------------------------------------------------- */

/** What must hold of a field's values in a snapshot, and how the field lies. */
enum {
    ANB_FINITE = 1,       /* reals: neither infinite nor NaN */
    ANB_NOT_NEGATIVE = 2, /* reals: >= 0, not NaN */
    ANB_ALIGNED = 4,      /* starts on a 64-byte boundary */
    ANB_DERIVED = 8       /* follows from other fields or from the plan: neither saved nor compared nor checked */
};

typedef struct AnbField AnbField;

/** A piece of state whose contents are declared by code: a recursive least squares, a tree. It lies at `part` in `state`,
 * the node's own state. */
typedef struct AnbPart {
    /* Bytes, a function of the plan. */
    size_t (*size)(const AnbNode *self, const AnbField *field);
    /* Shows every used value, in a fixed order. A count that has just been read from a file is clamped before it bounds
     * a later field. */
    void (*visit)(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor);
    /* Optional: 0 or ANB_E_STATE. */
    int (*validate)(const AnbNode *self, const AnbField *field, const void *state, const void *part, AnbError *error);
} AnbPart;

/**
 * One field: an array of scalars, an array of structs (`stride`, `record`), or one part. A table of fields ends with {0}.
 *
 * A type's table `fields` is in the order in which a snapshot writes the values. In memory the fields follow each other
 * in the same order, the first at the state's start, each on its alignment: that of its scalar, 8 for structs, 64 for parts and where ANB_ALIGNED says
 * so. An array right behind a struct may thus be its flexible array member. From the table follow the size of the state, where each field lies (anb_field), what a snapshot writes, what
 * anb_equal compares, and the checks after loading. A type's table `scratch` declares its scratch the same way.
 *
 * A count is a capacity, a function of the plan. `used` tells how many of the items are in use; it may read the fields
 * before its own. It is clamped to the capacity, since those fields may just have been read from a file.
 */
struct AnbField {
    const char *name;
    AnbScalar kind;                                         /* of scalars */
    unsigned must;                                          /* ANB_FINITE | ANB_NOT_NEGATIVE | ... */
    size_t fixed;                                           /* items, where there is no `count` */
    size_t (*count)(const AnbNode *self);                   /* items, a function of the plan */
    size_t (*used)(const AnbNode *self, const void *state); /* items in use; NULL: all; of a part: 0, it is not in use.
                                                               Not of a member */
    uint64_t (*most)(const AnbNode *self);                  /* of whole numbers: the largest allowed; NULL: any */
    const AnbField *record;                                 /* of structs: a table of their members */
    size_t stride;                                          /* of structs: sizeof */
    const AnbPart *part;                                    /* of a part */
    const void *form;                                       /* of a part: what its functions are to know */
    size_t offset;                                          /* of a member: in its struct */
    unsigned since; /* the type's version that brought it: older layouts are read without it, and it keeps its initial
                       value; of types with ANB_READS_OLDER */
};

/* clang-format off */
/* The kind of a scalar or of the elements of an array. */
#define ANB_KIND_OF(value)                                                                                             \
    _Generic((value),                                                                                                  \
        bool: ANB_U8, uint8_t: ANB_U8, uint16_t: ANB_U16, uint32_t: ANB_U32, uint64_t: ANB_U64, float: ANB_F32,        \
        double: ANB_F64, uint8_t *: ANB_U8, uint16_t *: ANB_U16, uint32_t *: ANB_U32, uint64_t *: ANB_U64,             \
        float *: ANB_F32, double *: ANB_F64)
/* clang-format on */

/* Bytes of a scalar; a constant. */
#define ANB_SCALAR_BYTES(kind)                                                                                         \
    ((size_t)((kind) == ANB_U8 ? 1 : (kind) == ANB_U16 ? 2 : (kind) == ANB_U32 || (kind) == ANB_F32 ? 4 : 8))

#define ANB_MEMBER_OF(Struct, member) (((Struct *)0)->member)

/* A member of a struct, a scalar or an array of scalars: its kind and length follow from its type. */
#define ANB_MEMBER(Struct, member)                                                                                     \
    .name = #member, .kind = ANB_KIND_OF(ANB_MEMBER_OF(Struct, member)), .offset = offsetof(Struct, member),           \
    .fixed = sizeof ANB_MEMBER_OF(Struct, member) / ANB_SCALAR_BYTES(ANB_KIND_OF(ANB_MEMBER_OF(Struct, member)))

/* A member that is a struct or an array of structs of type Inner, whose members `table` declares. */
#define ANB_INNER(Struct, member, Inner, table)                                                                        \
    .name = #member, .record = (table), .stride = sizeof(Inner), .offset = offsetof(Struct, member),                   \
    .fixed = sizeof ANB_MEMBER_OF(Struct, member) / sizeof(Inner)

/* One struct as a field of a state or a scratch. */
#define ANB_STRUCT(Struct, table) .name = #Struct, .record = (table), .stride = sizeof(Struct), .fixed = 1

/* One struct of a scratch, whose members nothing has to know. */
#define ANB_SCRATCH_STRUCT(Struct) .name = #Struct, .stride = sizeof(Struct), .fixed = 1

/* ---- the type -------------------------------------------------------------------------------------------------- */

enum {
    ANB_READS_X = 1,        /* reads row->x */
    ANB_READS_RAW = 2,      /* reads row->raw */
    ANB_TAKES_MISSING = 4,  /* what it reads may hold NaN */
    ANB_COMPLETES = 8,      /* its children's x never holds NaN (a feature map's rows are complete as they are) */
    ANB_WEIGHT_EXACT = 16,  /* weight 2 is two samples, to the bit or to rounding */
    ANB_WEIGHT_SCALED = 32, /* the step is multiplied by the weight; a constant factor on all of them changes nothing */
    ANB_WEIGHT_UNIT = 64,   /* learns samples of weight 1 only, and sits the others out */
    ANB_ROOT_ONLY = 128,    /* stands at the root, or right below another one that does */
    ANB_CLIPPED = 256,      /* predicts within the seen target range widened by 10 % */
    ANB_KEEPS_MISSING = 1024, /* a feature map whose rows hold NaN where its own row did */
    ANB_SEEDS_ANEW = 4096,    /* the seeds below it are those that its child would have at the root */
    ANB_SIZED_OPTIONS = 512,  /* its options struct starts with `size_t size`, and may grow: new members come last */
    ANB_READS_OLDER = 2048    /* older layouts are read as well: what is newer says since when (AnbField) */
};

struct StreamingLearnerType {
    const char *name, *brief, *example; /* example: a small valid expression, for the contract suite and the docs */
    size_t options_size;                /* the plan keeps its own copy of the options */
    const AnbParam *params;             /* ended by {0}; NULL: no options */
    unsigned flags;                     /* above */
    unsigned version;                   /* of the state's layout, from 1 */
    unsigned min_children, max_children;

    /* Optional: what no single range can say. Called from the root down: parent, options and the children's types are
     * in place, the children's own nodes are not. 0 or a code, the reason in error (anb_fail). */
    int (*check)(const AnbNode *self, AnbError *error);
    /* Optional: how many features child i sees; else as many as the node itself. */
    size_t (*child_features)(const AnbNode *self, size_t i);
    /* Optional: a preset writes the expression that replaces it. 0 or a code. */
    int (*expand)(const void *options, size_t n_features, char *text, size_t size, AnbError *error);

    /* The tables of the node's state and scratch, children not counted; NULL where there is none. */
    const AnbField *fields, *scratch;
    /* Optional: the state arrives zeroed. 0, or ANB_E_MEMORY for a foreign type that owns pointers. */
    int (*init)(const AnbNode *self, void *state);
    double (*predict)(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
    /* Gets the scratch that predict has just filled for the same row and state. */
    void (*update)(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch);
    /* Optional: both fused; the same bits. Returns what predict would. */
    double (*step)(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch);

    /* Optional: the node's own state as new, the children untouched; else the host zeroes it and calls init. */
    void (*reset)(const AnbNode *self, void *state);
    /* Optional: trust the past less by this factor > 1 (an RLS multiplies P); own state only. */
    void (*refresh)(const AnbNode *self, void *state, double factor);
    /* Optional: after loading, once the table's own checks have passed: what no single field can say, such as indices
     * that must fit together. 0 or ANB_E_STATE with the reason. */
    int (*validate)(const AnbNode *self, const void *state, AnbError *error);
    /* Optional: takes over a state of an older version; `fields` as that version's table wrote them, little-endian.
     * Needed by a type with `clear` that wants snapshots: a part of its table shows what it owns, wherever that lies,
     * and its states are read back here, those of this version as well. It must bear any bytes. 0 or a code. */
    int (*upgrade)(const AnbNode *self, unsigned from, const unsigned char *fields, size_t size, void *state);
    /* For a foreign type that owns pointers, both or neither: frees what the state owns; copies it (0 or ANB_E_MEMORY).
     */
    void (*clear)(const AnbNode *self, void *state);
    int (*clone)(const AnbNode *self, const void *from, void *to);
    /* Optional: the features are now given in another unit, old x_j = alpha_j new x_j + beta_j: the state changes so
     * that the node goes on predicting the same. It speaks for all below it. Without it the children that see the same
     * features are told. */
    void (*reframe)(const AnbNode *self, void *state, const double *alpha, const double *beta);

    /* What else the type can do, each NULL or whole: capability.h. */
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
};

/** What a router is told when the plan is made; what belongs to one sample is in AnbGate. */
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
    int warmup;                                    /* the attributes that an expert of a mixture carries */
    const char *name;                              /* or NULL */
    const char *label;                             /* the name, or `<type>_<which child it is>` */
    AnbGatePlan gate;                              /* of a router */
};

/* ---- a gate ---------------------------------------------------------------------------------------------------- */

/*
 * One sample at a gate. The arrays have K entries and are the mixture's scratch; those of doubles have room for a whole
 * number of blocks of eight, and what stands behind the K-th is nobody's.
 */
struct AnbGate {
    size_t k;                    /* experts */
    uint64_t samples;            /* that the mixture learned before this one */
    const double *penalty;       /* added to the logits while experts warm up; NULL: none does */
    const unsigned char *asleep; /* experts that a dense router leaves out; NULL: none */
    double *p;                   /* gate: probabilities, penalties in; they sum to one */
    double *weight;              /* gate: mixture weights; 0 for the inactive */
    double *f;                   /* the experts' predictions; only those of active experts are set */
    unsigned *active;            /* gate: the active experts in the order of selection */
    size_t n_active;
    size_t explorer;   /* before learn: the inactive expert that learns as well; K: none */
    unsigned best;     /* before learn: of the active experts and the explorer the one with the least |error|, the first
                          of equals */
    double prediction; /* the mix */
    double *after;     /* learn: probabilities after the update, without penalties */
    double entropy;    /* learn: their entropy in nats; arrives negative: not known, the mixture computes it */
    double low, high;  /* the seen target range, widened: what a dense router clips to; low > high: none */
};

/*
 * A router is a node as well: `type` holds everything that it shares with a learner (name, params, fields, init, reset
 * ...; predict, update and step are NULL). It knows the experts from self->gate and from AnbGate alone: it looks
 * neither at its parent nor at its siblings.
 */
struct AnbRouterType {
    StreamingLearnerType type;
    bool dense; /* every expert is active and learns */
    bool fixed; /* the mix is the sum of weight f, and the weights do not depend on the row */
    /* Fills p, weight, active, n_active. */
    void (*gate)(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch);
    double (*mix)(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch);
    void (*learn)(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch);
    /* Optional: before learning: fills active and n_active with the experts that shall learn, and says so; or false. */
    bool (*redirect)(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double *scratch);
    /* Optional: expert i was reset or has restarted. Called in the sample where that happens: for a restart before
     * learn, for the reset of a dead expert after it. */
    void (*forget)(const AnbNode *self, void *state, size_t i);

    /* What else the router can do, each NULL or whole: capability.h. */
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

/** For a struct of pointers into a state, filled by one function for readers and writers alike. This is the only place
 * that drops const: a caller that was given a const state must not write through the pointers. */
static inline void *anb_view_of(const void *state)
{
    return (void *)state;
}

/** The usual count: one item per feature. */
static inline size_t anb_per_feature(const AnbNode *self)
{
    return self->n_features;
}

/** What child i of self says of the row; state and scratch are self's. */
static inline double anb_child_predict(const AnbNode *self, size_t i, const void *state, const AnbRow *row,
                                       double *scratch)
{
    const AnbNode *child = &self->children[i];
    return child->type->predict(child, anb_child_state_const(child, state), row, scratch + child->scratch_offset);
}

/** A learner of weight class `unit` sits a weighted sample out. */
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

/** Predict, then learn, by the fused step where the type has one. */
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

/* ---- beginning again --------------------------------------------------------------------------------------------- */

/** The node's own state as new. Never fails: a type whose init can fail has a reset that cannot. */
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

/** The node and all below it as new. */
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

/** The node and all below it trust their past less. */
static inline void anb_node_refresh(const AnbNode *node, void *state, double factor)
{
    size_t parts = node->n_children + (node->router != NULL);
    if (node->type->refresh)
        node->type->refresh(node, state, factor);
    for (size_t i = 0; i < parts; i++)
        anb_node_refresh(&node->children[i], anb_child_state(&node->children[i], state), factor);
}

/** The node's features are now given in another unit, old x_j = alpha_j new x_j + beta_j: it and all below it that can
 * go on predicting the same. */
static inline void anb_node_reframe(const AnbNode *node, void *state, const double *alpha, const double *beta)
{
    if (node->type->reframe) {
        node->type->reframe(node, state, alpha, beta);
        return;
    }
    for (size_t i = 0; i < node->n_children; i++)
        if (node->children[i].n_features == node->n_features)
            anb_node_reframe(&node->children[i], anb_child_state(&node->children[i], state), alpha, beta);
}

/** A part of the node's state began again, counted; the node as a whole goes on. */
static inline void anb_restart_part(const AnbRow *row)
{
    row->counters->restarts++;
}

/** A step would have left this learner non-finite: it starts again, counted and reported. */
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
 * @param error   where to, or NULL
 * @param code    the code
 * @param format  as printf's; one line
 * @return        code
 */
ANB_API int anb_fail(AnbError *error, int code, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/**
 * Fills an options struct with the defaults of its type's table.
 *
 * @param type     the type
 * @param options  its options struct
 * @param size     bytes of it, sizeof as the caller was compiled: members behind them are left alone
 */
ANB_API void anb_options_defaults(const StreamingLearnerType *type, void *options, size_t size);

/* Defines the function that returns the defaults of a learner's options, `anb_rls_defaults()`: inline, so that it fills
 * the struct that its caller was compiled with. */
#define ANB_DEFAULTS(Options, learner)                                                                                 \
    static inline Options learner##_defaults(void)                                                                     \
    {                                                                                                                  \
        Options options;                                                                                               \
        anb_options_defaults(&learner, &options, sizeof options);                                                      \
        return options;                                                                                                \
    }
/* The same of a router: `anb_router_boa_defaults()`. */
#define ANB_ROUTER_DEFAULTS(Options, router)                                                                           \
    static inline Options router##_defaults(void)                                                                      \
    {                                                                                                                  \
        Options options;                                                                                               \
        anb_options_defaults(&router.type, &options, sizeof options);                                                  \
        return options;                                                                                                \
    }

#ifdef __cplusplus
}
#endif
#endif
