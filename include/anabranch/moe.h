/*
 * The mixture: many experts, one gate, and everything about both that can be read per sample.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_MOE_H
#define ANABRANCH_MOE_H

#include <anabranch/learner.h>
#include <anabranch/learners.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The words of reset_dead: false and true are what they are in C. */
enum { ANB_FALSE, ANB_TRUE, ANB_AUTO };

/** Options of a mixture. Those that belong to one gate are in its own options: AnbRouterLinearOptions. In text a key
 * that the mixture does not know is offered to its router: `moe(linear, rls, top_k=1)`. */
typedef struct AnbMoeOptions {
    size_t size;                  /* of this struct; set by the defaults */
    AnbRouterChoice router;       /* {&anb_router_linear, NULL} */
    int utilization_span;         /* 500; samples of the utilization's average, >= 1 */
    double utilization_threshold; /* 0.01; below it an expert with more than span samples is dead, (0, 1) */
    int reset_dead;               /* ANB_AUTO: as the router wants it: the linear one yes, dense ones no */
    double level;                 /* 0.5; of ANB_LOSS_QUANTILE, (0, 1). Since 0.3 */
    int loss; /* ANB_LOSS_SQUARED; AnbLossKind up to ANB_LOSS_QUANTILE: what the gate weighs experts by. Since 0.3 */
} AnbMoeOptions;
ANB_DEFAULTS(AnbMoeOptions, anb_moe)

/**
 * Makes a mixture with the defaults: the linear router, top_k 2.
 *
 * @param n_features  cells in a row
 * @param experts     n_experts of them, copied
 * @param n_experts   2 to 4,096
 * @param error       why it was refused, or NULL
 * @return            the model, owned by the caller, or NULL
 *
 * With options: anb_new(n_features, &(AnbExpert){ &anb_moe, &options, experts, n_experts }, ...).
 */
ANB_API StreamingLearner *anb_moe_new(size_t n_features, const AnbExpert *experts, size_t n_experts, AnbError *error);

/* ---- routers --------------------------------------------------------------------------------------------------- */

/** The specification's gate, the sparse one: of K experts the top_k predict and learn at a sample. A softmax over linear scores, moved toward the expert that was nearest, with a bias that
 * balances the load. Trains the top_k experts of each sample. Weight class: scaled. */
typedef struct AnbRouterLinearOptions {
    size_t size;              /* of this struct; set by the defaults */
    int top_k;                /* 2; active experts a sample, 1 to K */
    double router_lr;         /* 0.01; step of the gate, >= 0; 0 = a frozen gate */
    double load_balance_rate; /* 0.01; step of the load's bias, 0 to 1 */
    uint64_t seed;            /* 42; of the initial weights */
    bool explore;             /* false; each sample also trains and judges one inactive expert, in turn */
    bool standardize;         /* false; the gate sees the features standardised */
    bool clear;               /* false; an expert that restarts loses its row and bias */
    double router_jitter;     /* 0; which experts learn, and what the gate learns from, is decided by logits times
                               * 1 + router_jitter N(0, 1), >= 0; predictions are made without */
    double switch_loss;       /* 0; coefficient of the Switch load balance loss in the gate's step, >= 0 */
    double z_loss;            /* 0; coefficient of (log sum exp of the logits)^2 in the gate's step, >= 0 */
    double capacity_factor;   /* 0 = off, else >= 1; in anb_train_batch an expert learns from at most
                               * ceil(capacity_factor top_k n / K) of the n samples */
    double router_noise; /* 0; as router_jitter, but router_noise N(0, 1) is added to each logit, >= 0. Since 0.2 */
} AnbRouterLinearOptions;
ANB_API extern const AnbRouterType anb_router_linear;
ANB_ROUTER_DEFAULTS(AnbRouterLinearOptions, anb_router_linear)

/*
 * The dense gates. Every expert predicts and learns at each sample; an expert that restarted or was reset sleeps for
 * its warmup: its weight is 0 and the others are renormalised. They weigh by loss, so margins count. Probabilities sum
 * to one; those of stack and blend are the weights of the BOA inside. Weight class: scaled.
 */

/** Bernstein online aggregation with a learning rate for each expert. Cost: about 10 ns an expert. */
typedef struct AnbRouterBoaOptions {
    size_t size;     /* of this struct; set by the defaults */
    double discount; /* 1; what past regrets are multiplied by at each sample, (0, 1] */
} AnbRouterBoaOptions;
ANB_API extern const AnbRouterType anb_router_boa;
ANB_ROUTER_DEFAULTS(AnbRouterBoaOptions, anb_router_boa)

