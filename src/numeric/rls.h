/*
 * Recursive least squares with exponential forgetting, numerically stable, over flat memory.
 *
 *     k = P z    den = lambda / weight + z.k    q = k / sqrt(den)    w += q error / sqrt(den)    P <- P - q q'
 *
 * P is symmetric by construction: only its upper triangle is stored, and q_i q_j rounds as q_j q_i does.
 * P is divided by lambda after the downdate.
 *
 * Directions that the inputs do not excite are only divided, so their variance grows. When the trace of P has passed
 * twice its initial value, the coordinate with the largest variance P_ii gets its prior variance delta back, one
 * coordinate a sample:
 *
 *     q = P_i sqrt((1 - delta / P_ii) / P_ii)    P <- P - q q'    so that P_ii = delta
 *
 * This adds information about w_i alone, at its present value: P stays positive definite and the weights do not move.
 * Column P_i lies along the direction that has grown, so excited directions keep their variance and go on forgetting.
 * If more directions grow than one reset a sample can handle, division by lambda stops at 16 times the initial trace.
 * If z.k or a diagonal entry is negative or not finite, P restarts at its initial value and the weights stay.
 *
 * Deferred step. Each update reads and writes P once: the downdate P - q q' of one sample is not made at once but
 * during the pass that computes the next product k = P z, tile by tile. Until then the state holds q and the scale (1
 * or 1/lambda) that are due. p0 and the diagonal, which is stored a second time since it gives the trace, are always up
 * to date. Code that only reads P computes what the due step makes of it (anb_rls_p, anb_rls_validate, a visitor with
 * `value`); code that changes P makes the step first (refresh, other visitors). When the step is made changes no bit.
 *
 * State of n features in doubles, B = ceil(n / 8) blocks, zeros behind the last feature:
 *
 *     [ p00  w0  trace  scale  (4 unused) | w: 8B | p0: 8B | q: 8B | diagonal: 8B | panel 0 | panel 1 | ... ]
 *
 *     panel p of ceil(n / 4) holds rows 4p to 4p+3 of P, from the 8 x 8 tile on the diagonal to the right:
 *
 *       +----+----+----+          p0 and p00 are the intercept's row: a constant feature stays out of the tiles:
 *       | 00 | 01 | 02 |          n = 16 with an intercept has three tiles, not six
 *       +----+----+----+
 *            | 11 | 12 |          a tile on the diagonal is kept whole
 *            +----+----+
 *                 | 22 |
 *                 +----+
 *
 * Up to eight features: the triangle is packed (rls_few.h), since a tile would hold most entries twice. The step is not
 * deferred but made while the triangle is in registers. The trace is computed when it is asked for.
 *
 *     [ p00  w0 | w: 8 | p0: 8 | the triangle: 36 ]
 *
 * Cost: (n+1)^2 multiply-adds an update, P read once and written once. Same bits on every instruction set.
 * Verhaegen 1989 on why only a symmetric update is numerically stable; Liavas & Regalia 1999 on the forgetting factor;
 * Kulhavy 1987 and Cao & Schwartz 2000 on forgetting in the excited directions only.
 */
#ifndef ANB_NUMERIC_RLS_H
#define ANB_NUMERIC_RLS_H

#include "src/simd/isa.h"
#include <anabranch/type.h>

/* The constant parameters of an RLS; may be made anew for each call. */
typedef struct AnbRls {
    size_t n;       /* features, the constant one not counted */
    bool intercept; /* a constant feature of 1 */
    double delta;   /* initial diagonal of P, > 0 */
    double walk;    /* added to the intercept's variance after each update while that is below its prior one; >= 0 */
    bool single;    /* P's factor in floats (rls_single.h), which has its own update; n > ANB_RLS_FEW */
    double level;   /* initial variance of the intercept; 0: delta */
} AnbRls;

/* What a state starts with; of up to eight features the first two alone. */
typedef struct AnbRlsHead {
    double p00, w0;
    double trace;     /* of P; anb_rls_trace returns it for any number of features */
    double scale;     /* what the due step divides by lambda: 1 or 1 / lambda */
    double unused[4]; /* w starts on a cache line; zeros */
} AnbRlsHead;

enum { ANB_RLS_FEW = 8, ANB_RLS_FEW_HEAD = 2, ANB_RLS_FEW_P = 36, ANB_RLS_HEAD = sizeof(AnbRlsHead) / sizeof(double) };

/* Doubles in front of the weights. */
static inline size_t anb_rls_weights_at(size_t n)
{
    return n <= ANB_RLS_FEW ? ANB_RLS_FEW_HEAD : ANB_RLS_HEAD;
}

static inline AnbRlsHead *anb_rls_head(double *state)
{
    return (AnbRlsHead *)state;
}

