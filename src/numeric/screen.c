#include "screen.h"
#include "clip.h"
#include "elementary.h"
#include <math.h>
#include <string.h>

static const double most_x = 3, most_error = 4, most_rows = 4000, fade_after = 200, kept = 0.9;
static const double independent = 1e-3; /* least share of a term's squares that earlier terms do not explain */
static const double pair_level = 0.02;  /* sums expected beyond the quantile by chance, of all */

const AnbField anb_screen_fields[] = {{ANB_MEMBER(AnbScreen, rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                      {ANB_MEMBER(AnbScreen, error_rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                      {ANB_MEMBER(AnbScreen, waited), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                      {0}};

static void multiply(float *value, size_t n, float by)
{
    for (size_t i = 0; i < n; i++)
        value[i] *= by;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static void add_terms(const AnbScreenView *v, float *row, float target)
{
    size_t d = v->d, width = anb_screen_width(d);
    for (size_t j = 1; j <= d; j++)
        row[d + j] = row[j] * row[j] - 1;
    row[width - 1] = target;
    anb_screen_kernels.add_products(v->terms, row, width, 1);
    v->s->rows += 1;
    if (v->s->rows < most_rows)
        return;
    multiply(v->terms, anb_screen_triangle(width), 0.5F);
    v->s->rows *= 0.5;
}

static void fade_errors(const AnbScreenView *v)
{
    const float by = (float)kept;
    multiply(v->pairs, anb_screen_triangle(v->d + 1), by);
    multiply(v->squares, v->d + 1, by);
    multiply(v->energies, v->d + 1, by);
    v->s->error_rows *= kept;
    v->s->waited = 0;
}

static void add_error(const AnbScreenView *v, const float *z, float error, float *pair)
{
    size_t n = v->d + 1;
    for (size_t i = 0; i < n; i++) {
        float by = error * z[i];
        v->squares[i] += z[i] * z[i];
        v->energies[i] += by * by;
    }
    anb_screen_kernels.add_products(v->pairs, z, n, error);
    const AnbTriplesKnown known = {v->squares + 1, v->terms, (float)v->s->rows};
    anb_triples_add(&v->triples, z + 1, error, &known, pair);
    v->s->error_rows += 1;
    v->s->waited += 1;
    if (v->s->waited >= fade_after)
        fade_errors(v);
}

void anb_screen_add(const AnbScreenView *v, const double *x, double target, double error, float *row, float *pair)
{
    row[0] = 1;
    for (size_t j = 0; j < v->d; j++)
        row[j + 1] = (float)anb_clip(x[j], most_x);
    add_error(v, row, (float)anb_clip(error, most_error), pair);
    add_terms(v, row, (float)anb_clip(target, most_error));
}

void anb_screen_forget_errors(const AnbScreenView *v)
{
    memset(v->pairs, 0, anb_screen_triangle(v->d + 1) * sizeof(float));
    memset(v->squares, 0, (v->d + 1) * sizeof(float));
    memset(v->energies, 0, (v->d + 1) * sizeof(float));
    v->s->error_rows = v->s->waited = 0;
}

/* ---- thresholds -------------------------------------------------------------------------------------------------- */

/* The square of the standard normal quantile that is exceeded, on either side, with a chance of `level` <= 1/2: from
 * phi(z) / z for the tail, within 2 %. */
static double squared_quantile(double level)
{
    double side = anb_log(2 / level / 2.5066282746310002), square = 2 * side;
    for (int i = 0; i < 4; i++) {
        double tail = square > 1 ? anb_log(square) : 0;
        square = 2 * side - tail;
    }
    return square > 1 ? square : 1;
}

/* ---- forward selection ------------------------------------------------------------------------------------------- */

typedef struct Forward {
    const AnbScreenView *v;
    size_t width, taken;
    double *rest, *with; /* of each term, given those taken: its sum of squares, its product with the target */
    double *factor;      /* of each term taken: its row of the Cholesky factor */
} Forward;

static double sum_of(const Forward *f, size_t i, size_t j)
{
    return (double)f->v->terms[anb_screen_place(f->v->d, i, j)];
}

static void take(Forward *f, size_t term)
{
    size_t n = f->width;
    double *made = f->factor + f->taken * n, root = sqrt(f->rest[term]), by;
    for (size_t j = 0; j < n; j++)
        made[j] = sum_of(f, term, j);
    for (size_t k = 0; k < f->taken; k++) {
        const double *row = f->factor + k * n;
        by = row[term];
        for (size_t j = 0; j < n; j++)
            made[j] -= by * row[j];
    }
    for (size_t j = 0; j < n; j++)
        made[j] /= root;
    by = made[n - 1];
    for (size_t j = 0; j < n; j++) {
        f->rest[j] -= made[j] * made[j];
        f->with[j] -= made[j] * by;
    }
    f->rest[term] = 0;
    f->taken++;
}

/* The term that lowers the squared error most, 0: none; *gain: by how much. */
static size_t best_term(const Forward *f, double *gain)
{
    size_t best = 0;
    *gain = 0;
    for (size_t j = 1; j + 1 < f->width; j++) {
        double least = independent * sum_of(f, j, j);
        double by = f->rest[j] > least && least > 0 ? f->with[j] * f->with[j] / f->rest[j] : 0;
        if (by > *gain) {
            *gain = by;
            best = j;
        }
    }
    return best;
}

static Forward start_forward(const AnbScreenView *v, double *room)
{
    size_t n = anb_screen_width(v->d);
    Forward f = {v, n, 0, room, room + n, room + 2 * n};
    for (size_t j = 0; j < n; j++) {
        f.rest[j] = sum_of(&f, j, j);
        f.with[j] = sum_of(&f, j, n - 1);
    }
    take(&f, 0);
    return f;
}

size_t anb_screen_forward(const AnbScreenView *v, size_t most, double level, uint8_t *chosen, double *room)
{
    const double rows = v->s->rows;
    size_t n = 0;
    if (rows < 2)
        return 0;
    for (Forward f = start_forward(v, room); f.taken < ANB_SCREEN_TERMS;) {
        double gain, left = rows - (double)f.taken - 2, error = f.rest[f.width - 1];
        size_t term = best_term(&f, &gain), feature = (term - 1) % v->d;
        double square = gain * left, at = (double)f.taken * level / (2 * (double)v->d);
        if (term == 0 || left < 10 || square < squared_quantile(at < 0.5 ? at : 0.5) * (error - gain))
            break;
        if (!chosen[feature] && n == most)
            break;
        n += !chosen[feature];
        chosen[feature] = 1;
        take(&f, term);
    }
    return n;
}

/* ---- what the error depends on ----------------------------------------------------------------------------------- */

void anb_screen_depends(const AnbScreenView *v, uint8_t *chosen)
{
    const size_t n = v->d + 1;
    const double rows = v->s->error_rows;
    if (rows < 30)
        return;
    const float far = (float)(squared_quantile(pair_level / (double)anb_screen_triangle(n)) / rows), *sum = v->pairs;
    for (size_t i = 0; i < n; sum += n - i, i++)
        for (size_t j = i == 0; j < n - i; j++) {
            const float a = v->energies[i] * v->squares[i + j], b = v->energies[i + j] * v->squares[i];
            if (sum[j] * sum[j] <= far * (a > b ? a : b) * (j == 0 ? 2 : 1))
                continue;
            if (i > 0)
                chosen[i - 1] = 1;
            chosen[i + j - 1] = 1;
        }
}