/** Recursive least squares on where the experts stand around their BOA. Cost: (K + 2)^2 multiply-adds. */
typedef struct AnbRouterStackOptions {
    size_t size;   /* of this struct; set by the defaults */
    double lambda; /* 1; forgetting factor, (0, 1] */
    double delta;  /* 0.03; how freely the weights leave 0 at first, > 0 */
    double walk;   /* 0; variance that the constant's weight gains a sample, >= 0 */
    /* 1; of the BOA. At the n-th sample it is n / (n + 2) at most, so its memory grows with the stream (since 0.8) */
    double discount;
} AnbRouterStackOptions;
ANB_API extern const AnbRouterType anb_router_stack;
ANB_ROUTER_DEFAULTS(AnbRouterStackOptions, anb_router_stack)

/** Stacks of different memories around one BOA, and a discounted BOA over them and it: the most accurate gate. */
typedef struct AnbRouterBlendOptions {
    size_t size;     /* of this struct; set by the defaults */
    double discount; /* 0.999; of the outer gate, (0, 1] */
    bool wide;       /* false; five stacks instead of two, one of them weighted by the features */
} AnbRouterBlendOptions;
ANB_API extern const AnbRouterType anb_router_blend;
ANB_ROUTER_DEFAULTS(AnbRouterBlendOptions, anb_router_blend)

/** A softmax gate: log-weights of a BOA and a linear function of the standardised features. Cost: 2 K d multiply-adds.
 */
typedef struct AnbRouterSoftmaxOptions {
    size_t size;     /* of this struct; set by the defaults */
    double rate;     /* 0.03; step of the linear term, 0 to 1; 0 leaves the BOA alone */
    double discount; /* 1; of the BOA */
} AnbRouterSoftmaxOptions;
ANB_API extern const AnbRouterType anb_router_softmax;
ANB_ROUTER_DEFAULTS(AnbRouterSoftmaxOptions, anb_router_softmax)

/* ---- read-outs ------------------------------------------------------------------------------------------------- */

/* The gate's weights, owned by the model. */
struct AnbGateWeights {
    size_t k, d, stride;     /* K rows of d weights, stride doubles apart; d = 0 where the gate has none */
    const double *weight;    /* NULL where d = 0 */
    const double *bias;      /* K: learned gate bias; of a dense router its log-weights, its learning rates left out */
    const double *load_bias; /* K: of the load balance; NULL where there is none */
};

/*
 * One mixture, as it stood at the last predict or train_one. The arrays have k entries and belong to the model: they
 * live until its next call.
 */
struct AnbMixture {
    size_t k;
    uint64_t samples;     /* seen by this mixture */
    double prediction;    /* of the last row */
    double target, error; /* of the last sample learned: y, and y - prediction */
    size_t n_active;
    const unsigned *active;     /* in the order of selection; with router_jitter or a full batch, those that learned */
    const double *weight;       /* of each expert in the mix; 0 for the inactive */
    const double *probability;  /* of each expert, warmup penalties in */
    const double *after;        /* after the last learning step, without penalties */
    const double *expert;       /* predictions; those of inactive experts are NaN */
    const double *utilization;  /* running mean of `after` */
    const double *load;         /* running share of samples where the expert was active; of p with a dense router */
    const uint64_t *trained;    /* samples each expert learned since its last reset */
    const double *progress;     /* of the warmup, 0 to 1 */
    const unsigned char *dead;  /* 1 where trained > span and utilization < threshold */
    const unsigned char *reset; /* 1 where the last sample reset the expert */
    size_t n_dead, n_reset;
    double disagreement;      /* sample standard deviation of the active predictions at the last learning step */
    double gate_entropy;      /* running, of `after`, divided by ln k: 0 to 1 */
    double alignment;         /* running agreement of the prediction's accelerations: -1 to 1 */
    double load_balance_rate; /* of a router that balances the load, as the linear one; 0 with others */
    bool dense;
};

/**
 * Fills a view of the first mixture in the model, depth first.
 *
 * @param model    the model
 * @param mixture  filled; its arrays belong to the model and live until its next call
 * @return         0, or ANB_E_UNSUPPORTED where the model holds no mixture
 *
 * Cost: a few dozen stores; never allocates.
 */
ANB_API int anb_mixture(const StreamingLearner *model, AnbMixture *mixture);

/** Fills a view of the first mixture's gate. Its arrays belong to the model and live until its next call. 0 or
 * ANB_E_UNSUPPORTED. */
ANB_API int anb_gate_weights(const StreamingLearner *model, AnbGateWeights *weights);

/** The name of expert i of the first mixture: its own, or `<type>_<index>`. NULL where there is none. The text lives as
 * long as the model. */
ANB_API const char *anb_expert_name(const StreamingLearner *model, size_t i);

