/*
 * Bernstein online aggregation (BOA): weights of K experts by their losses, with a learning rate for each expert.
 *
 *     mix = sum w_i f_i                          r_i = 2 (mix - y) (mix - f_i) weight
 *     R_i <- g R_i     V_i <- g^2 V_i            V_i += 2.2 r_i^2     R_i += r_i - r_i^2 / sqrt(V_i)
 *     w_i proportional to exp(R_i / sqrt(V_i)) / sqrt(V_i);  uniform until every V_i of an awake expert is > 0
 *
 * f_i: prediction of expert i; y: target; r_i: regret; R_i: sum of regrets; V_i: sum of their squares; g: discount, 0 <
 * g <= 1.
 *
 * Growing memory. An expert that still learns had larger errors in its first rows than it will have later.
 * anb_boa_growing returns g = n / (n + 2) at sample n, so that the regret of sample s has the weight (s / n)^2. In
 * tests with such experts the weights find the best one in half the rows that g = 1 needs.
 *
 * Units. Errors are divided by a power of two near the largest error. Small and large targets stay within the range of
 * a double, and multiplying all targets by a power of two changes no bit of the weights.
 *
 * Sleeping experts have weight 0. One that wakes gets weight 1/K until its first loss is known; its V is then set to
 * the median of the others' V, and its R to the value that gives weight 1/K.
 *
 *     state   doubles: [ unit | w: K | R: K | V: K | R / sqrt(V): K ]    V < 0: the expert sleeps or is about to wake
 *
 * Cost: two square roots, two divisions and an exponential for each expert to learn; a copy to predict.
 * Wintenberger 2017, "Optimal learning with Bernstein online aggregation"; g = 1 and 2.2 as in the R package opera.
 * Growing weights: polynomial-decay averaging of gradient descent, Shamir & Zhang 2013; the 2 was chosen on the streams
 * of docs/accuracy.md.
 */
#ifndef ANB_NUMERIC_BOA_H
#define ANB_NUMERIC_BOA_H

#include "error_scale.h"
#include "loss.h"
#include <anabranch/type.h>

/* Doubles of state, a whole number of blocks of eight. */
static inline size_t anb_boa_size(size_t k)
{
    return (1 + 4 * k + 3 + 7) / 8 * 8;
}

/* Doubles of it before the scale of the errors, an AnbErrorScale that lies behind them. */
static inline size_t anb_boa_used(size_t k)
{
    return 1 + 4 * k;
}

/* Initialises the state of k experts. */
void anb_boa_start(double *boa, size_t k);

/**
 * The weights for the next sample.
 *
 * @param boa     the state
 * @param k       experts
 * @param asleep  1 where an expert sleeps, or NULL; where all sleep the weights are uniform
 * @param w       K weights out; they sum to one
 */
void anb_boa_weights(const double *boa, size_t k, const unsigned char *asleep, double *w);

/* A sample: the predictions of the experts and of their mix, and the target. */
typedef struct AnbBoaSample {
    const double *f;             /* K predictions; those of sleepers are not read */
    double mix;                  /* the sum of w_i f_i */
    double y;                    /* the target */
    double weight;               /* factor of r */
    const unsigned char *asleep; /* as at anb_boa_weights */
    /* NULL: the squared loss. With another loss the regrets are linearised at the mix: the pull (loss.h) at the errors'
     * scale replaces y - mix. A BOA of gradients keeps its bound for every convex loss. */
    const AnbLoss *loss;
} AnbBoaSample;

/* Learns from one sample; earlier ones are discounted by `discount`, (0, 1]. Returns the target, bounded by the errors'
 * scale. */
double anb_boa_learn(double *boa, size_t k, double discount, const AnbBoaSample *sample);

/* The discount for the next sample of a BOA whose memory grows with the stream, at most `most`. */
double anb_boa_growing(const double *boa, size_t k, double most);

/* Resets expert i: it sleeps, or wakes with the next sample. */
void anb_boa_forget(double *boa, size_t k, size_t i);

/* The sum of w_i f_i over the experts whose weight is not 0. */
double anb_mix(const double *w, const double *f, size_t k);

/* R_i / sqrt(V_i) of every expert: the log-weights without the learning rates; all 0 while the weights are uniform. */
static inline const double *anb_boa_log_weights(const double *boa, size_t k)
{
    return boa + 1 + 3 * k;
}

void anb_boa_visit(double *boa, size_t k, AnbVisitor *visitor);

/* A BOA as a part of a node's state: `.part = &anb_boa_part`, and `.form` points to one of these. */
typedef struct AnbBoaForm {
    size_t (*experts)(const AnbNode *self);
} AnbBoaForm;
extern const AnbPart anb_boa_part;

/* Whether all of it is finite and the weights are weights. */
bool anb_boa_valid(const double *boa, size_t k);

#endif
