/*
 * A stack: a base prediction, corrected by a linear function of how far each expert's prediction is from it.
 *
 *     s       running root mean square of y - base, discounted by lambda
 *     z_i     (f_i - base) / s clipped to +-5; 0 where expert i sleeps
 *     w       recursive least squares from (1, z) to (y - base) / s clipped to +-6; P starts as delta I, `walk` is
 *             added to the variance of the weight of the 1
 *     output  base + s (w . (1, z)), within the range of the awake experts' predictions, widened on both sides by its
 *             width and by 2 s; the base alone for the first 10 samples and where s is 0
 *
 * The caller may append features of its own to z. Weights of samples are in units of their mean (weight_unit.h).
 *
 *     state   doubles: [ n | sum of weights | sum of squares | mean weight, its n | 0: 3 | rls ]
 *
 * Cost: that of a recursive least squares on as many features and one.
 */
#ifndef ANB_NUMERIC_STACK_H
#define ANB_NUMERIC_STACK_H

#include "loss.h"
#include "rls.h"
#include <anabranch/type.h>

typedef struct AnbStack {
    size_t n;      /* features, the constant not counted */
    double lambda; /* forgetting factor, (0, 1] */
    double delta;  /* initial diagonal of P */
    double walk;   /* variance of the intercept's random walk a sample */
} AnbStack;

/* The range of the awake experts' predictions. */
typedef struct AnbSpan {
    double low, high;
} AnbSpan;

AnbSpan anb_span(const double *f, size_t k, const unsigned char *asleep);

/* Doubles of state, best on a 64-byte boundary; of scratch for predict and learn. Both are whole blocks of eight. */
size_t anb_stack_size(const AnbStack *self);
size_t anb_stack_scratch(const AnbStack *self);

void anb_stack_start(const AnbStack *self, double *state);

/* Writes the standing of k experts as the first k features and returns where: the others are for the caller to fill. */
double *anb_stack_features(const AnbStack *self, const double *state, const double *f, size_t k,
                           const unsigned char *asleep, double base, double *scratch);

/* The output, once all features are in the scratch. */
double anb_stack_predict(const AnbStack *self, const double *state, double base, AnbSpan span, double *scratch);

/* Learns from one sample; the scratch is the one that predict filled for it. With another loss than the squared one
 * (NULL) the pull (loss.h) replaces the error. */
void anb_stack_learn(const AnbStack *self, const AnbLoss *loss, double *state, double base, double y, double weight,
                     double *scratch);

/* Lowers the weight of past samples: multiplies P by factor > 1. */
void anb_stack_refresh(const AnbStack *self, double *state, double factor);

/* A stack as a part of a node's state: `.part = &anb_stack_part`, and `.form` points to one of these. A stack of n = 0
 * is none: it takes no room. */
typedef struct AnbStackForm {
    AnbStack (*of)(const AnbNode *self, size_t which);
    size_t which; /* of several stacks of one node */
} AnbStackForm;
extern const AnbPart anb_stack_part;
/* The stack's scratch as a field of the node's scratch; `.form` as above. */
extern const AnbPart anb_stack_work;

/* 0, or ANB_E_STATE with the reason where learning cannot have made this. */
int anb_stack_validate(const AnbStack *self, const double *state, AnbError *error);

#endif
