/* The kernels of additive.h over single features, compiled once per instruction set: four at a time. The last block of
 * fewer than four is filled with its last feature, which then makes the same step more than once, from the same
 * numbers. */
#include "src/simd/quads.h"
#include "additive.h"

enum { FOUR = 4 };

/* Feature i of a block of n from feature j on. */
LANES_INLINE size_t feature(size_t j, const size_t n, size_t i)
{
    return j + (i < n ? i : n - 1);
}

LANES_INLINE Quad load_some(const double *from, size_t j, const size_t n)
{
    return n == FOUR ? quad_load(from + j)
                     : quad_of(from[j], from[feature(j, n, 1)], from[feature(j, n, 2)], from[feature(j, n, 3)]);
}

LANES_INLINE Quad counts_of(const AdditiveView *v, size_t j, const size_t n)
{
    uint32_t some[FOUR];
    if (n == FOUR)
        return quad_load_whole(v->count + j);
    for (size_t i = 0; i < FOUR; i++)
        some[i] = v->count[feature(j, n, i)];
    return quad_load_whole(some);
}

/* How many knots lie below each value. */
LANES_INLINE Quad knots_below(const AdditiveView *v, const double *raw, size_t j, const size_t n)
{
    const double *knots[FOUR];
    double value[FOUR];
    for (size_t i = 0; i < FOUR; i++) {
        knots[i] = v->knots + feature(j, n, i) * ANB_KNOTS;
        value[i] = raw[feature(j, n, i)];
    }
    return quad_below(knots, ANB_KNOTS, value);
}

/* anb_additive_band. A quotient of such numbers is whole, or a 24th from it at least. */
LANES_INLINE Quad bands_of(const AdditiveView *v, Quad below, Quad count)
{
    const Quad bands = quad_all((double)(int64_t)v->bands), one = quad_all(1);
    Quad band = below;
    if (v->bands < ANB_KNOTS) {
        uint32_t whole[FOUR];
        Quad quotient = quad_mul(below, quad_div(bands, quad_max(count, one)));
        quad_store_whole(whole, quad_add(quotient, quad_all(1e-6)));
        band = quad_where_above(count, bands, quad_load_whole(whole), below);
    }
    return quad_min(quad_sub(bands, one), band);
}

/* How far from the knot `low` to the knot `high` a value is, 0 where there is no way between them. */
LANES_INLINE Quad share_of(const AdditiveView *v, Quad r, const uint32_t *low, const uint32_t *high, size_t j,
                           const size_t n)
{
    double from[FOUR], to[FOUR];
    for (size_t i = 0; i < FOUR; i++) {
        const double *knots = v->knots + feature(j, n, i) * ANB_KNOTS;
        from[i] = knots[low[i]];
        to[i] = knots[high[i]];
    }
    const Quad near = quad_load(from), none = quad_all(0);
    Quad share = quad_div(quad_sub(r, near), quad_sub(quad_load(to), near));
    share = quad_where_above(share, quad_all(1), none, share);
    return quad_where_above(share, none, share, none);
}

/* Finds the places of a block's values. */
LANES_INLINE void find_block(const AdditiveView *v, const double *raw, const double *x, size_t j, const size_t n,
                             const AdditivePlaces *to)
{
    const Quad r = load_some(raw, j, n), given = load_some(x, j, n), count = counts_of(v, j, n), none = quad_all(0);
    const Quad bands = quad_all((double)(int64_t)v->bands), missing = quad_all(ANB_KNOTS), far = quad_all(ANB_FARTHEST);
    const Quad below = quad_min(count, knots_below(v, raw, j, n));
    const Quad low = quad_max(none, quad_sub(below, quad_all(1))), high = quad_where_above(count, below, below, low);
    quad_store_whole(to->low + j, low);
    quad_store_whole(to->high + j, high);
    Quad share = quad_where_above(high, low, share_of(v, r, to->low + j, to->high + j, j, n), none);
    Quad band = quad_where_number(r, bands_of(v, below, count), bands);
    quad_store(to->share + j, share);
    quad_store(to->x + j, quad_where_number(given, quad_max(quad_all(-ANB_FARTHEST), quad_min(far, given)), none));
    quad_store_whole(to->low + j, quad_where_number(r, low, missing));
    quad_store_whole(to->high + j, quad_where_number(r, high, missing));
    quad_store_whole(to->column + j, band);
    quad_store_whole(to->row + j, quad_mul(band, quad_all((double)(int64_t)v->stride)));
}

/* Terms of four features, and where they lie. */
typedef struct Terms {
    double *at[FOUR];
    Quad w, p;
} Terms;

LANES_INLINE Terms terms_at(double *a, double *b, double *c, double *d)
{
    Terms t = {{a, b, c, d}, quad_all(0), quad_all(0)};
    quad_load_pairs((const double *const *)t.at, &t.w, &t.p);
    return t;
}

/* The terms of the curves at a knot of each feature of the block. */
LANES_INLINE Terms curve_terms(const AdditiveView *v, const uint32_t *knot, size_t j, const size_t n)
{
    double *curve[FOUR];
    for (size_t i = 0; i < FOUR; i++)
        curve[i] = &v->curve[feature(j, n, i) * ANB_NODES + knot[i]].w;
    return terms_at(curve[0], curve[1], curve[2], curve[3]);
}