static inline const AnbRlsHead *anb_rls_head_const(const double *state)
{
    return (const AnbRlsHead *)state;
}

typedef struct AnbRlsKernels {
    void (*look_many)(const double *state, const double *x, size_t stride, size_t rows, size_t n, double *out);
    double (*predict)(const AnbRls *rls, const double *state, const double *x, double *scratch);
    double (*update)(const AnbRls *rls, double *state, double error, double lambda, double weight, double *scratch);
} AnbRlsKernels;

ANB_ISA_TABLE(AnbRlsKernels, anb_rls_kernels);

/* In units of the initial trace: above ROOF a coordinate gets its prior back; above MOST P is not divided by lambda. */
enum { ANB_RLS_ROOF = 2, ANB_RLS_MOST = 16 };

/* The intercept's prior variance. */
static inline double anb_rls_level(const AnbRls *rls)
{
    return rls->level > 0 ? rls->level : rls->delta;
}

/* The trace that P starts with. Without a level it is one product, which rounds otherwise than the sum would. */
static inline double anb_rls_initial(const AnbRls *rls)
{
    if (rls->level > 0 && rls->intercept)
        return rls->delta * (double)rls->n + rls->level;
    return rls->delta * (double)(rls->n + rls->intercept);
}

/* Features rounded up to whole blocks of eight. */
static inline size_t anb_rls_padded(size_t n)
{
    return (n + 7) / 8 * 8;
}

/* Doubles of state for n features; best on a 64-byte boundary. */
size_t anb_rls_state(size_t n);

/* Doubles of scratch for n features. */
static inline size_t anb_rls_scratch(size_t n)
{
    return 2 * anb_rls_padded(n);
}

/* w = 0, P as at the start; whatever was there before. */
void anb_rls_init(const AnbRls *rls, double *state);

/* P as at the start, the weights stay. */
void anb_rls_restart(const AnbRls *rls, double *state);

/* w . x + w0, unchecked: where x or w is extreme it may not be finite. Leaves x in the scratch for an update. */
static inline double anb_rls_predict(const AnbRls *rls, const double *state, const double *x, double *scratch)
{
    return anb_rls_kernels.predict(rls, state, x, scratch);
}

/* The bits of anb_rls_predict of several rows, `stride` doubles apart; leaves nothing. */
static inline void anb_rls_look_many(const double *state, const double *x, size_t stride, size_t rows, size_t n,
                                     double *out)
{
    anb_rls_kernels.look_many(state, x, stride, rows, n, out);
}

/**
 * One step for the row that predict has just left in the scratch.
 *
 * @param error   y - prediction
 * @param lambda  forgetting factor, (0, 1]
 * @param weight  > 0
 * @return        true; false where the weights are not finite any more: the caller starts again by anb_rls_init
 */
static inline bool anb_rls_update(const AnbRls *rls, double *state, double error, double lambda, double weight,
                                  double *scratch)
{
    return anb_rls_kernels.update(rls, state, error, lambda, weight, scratch) == 0;
}

/* Gives the coordinate with the largest variance its prior variance back: adds the information 1/delta - 1/P_ii about
 * w_i alone, at its present value. The kernel calls it where the trace has passed ANB_RLS_ROOF initial ones. */
void anb_rls_confine(const AnbRls *rls, double *state);

/* Transforms w and P to features in another unit, old x_j = alpha_j new x_j + beta_j. Restarts where a number is not
 * finite. */
void anb_rls_reframe(const AnbRls *rls, double *state, const double *alpha, const double *beta);

/* Lowers the weight of past samples: multiplies P by factor > 1, or less where its trace would exceed the initial
 * one. */
void anb_rls_refresh(const AnbRls *rls, double *state, double factor);

/* The weights: n of them; the intercept's is anb_rls_head(state)->w0. */
static inline const double *anb_rls_weights(const double *state, size_t n)
{
    return state + anb_rls_weights_at(n);
}

/* The trace of P, the intercept's variance included. */
double anb_rls_trace(const AnbRls *rls, const double *state);

/* Entry i, j of P; index n is the intercept. For tests and diagnostics. */
double anb_rls_p(const AnbRls *rls, const double *state, size_t i, size_t j);

/* An RLS as a part of a node's state: `.part = &anb_rls_part`, and `.form` points to one of these. */
typedef struct AnbRlsForm {
    AnbRls (*of)(const AnbNode *self);
} AnbRlsForm;
extern const AnbPart anb_rls_part;

/* Shows a visitor every used field, and the trace where it is none: head, weights, the intercept's row, the upper
 * triangle row by row, the due step made. */
void anb_rls_visit(const AnbRls *rls, double *state, AnbVisitor *visitor);

/* 0, or ANB_E_STATE with the reason where learning cannot have made this. */
int anb_rls_validate(const AnbRls *rls, const double *state, AnbError *error);

#endif
