/*
 * The mixture: its options, its routers, and the read-outs of experts and gate after each sample.
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

/** The values of reset_dead; those of false and true are as in C. */
enum { ANB_FALSE, ANB_TRUE, ANB_AUTO };

/** Options of a mixture. Options of a router have a struct of their own (AnbRouterLinearOptions ...). In an expression
 * a key that is not the mixture's is taken as one of its router: `moe(linear, rls, top_k=1)`. */
typedef struct AnbMoeOptions {
    size_t size;                  /* of this struct; set by the defaults */
    AnbRouterChoice router;       /* {&anb_router_linear, NULL} */
    int utilization_span;         /* 500; samples of the running mean of utilization, >= 1 */
    double utilization_threshold; /* 0.01; below it an expert with more than span samples is dead, (0, 1) */
    int reset_dead;               /* ANB_AUTO; ANB_AUTO: true with the linear router, false with dense ones */
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

/** The sparse gate: of K experts only the top_k predict and learn at each sample. A softmax over linear scores, trained
 * toward the expert with the smallest loss, with a bias that balances the load. Weight class: scaled. */
typedef struct AnbRouterLinearOptions {
    size_t size;              /* of this struct; set by the defaults */
    int top_k;                /* 2; active experts a sample, 1 to K */
    double router_lr;         /* 0.01; step size of the gate, >= 0; 0: the gate does not learn */
    double load_balance_rate; /* 0.01; step size of the bias that balances the load, 0 to 1 */
    uint64_t seed;            /* 42; of the initial weights */
    bool explore;             /* false; at each sample one inactive expert, in turn, also predicts and learns */
    bool standardize;         /* false; the gate standardises its features */
    bool clear;               /* false; where an expert restarts or is reset, its gate weights and bias are set to 0 */
    double router_jitter;     /* 0; learning selects experts by logits times 1 + router_jitter N(0, 1), >= 0;
                               * predictions are made without this noise */
    double switch_loss;       /* 0; coefficient of the Switch Transformer's load balancing loss, >= 0 */
    double z_loss;            /* 0; coefficient of (log sum exp of the logits)^2 in the gate's loss, >= 0 */
    double capacity_factor;   /* 0: off, else >= 1; in anb_train_batch an expert learns from at most
                               * ceil(capacity_factor top_k n / K) of the n samples */
    double router_noise;      /* 0; as router_jitter, but adds router_noise N(0, 1) to each logit, >= 0. Since 0.2 */
} AnbRouterLinearOptions;
ANB_API extern const AnbRouterType anb_router_linear;
ANB_ROUTER_DEFAULTS(AnbRouterLinearOptions, anb_router_linear)

/*
 * The dense gates. Every expert predicts and learns at each sample. An expert that restarted or was reset has weight 0
 * for its warmup; the others' weights are renormalised. Experts are weighed by their losses. Probabilities sum to one;
 * those of stack and blend are the weights of the BOA inside. Weight class: scaled.
 */

/** Bernstein online aggregation with a learning rate for each expert. Cost: about 10 ns an expert. */
typedef struct AnbRouterBoaOptions {
    size_t size;     /* of this struct; set by the defaults */
    double discount; /* 1; factor of past regrets a sample, (0, 1] */
} AnbRouterBoaOptions;
ANB_API extern const AnbRouterType anb_router_boa;
ANB_ROUTER_DEFAULTS(AnbRouterBoaOptions, anb_router_boa)

/** Stacking: recursive least squares on the differences between the experts' predictions and their BOA's. Cost: (K +
 * 2)^2 multiply-adds. */
typedef struct AnbRouterStackOptions {
    size_t size;   /* of this struct; set by the defaults */
    double lambda; /* 1; forgetting factor, (0, 1] */
    double delta;  /* 0.03; prior variance of the weights, around 0, > 0 */
    double walk;   /* 0; variance of the intercept's random walk a sample, >= 0 */
    /* 1; of the BOA. At the n-th sample at most n / (n + 2), so that its memory grows with the stream (since 0.8) */
    double discount;
} AnbRouterStackOptions;
ANB_API extern const AnbRouterType anb_router_stack;
ANB_ROUTER_DEFAULTS(AnbRouterStackOptions, anb_router_stack)

/** Several stacks with different forgetting factors around one BOA, and a discounted BOA over the stacks and the inner
 * BOA: the most accurate gate. */
typedef struct AnbRouterBlendOptions {
    size_t size;     /* of this struct; set by the defaults */
    double discount; /* 0.999; of the outer BOA, (0, 1] */
    bool wide;       /* false; five stacks instead of two, one of them weighted by the features */
} AnbRouterBlendOptions;
ANB_API extern const AnbRouterType anb_router_blend;
ANB_ROUTER_DEFAULTS(AnbRouterBlendOptions, anb_router_blend)

/** A softmax gate: log-weights of a BOA and a linear function of the standardised features. Cost: 2 K d multiply-adds.
 */
typedef struct AnbRouterSoftmaxOptions {
    size_t size;     /* of this struct; set by the defaults */
    double rate;     /* 0.03; step size of the linear term, 0 to 1; 0: the BOA alone */
    double discount; /* 1; of the BOA, (0, 1] */
} AnbRouterSoftmaxOptions;
ANB_API extern const AnbRouterType anb_router_softmax;
ANB_ROUTER_DEFAULTS(AnbRouterSoftmaxOptions, anb_router_softmax)

/* ---- read-outs ------------------------------------------------------------------------------------------------- */

/* The gate's weights, owned by the model. They are of the features as the gate sees them: below a scale in its present
 * units, with `standardize` in the gate's own. */
struct AnbGateWeights {
    size_t k, d, stride;     /* K rows of d weights, stride doubles apart; d = 0 where the gate has none */
    const double *weight;    /* NULL where d = 0 */
    const double *bias;      /* K learned biases; for a dense router its log-weights, without the learning rates */
    const double *load_bias; /* K biases that balance the load; NULL where there are none */
};

/*
 * A mixture as of the last predict or train_one. The arrays have k entries, belong to the model and are valid until its
 * next call.
 */
struct AnbMixture {
    size_t k;
    uint64_t samples;     /* learned by this mixture */
    double prediction;    /* of the last row */
    double target, error; /* of the last sample learned: y, and y - prediction */
    size_t n_active;
    const unsigned *active;     /* in the order of selection; with router_jitter or a full batch, those that learned */
    const double *weight;       /* of each expert in the prediction; 0 for inactive experts */
    const double *probability;  /* of each expert, with warmup penalties */
    const double *after;        /* probabilities after the last learning step, without penalties */
    const double *expert;       /* predictions; those of inactive experts are NaN */
    const double *utilization;  /* running mean of `after` */
    const double *load;         /* running share of samples where the expert was active; dense: running mean of p */
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
 * @param mixture  filled; its arrays belong to the model and are valid until its next call
 * @return         0, or ANB_E_UNSUPPORTED where the model holds no mixture
 *
 * Cost: a few dozen stores; never allocates.
 */
ANB_API int anb_mixture(const StreamingLearner *model, AnbMixture *mixture);

/** Fills a view of the first mixture's gate. Its arrays belong to the model and are valid until its next call. Returns
 * 0 or ANB_E_UNSUPPORTED. */
ANB_API int anb_gate_weights(const StreamingLearner *model, AnbGateWeights *weights);

/** The name of expert i of the first mixture: its own, or `<type>_<index>`. NULL where there is none. The text is valid
 * as long as the model. */
ANB_API const char *anb_expert_name(const StreamingLearner *model, size_t i);

/**
 * Fills a view of any mixture in the model, for example of one inside another. It shows the last row that this mixture
 * predicted or learned.
 *
 * @param model    the model
 * @param path     the names from the root's child to the mixture, separated by slashes: in
 *                 `scale(moe(rls, moe(linear, mean, name=inner)))` the mixtures are "moe_0" and "moe_0/inner"; "" is
 *                 the root
 * @param mixture  filled, as by anb_mixture
 * @return         0; ANB_E_UNKNOWN where there is no learner at the path; ANB_E_UNSUPPORTED where it is no mixture
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
 * The predictions of all experts of the first mixture for a row, inactive ones included; changes nothing.
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
 * The disagreement of the experts on a row: the sample standard deviation of all K predictions.
 *
 * @return  the deviation, or ANB_NAN where the row would be rejected or there is no mixture
 */
ANB_API double anb_expert_disagreement(StreamingLearner *model, const double *x);

/** The three read-outs above with a reader's scratch: the model is only read, so any number of readers may call them at
 * a time while no thread trains it. ANB_E_INPUT or ANB_NAN also where the reader is of another model. Since 0.3. */
ANB_API int anb_routing_probabilities_with(const StreamingLearner *model, AnbReader *reader, const double *x,
                                           double *p);
ANB_API int anb_expert_predictions_with(const StreamingLearner *model, AnbReader *reader, const double *x, double *f);
ANB_API double anb_expert_disagreement_with(const StreamingLearner *model, AnbReader *reader, const double *x);

/**
 * Predicts a row by a reader and fills a view of the first mixture, as anb_mixture. There is no learning step: target
 * and error are ANB_NAN, `after` is `probability`, no expert was reset.
 *
 * @param model    the model; only read
 * @param reader   its reader
 * @param x        n_features values
 * @param mixture  filled; its arrays belong to the reader and the model and are valid until the reader's next call, or
 *                 until the model is trained
 * @return         0, ANB_E_UNSUPPORTED without a mixture, ANB_E_INPUT where the row would be rejected
 *
 * Since 0.3.
 */
ANB_API int anb_mixture_with(const StreamingLearner *model, AnbReader *reader, const double *x, AnbMixture *mixture);

/**
 * Learns a mini-batch in order. As anb_train_many, but linear routers with a capacity_factor bound how many of its
 * samples an expert learns from: a sample whose expert has reached the bound goes to the next-best expert below it. The
 * predictions, each made before its sample was learned, do not depend on the bound.
 *
 * @param model   the model
 * @param x       n rows of n_features values, row by row
 * @param y       n targets
 * @param weight  n weights, or NULL: 1 each
 * @param n       samples
 * @param out     n predictions, or NULL
 * @return        how often a sample was redirected because a selected expert had reached its bound
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