LANES_INLINE Terms line_terms(const AdditiveView *v, size_t j, const size_t n)
{
    return terms_at(&v->line[j].w, &v->line[feature(j, n, 1)].w, &v->line[feature(j, n, 2)].w,
                    &v->line[feature(j, n, 3)].w);
}

LANES_INLINE Quad curve_at(const Terms *low, const Terms *high, Quad share)
{
    return quad_add(quad_mul(low->w, quad_sub(quad_all(1), share)), quad_mul(high->w, share));
}

/* Adds a block's terms in the order of the features. */
LANES_INLINE void add_block(const AdditiveView *v, size_t j, const size_t n, const AdditivePlaces *at,
                            AdditiveSums *sums)
{
    const Quad far = quad_load(at->share + j), near = quad_sub(quad_all(1), far), x = quad_load(at->x + j);
    const Quad a = load_some(v->lift, j, n);
    const Terms low = curve_terms(v, at->low + j, j, n), high = curve_terms(v, at->high + j, j, n),
                line = line_terms(v, j, n);
    Quad f = quad_add(quad_mul(a, curve_at(&low, &high, far)), quad_mul(line.w, x));
    Quad curve = quad_add(quad_mul(quad_mul(low.p, near), near), quad_mul(quad_mul(high.p, far), far));
    Quad variance = quad_add(quad_mul(quad_mul(a, a), curve), quad_mul(quad_mul(line.p, x), x));
    double lane[FOUR], unsure[FOUR];
    quad_store(lane, f);
    quad_store(unsure, variance);
    for (size_t i = 0; i < n; i++) {
        sums->f += lane[i];
        sums->variance += unsure[i];
    }
}

/* The view is copied, so that the compiler keeps its pointers in registers: no store can change the copy. */
static void find(const AdditiveView *given, const double *raw, const double *x, const AdditivePlaces *places)
{
    const AdditiveView v = *given;
    const AdditivePlaces to = *places;
    size_t j = 0;
    for (; j + FOUR <= v.d; j += FOUR)
        find_block(&v, raw, x, j, FOUR, &to);
    if (j < v.d)
        find_block(&v, raw, x, j, v.d - j, &to);
}

static AdditiveSums add_terms(const AdditiveView *given, const AdditivePlaces *places)
{
    const AdditiveView v = *given;
    const AdditivePlaces at = *places;
    AdditiveSums sums = {0, 0};
    size_t j = 0;
    for (; j + FOUR <= v.d; j += FOUR)
        add_block(&v, j, FOUR, &at, &sums);
    if (j < v.d)
        add_block(&v, j, v.d - j, &at, &sums);
    return sums;
}

/* The pace of single features in every lane. */
typedef struct Pace {
    Quad step, shrink, lift, least;
} Pace;

/* The step of terms whose factor in f is phi. */
LANES_INLINE void move(const Terms *t, Quad phi, const Pace *pace)
{
    Quad by = quad_mul(phi, t->p), w = quad_add(t->w, quad_mul(pace->step, by));
    Quad p = quad_sub(t->p, quad_mul(quad_mul(pace->shrink, by), by));
    quad_store_pairs(t->at, w, quad_where_above(t->p, pace->least, p, t->p));
}

LANES_INLINE Quad clip(Quad v, double low, double high)
{
    return quad_max(quad_all(low), quad_min(quad_all(high), v));
}

LANES_INLINE void learn_block(const AdditiveView *v, size_t j, const size_t n, const AdditivePlaces *at,
                              const Pace *pace)
{
    const Quad far = quad_load(at->share + j), a = load_some(v->lift, j, n);
    const Terms low = curve_terms(v, at->low + j, j, n), high = curve_terms(v, at->high + j, j, n),
                line = line_terms(v, j, n);
    Quad by = clip(quad_mul(quad_mul(pace->lift, a), curve_at(&low, &high, far)), -ANB_LIFT_STEP, ANB_LIFT_STEP);
    move(&high, quad_mul(a, far), pace); /* stored first: where both are the same knot, the step of `low` is kept */
    move(&low, quad_mul(a, quad_sub(quad_all(1), far)), pace);
    move(&line, quad_load(at->x + j), pace);
    double lift[FOUR];
    quad_store(lift, clip(quad_add(a, quad_mul(a, by)), ANB_LIFT_LEAST, ANB_LIFT_MOST));
    for (size_t i = 0; i < n; i++)
        v->lift[j + i] = lift[i];
}

static void learn(const AdditiveView *given, const AdditivePlaces *places, const AdditiveStep *step)
{
    const AdditiveView v = *given;
    const AdditivePlaces at = *places;
    const Pace pace = {quad_all(step->step), quad_all(step->shrink), quad_all(step->lift), quad_all(step->least)};
    size_t j = 0;
    for (; j + FOUR <= v.d; j += FOUR)
        learn_block(&v, j, FOUR, &at, &pace);
    if (j < v.d)
        learn_block(&v, j, v.d - j, &at, &pace);
}

const AdditiveFeatureKernels ANB_PER_ISA(anb_additive_feature_kernels) = {find, add_terms, learn};
ANB_ISA_REGISTER(AdditiveFeatureKernels, anb_additive_feature_kernels)