/**
 * Fills a view of any mixture in the model: of one inside another, say. Its row is the last that reached it.
 *
 * @param model    the model
 * @param path     the names from below the root to the mixture, with slashes between: in
 *                 `scale(moe(rls, moe(linear, mean, name=inner)))` the mixtures are "moe_0" and "moe_0/inner"; "" is the root
 * @param mixture  filled, as by anb_mixture
 * @return         0; ANB_E_UNKNOWN where the path leads nowhere; ANB_E_UNSUPPORTED where it does not lead to a mixture
 *
 * Cost: comparing names, then that of anb_mixture; never allocates.
 */
ANB_API int anb_mixture_at(const StreamingLearner *model, const char *path, AnbMixture *mixture);

/** The name of expert i of the mixture at a path, as anb_expert_name; NULL where there is none. */
ANB_API const char *anb_expert_name_at(const StreamingLearner *model, const char *path, size_t i);

/**
 * The probabilities that the first mixture's gate gives a row, without warmup penalties; changes nothing.
 *
 * @param model  the model
 * @param x      n_features values
 * @param p      K values out, summing to one
 * @return       0, ANB_E_UNSUPPORTED without a mixture, ANB_E_INPUT where the row would be rejected
 */
ANB_API int anb_routing_probabilities(StreamingLearner *model, const double *x, double *p);

/**
 * What every expert of the first mixture says of a row, the inactive ones as well; changes nothing.
 *
 * @param model  the model
 * @param x      n_features values
 * @param f      K values out
 * @return       as anb_routing_probabilities
 *
 * Cost: one predict of each expert.
 */
ANB_API int anb_expert_predictions(StreamingLearner *model, const double *x, double *f);

/**
 * How far the experts are apart on a row: the sample standard deviation over all K predictions.
 *
 * @return  the deviation, or ANB_NAN where the row would be rejected or there is no mixture
 */
ANB_API double anb_expert_disagreement(StreamingLearner *model, const double *x);

/** The three read-outs above with a reader's scratch: the model is only read, so any number of readers may ask at a time while nobody
 * trains it. ANB_E_INPUT and ANB_NAN as well where the reader is of another model. Since 0.3. */
ANB_API int anb_routing_probabilities_with(const StreamingLearner *model, AnbReader *reader, const double *x,
                                           double *p);
ANB_API int anb_expert_predictions_with(const StreamingLearner *model, AnbReader *reader, const double *x, double *f);
ANB_API double anb_expert_disagreement_with(const StreamingLearner *model, AnbReader *reader, const double *x);

/**
 * The view of the first mixture as it predicts a row: anb_mixture for a reader. What belongs to a learning step is not
 * there: target and error are ANB_NAN, `after` is `probability`, no expert was reset.
 *
 * @param model    the model; only read
 * @param reader   its reader
 * @param x        n_features values
 * @param mixture  filled; its arrays belong to the reader and the model and live until the reader's next call, or until
 *                 the model is trained
 * @return         0, ANB_E_UNSUPPORTED without a mixture, ANB_E_INPUT where the row would be rejected
 *
 * Since 0.3.
 */
ANB_API int anb_mixture_with(const StreamingLearner *model, AnbReader *reader, const double *x, AnbMixture *mixture);

/**
 * Learns a mini-batch in order. As anb_train_many, but that linear routers with a capacity_factor bound how many of its
 * samples an expert learns from: a sample whose expert is full goes to the next-best one with room. The predictions,
 * each made before its sample was learned, are what predict would say, full or not.
 *
 * @param model   the model
 * @param x       n rows of n_features values, row by row
 * @param y       n targets
 * @param weight  n weights, or NULL: 1 each
 * @param n       samples
 * @param out     n predictions, or NULL
 * @return        how often a sample did not get an expert it wanted because that one was full
 */
ANB_API size_t anb_train_batch(StreamingLearner *model, const double *x, const double *y, const double *weight,
                               size_t n, double *out);

/** A mixture in five numbers, of those in AnbMixture. */
typedef struct AnbMixtureSummary {
    double alignment;         /* running agreement of the prediction's accelerations: -1 to 1 */
    double load_balance_rate; /* of the linear router; 0 with others */
    double gate_entropy;      /* running, divided by ln K: 0 to 1 */
    double experts;           /* K */
    double disagreement;      /* of the active experts, at the last learning step */
} AnbMixtureSummary;
/** Fills them for the first mixture, as of the last learning step. 0, or ANB_E_UNSUPPORTED where there is none. */
ANB_API int anb_mixture_summary(const StreamingLearner *model, AnbMixtureSummary *summary);

#ifdef __cplusplus
}
#endif
#endif
