/* Bernstein online aggregation: boa.h has the formulas. */
#include "boa.h"
#include "boa_kernels.h"
#include "elementary.h"
#include "moments.h"
#include <math.h>

static const double SPAN = 0x1p60; /* errors over the unit times this move the unit */
static const double GROWTH = 2;    /* of a growing memory: the discount at sample n is n / (n + GROWTH) */

typedef struct Boa {
    double *unit, *w, *r, *v, *log;
    AnbErrorScale *error; /* of the mix */
} Boa;

static Boa boa_of(double *state, size_t k)
{
    return (Boa){
        state, state + 1, state + 1 + k, state + 1 + 2 * k, state + 1 + 3 * k, (AnbErrorScale *)(state + 1 + 4 * k)};
}

void anb_boa_start(double *state, size_t k)
{
    Boa boa = boa_of(state, k);
    memset(state, 0, anb_boa_size(k) * sizeof *state);
    for (size_t i = 0; i < k; i++)
        boa.w[i] = 1.0 / (double)k;
}

double anb_mix(const double *w, const double *f, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        if (w[i] != 0)
            sum += w[i] * f[i];
    return anb_within_doubles(sum); /* weights that sum to one may do so only to rounding */
}

static bool sleeps(const unsigned char *asleep, size_t i)
{
    return asleep && asleep[i];
}

/* The stored weights after a change in which experts sleep: 0 for sleeping ones, 1/awake for those that wake, the
 * others renormalised. */
void anb_boa_weights(const double *state, size_t k, const unsigned char *asleep, double *w)
{
    const double *stored = state + 1, *v = state + 1 + 2 * k;
    size_t awake = 0, waking = 0;
    double sum = 0;
    bool changed = false;
    for (size_t i = 0; i < k; i++) {
        bool out = sleeps(asleep, i), wakes = !out && v[i] < 0;
        w[i] = out || wakes ? 0 : stored[i];
        changed |= wakes || (out && stored[i] != 0);
        awake += !out;
        waking += wakes;
        sum += w[i];
    }
    if (!changed && sum > 0)
        return;
    if (awake == 0) { /* all sleep: as if none did */
        for (size_t i = 0; i < k; i++)
            w[i] = 1 / (double)k;
        return;
    }
    double one = 1.0 / (double)awake;
    double rest = 1 - one * (double)waking;
    for (size_t i = 0; i < k; i++)
        if (!sleeps(asleep, i))
            w[i] = v[i] < 0 || !(sum > 0) ? one : w[i] / sum * rest;
}

/* The median V of the awake experts with a known V (the lower one of an even number); -1 where there is none. */
static double median(const double *v, size_t k, const unsigned char *asleep)
{
    size_t known = 0;
    for (size_t i = 0; i < k; i++)
        known += !sleeps(asleep, i) && v[i] >= 0;
    for (size_t i = 0; i < k; i++) {
        if (sleeps(asleep, i) || v[i] < 0)
            continue;
        size_t less = 0, same = 0;
        for (size_t j = 0; j < k; j++)
            if (!sleeps(asleep, j) && v[j] >= 0) {
                less += v[j] < v[i];
                same += v[j] == v[i];
            }
        if (less <= (known - 1) / 2 && (known - 1) / 2 < less + same)
            return v[i];
    }
    return -1;
}

static double log_weight(const Boa *boa, size_t i)
{
    double root = sqrt(boa->v[i]);
    return boa->r[i] / root - anb_log(root);
}

/* The log of the mean weight of the awake experts with a known V, all of which are > 0. */
static double log_mean(const Boa *boa, size_t k, const unsigned char *asleep)
{
    double top = -HUGE_VAL, sum = 0;
    size_t known = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < k; i++) {
            if (sleeps(asleep, i) || boa->v[i] < 0)
                continue;
            double l = log_weight(boa, i);
            if (pass == 0) {
                top = l > top ? l : top;
                known++;
            } else
                sum += anb_exp(l - top);
        }
    return top + anb_log(sum / (double)known);
}

/* Experts that wake get the median V, and the R that gives them the mean weight, 1/awake. */
static void wake(const Boa *boa, size_t k, const unsigned char *asleep)
{
    double v = median(boa->v, k, asleep), mean = 0;
    bool settled = v > 0;
    for (size_t i = 0; i < k; i++)
        settled &= sleeps(asleep, i) || boa->v[i] != 0;
    if (settled)
        mean = log_mean(boa, k, asleep);
    for (size_t i = 0; i < k; i++)
        if (!sleeps(asleep, i) && boa->v[i] < 0) {
            boa->v[i] = settled ? v : 0;
            boa->r[i] = settled ? sqrt(v) * (mean + anb_log(sqrt(v))) : 0;
        }
}

/* Marks the experts that sleep, and gives those that wake their first V and R. */
static void update_sleepers(const Boa *boa, size_t k, const unsigned char *asleep)
{
    bool waking = false;
    for (size_t i = 0; i < k; i++) {
        waking |= !sleeps(asleep, i) && boa->v[i] < 0;
        if (sleeps(asleep, i)) {
            boa->v[i] = -1;
            boa->r[i] = 0;
        }
    }
    if (waking)
        wake(boa, k, asleep);
}

