/* poly_screen.h says what is computed. */
#include "poly_screen.h"
#include "linear_terms.h"
#include "src/numeric/clip.h"
#include "src/simd/products.h"
#include <anabranch/reach.h>
#include <string.h>

enum { ROUND = 200, MOST = ANB_PRODUCTS_D }; /* rows; features */
static const double lambda = 0.9998, most_error = 4, most_cell = 4.5, kept = 0.98, slowest = 2000, heaviest = 10;

/* Gives equal shares to the features and to products of two features in use, `shown` in all; 0 to the other
 * products. */
static void share_out(const PolyScreen *s, const bool *used, size_t shown)
{
    double *next = s->share + s->d;
    for (size_t j = 0; j < s->d; j++)
        s->share[j] = 1 / (double)shown;
    for (size_t i = 0; i < s->d; i++)
        for (size_t j = i; j < s->d; j++)
            *next++ = used[i] && used[j] ? 1 / (double)shown : 0;
}

void anb_poly_screen_init(const PolyScreen *s)
{
    const AnbRls rls = anb_poly_screen_rls(s->d);
    const bool used[MOST] = {0};
    anb_rls_init(&rls, s->linear);
    share_out(s, used, s->d);
}

/* ---- a row ------------------------------------------------------------------------------------------------------- */

/* Adds to the sums of n columns from `at` on. */
static void add_to_sums(const PolyScreen *s, size_t at, size_t n, const double *u, double e)
{
    const double rows = s->head->rows - ROUND, pace = 1 / (rows < slowest ? rows : slowest);
    double *sum = s->sum + at, *square = s->square + at, *mean = s->mean + at;
    for (size_t k = 0; k < n; k++) {
        double away = anb_clip(u[k], most_cell) - mean[k], by = e * away;
        sum[k] += by;
        square[k] += by * by;
        mean[k] += pace * away;
    }
}

/* z^2 */
static double evidence(const PolyScreen *s, size_t k)
{
    double z = s->square[k] > 0 ? s->sum[k] / sqrt(s->square[k]) : 0;
    return z * z;
}

/* The largest z^2 of each feature and its products. */
static void find_largest(const PolyScreen *s, double *most)
{
    size_t k = s->d;
    for (size_t j = 0; j < s->d; j++)
        most[j] = evidence(s, j);
    for (size_t i = 0; i < s->d; i++)
        for (size_t j = i; j < s->d; j++, k++) {
            double z = evidence(s, k);
            most[i] = z > most[i] ? z : most[i];
            most[j] = z > most[j] ? z : most[j];
        }
}

static void fade(const PolyScreen *s)
{
    for (size_t k = 0; k < s->all; k++) {
        s->sum[k] *= kept;
        s->square[k] *= kept * kept;
    }
}

static void decide(const PolyScreen *s)
{
    const double comes = s->least * s->least, goes = comes / 4, *own = s->share + s->d;
    double most[MOST];
    bool used[MOST];
    size_t n = 0;
    find_largest(s, most);
    for (size_t j = 0; j < s->d;
         own += s->d - j, j++) { /* own: the share of its square, not 0 while the feature is in use */
        used[j] = most[j] > comes || (*own > 0 && most[j] >= goes);
        n += used[j];
    }
    share_out(s, used, s->d + n * (n + 1) / 2);
    fade(s);
}

/* The error of the linear model before it learns the row, bounded; false where it is no number. */
static bool learn_linear(const PolyScreen *s, const double *x, double *y, double weight, double *work, double *e)
{
    const AnbRls rls = anb_poly_screen_rls(s->d);
    double f = anb_rls_predict(&rls, s->linear, x, work), error = *y - f;
    if (error - error == 0) {
        *e = anb_error_bounded(&s->head->error, error);
        *y = *e == error ? *y : f + *e;
        if (anb_rls_update(&rls, s->linear, *e, lambda, weight, work))
            return true;
    }
    anb_rls_init(&rls, s->linear);
    return false;
}

void anb_poly_screen_learn(const PolyScreen *s, const double *x, const double *u, double y, double weight, double *work)
{
    PolyScreenHead *head = s->head;
    double level = head->error.level, relative = anb_weight_relative(&head->unit, weight), e;
    double sd = anb_moments_sd(&head->target), away;
    relative = relative < heaviest ? relative : heaviest;
    if (!learn_linear(s, x, &y, relative, work, &e))
        return;
    away = y - head->target.mean;
    anb_moments_add(&head->target, y, relative);
    if (!anb_moments_finite(&head->target))
        head->target = (AnbMoments){0}; /* targets whose squares leave the doubles */
    head->rows += 1;
    if (head->rows > ROUND && level > 0 && sd > 0) {
        add_to_sums(s, 0, s->d, x, relative * anb_clip(away / sd, most_error));
        add_to_sums(s, s->d, s->all - s->d, u + s->d, relative * anb_clip(e / level, most_error));
    }
    if ((uint64_t)head->rows % ROUND == 0)
        decide(s);
}

/* ---- another unit of the features -------------------------------------------------------------------------------- */

void anb_poly_screen_reframe(const PolyScreen *s, const double *of, const double *shift)
{
    const AnbRls rls = anb_poly_screen_rls(s->d);
    anb_rls_reframe(&rls, s->linear, of, shift);
    for (size_t k = 0; k < s->all; k++) {
        s->sum[k] = anb_finite_or_0(s->sum[k] / of[k]);
        s->square[k] = anb_finite_or_0(s->square[k] / of[k] / of[k]);
        s->mean[k] = anb_finite_or_0((s->mean[k] - shift[k]) / of[k]);
    }
}