/* Changes the unit, a power of two, if errors of this size do not fit, and converts the state. False where all is 0 or
 * not finite. */
static bool fit(const Boa *boa, size_t k, double largest)
{
    if (!(largest > 0) || largest > 0x1.fffffffffffffp1023)
        return false;
    if (*boa->unit > 0 && largest <= *boa->unit * SPAN)
        return true;
    int exponent, before = 0;
    frexp(largest, &exponent);
    exponent = exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent;
    bool kept = *boa->unit > 0;
    if (kept)
        frexp(*boa->unit, &before);
    for (size_t i = 0; kept && i < k; i++)
        if (boa->v[i] > 0) {
            boa->r[i] = ldexp(boa->r[i], 2 * (before - 1 - exponent));
            boa->v[i] = ldexp(boa->v[i], 4 * (before - 1 - exponent));
        }
    *boa->unit = ldexp(1, exponent);
    return true;
}

/* Uniform weights: some V is 0. */
static void level(const Boa *boa, size_t k)
{
    size_t awake = 0;
    for (size_t i = 0; i < k; i++)
        awake += boa->v[i] >= 0;
    for (size_t i = 0; i < k; i++) {
        boa->w[i] = boa->v[i] >= 0 ? 1 / (double)awake : 0;
        boa->log[i] = 0;
    }
}

/* Who sleeps and who wakes, then the largest difference between the mix and an awake expert. */
static double largest_gap(const Boa *boa, size_t k, const AnbBoaSample *sample)
{
    AnbBoaLook look = anb_boa_kernels.look(boa->v, sample->f, k, sample->mix);
    if (sample->asleep || look.least < 0) {
        update_sleepers(boa, k, sample->asleep);
        look = anb_boa_kernels.look(boa->v, sample->f, k, sample->mix);
    }
    return look.largest;
}

/* The largest square of a regret in units of V: a hundred times the mean one. */
static double largest_share(const Boa *boa, double discount)
{
    double memory = 1 / (1 - discount * discount), n = boa->error->seen < memory ? boa->error->seen : memory;
    return boa->error->seen >= 16 ? 100 / (2.2 * n) : HUGE_VAL;
}

double anb_boa_learn(double *state, size_t k, double discount, const AnbBoaSample *sample)
{
    Boa boa = boa_of(state, k);
    double gap = largest_gap(&boa, k, sample), y = anb_target_bounded(boa.error, sample->mix, sample->y);
    double error = fabs(sample->mix - y);
    if (!fit(&boa, k, gap <= error ? error : gap)) {
        for (size_t i = 0; i < k; i++)
            boa.w[i] = boa.v[i] < 0 ? 0 : boa.w[i];
        return y;
    }
    double inverse = 1 / *boa.unit, off = -anb_pull_by(sample->loss, y - sample->mix, boa.error->level);
    AnbBoaStep step = {sample->mix, 2 * sample->weight * (off * inverse), inverse, discount,
                       largest_share(&boa, discount)};
    if (!anb_boa_kernels.learn(boa.r, boa.v, boa.log, boa.w, sample->f, k, &step))
        level(&boa, k);
    return y;
}

double anb_boa_growing(const double *state, size_t k, double most)
{
    double n = ((const AnbErrorScale *)(state + anb_boa_used(k)))->seen + 1, growing = n / (n + GROWTH);
    return growing < most ? growing : most;
}

void anb_boa_forget(double *state, size_t k, size_t i)
{
    Boa boa = boa_of(state, k);
    boa.v[i] = -1;
    boa.w[i] = boa.r[i] = boa.log[i] = 0;
    double sum = 0;
    for (size_t j = 0; j < k; j++)
        sum += boa.w[j];
    for (size_t j = 0; j < k && sum > 0; j++)
        boa.w[j] /= sum;
}

void anb_boa_visit(double *state, size_t k, AnbVisitor *visitor)
{
    anb_visit(visitor, "boa", state, ANB_F64, anb_boa_used(k));
    anb_error_scale_visit((AnbErrorScale *)(state + anb_boa_used(k)), visitor);
}

bool anb_boa_valid(const double *state, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < 4 + 4 * k; i++)
        if (!isfinite(state[i]))
            return false;
    for (size_t i = 0; i < k; i++) {
        if (!(state[1 + i] >= 0))
            return false;
        sum += state[1 + i];
    }
    return anb_error_scale_valid((const AnbErrorScale *)(state + 1 + 4 * k)) && state[0] >= 0 &&
           (sum == 0 || fabs(sum - 1) < 1e-6);
}

/* ---- as a part of a state ---------------------------------------------------------------------------------------- */

static size_t of_field(const AnbNode *self, const AnbField *field)
{
    return ((const AnbBoaForm *)field->form)->experts(self);
}

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    return anb_boa_size(of_field(self, field)) * sizeof(double);
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)state;
    anb_boa_visit(part, of_field(self, field), visitor);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    (void)state;
    if (anb_boa_valid(part, of_field(self, field)))
        return 0;
    return anb_fail(error, ANB_E_STATE, "%s: a weight of %s is not finite, or they do not sum to 1", self->type->name,
                    field->name);
}

const AnbPart anb_boa_part = {part_size, part_visit, part_validate};
