/* What knn says by planes in floats beside the same in doubles, on rows that are hard for floats. */
#include "made.h"
#include "learners/knn/knn_look.h"
#include "src/host/model.h"
#include "src/numeric/random.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 5, ALL = D + 1, WINDOW = 300, ROWS = 700, ASKED = 200 };

/* ---- the same in doubles ----------------------------------------------------------------------------------------- */

typedef struct Near {
    double square; /* of the distance */
    size_t row;
} Near;

static int nearer(const void *a, const void *b)
{
    const Near *p = a, *q = b;
    return p->square != q->square ? (p->square > q->square) - (p->square < q->square)
                                  : (p->row > q->row) - (p->row < q->row);
}

/* The neighbours of a query: offsets, targets and weights. */
typedef struct Neighbours {
    size_t k;
    double u[WINDOW][ALL], y[WINDOW], weight[WINDOW], total, centre[ALL], mean;
    double gap; /* how much farther the next row is than the last neighbour, as a share of the squared distance */
} Neighbours;

static void query_of(const View *v, const double *x, double *query)
{
    for (size_t j = 0; j < v->given; j++)
        query[j] = (double)(float)x[j];
    if (v->given < v->d)
        query[v->given] = (double)((float)(v->s->ring.pushed - v->s->made + 1) / knn_pace);
}

static void find(const View *v, const double *query, Neighbours *n)
{
    static Near near[WINDOW];
    const size_t used = anb_ring_size(&v->s->ring, v->window);
    for (size_t i = 0; i < used; i++) {
        near[i] = (Near){0, i};
        for (size_t j = 0; j < v->d; j++)
            near[i].square += v->metric[j] * pow((double)v->x[i * v->d + j] - query[j], 2);
    }
    qsort(near, used, sizeof *near, nearer);
    n->k = used < v->k ? used : v->k;
    const double last = near[n->k - 1].square;
    n->gap = n->k < used && near[n->k].square > last ? 1 - last / near[n->k].square : 1;
    for (size_t i = 0; i < n->k; i++) {
        for (size_t j = 0; j < v->d; j++)
            n->u[i][j] = (double)v->x[near[i].row * v->d + j] - query[j];
        n->y[i] = v->y[near[i].row];
        n->weight[i] = 1 / (.02 + (last > 0 ? sqrt(near[i].square / last) : 0));
    }
}

static void centre(const View *v, Neighbours *n)
{
    n->total = n->mean = 0;
    memset(n->centre, 0, sizeof n->centre);
    for (size_t i = 0; i < n->k; i++) {
        n->total += n->weight[i];
        n->mean += n->weight[i] * (n->y[i] - n->y[0]);
        for (size_t j = 0; j < v->d; j++)
            n->centre[j] += n->weight[i] * n->u[i][j];
    }
    n->mean = n->y[0] + n->mean / n->total;
    for (size_t j = 0; j < v->d; j++)
        n->centre[j] /= n->total;
}

/* Gauss' elimination; the right side is column d. */
static void solve(double a[ALL][ALL + 1], size_t d, double *b)
{
    for (size_t c = 0; c < d; c++)
        for (size_t i = c + 1; i < d; i++) {
            const double by = a[i][c] / a[c][c];
            for (size_t l = c; l <= d; l++)
                a[i][l] -= by * a[c][l];
        }
    for (size_t j = d; j-- > 0;) {
        b[j] = a[j][d];
        for (size_t l = j + 1; l < d; l++)
            b[j] -= a[j][l] * b[l];
        b[j] /= a[j][j];
    }
}

static double plane_of(const View *v, const Neighbours *n)
{
    double a[ALL][ALL + 1] = {{0}}, b[ALL], metric[ALL], trace = 0, plane = n->mean;
    const size_t d = v->d;
    for (size_t i = 0; i < n->k; i++)
        for (size_t j = 0; j < d; j++) {
            const double by = n->weight[i] * (n->u[i][j] - n->centre[j]);
            for (size_t l = 0; l < d; l++)
                a[j][l] += by * (n->u[i][l] - n->centre[l]);
            a[j][d] += by * (n->y[i] - n->mean);
        }
    for (size_t j = 0; j < d; j++) {
        metric[j] = v->metric[j] + v->weights->beyond * anb_knn_trust(v, j);
        trace += metric[j] * a[j][j];
    }
    if (!(trace > 0))
        return plane;
    for (size_t j = 0; j < d; j++)
        a[j][j] += (double)knn_ridge * trace / (double)d / metric[j];
    solve(a, d, b);
    for (size_t j = 0; j < d; j++)
        plane -= b[j] * n->centre[j];
    return plane;
}

static double in_doubles(const View *v, Neighbours *n)
{
    KnnSide side = {n->y[0], n->y[0]};
    centre(v, n);
    for (size_t i = 0; i < n->k; i++) {
        side.low = fmin(side.low, n->y[i]);
        side.high = fmax(side.high, n->y[i]);
    }
    const KnnLook look = {.mean = n->mean, .plane = plane_of(v, n)};
    return anb_knn_fits(v, n->k, look.plane) ? anb_knn_within(&side, anb_knn_both(v->s, &look)) : look.mean;
}

/* ---- hard rows --------------------------------------------------------------------------------------------------- */

typedef struct Hard {
    const char *name, *expression;
    void (*change)(double *x); /* of a row of uniform features in +-1 */
    void (*ask)(double *x);    /* of a query, besides */
    double target;             /* the size of the targets; they lie about a thousand times as high */
    double most;               /* difference of both predictions, in units of that */
} Hard;

static void leave(double *x)
{
    (void)x;
}

static void grow(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] *= 1e6;
}

static void grow_some(double *x)
{
    x[0] *= 1e6;
    x[1] *= 1e-6;
    x[2] = 1e4 + x[2];
}

static void align(double *x)
{
    x[1] = x[0];
    x[2] = -2 * x[0];
    x[3] = x[0] + x[4];
}

static void round_off(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = floor(2 * x[j]);
}

static void hold(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = 3;
}

static void go_far(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = 1e3 * x[j];
}

static void shrink(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] *= 1e-12;
}

/* A plane is followed a thousand times as far as its rows span, where its slopes' last digits show. */
static const Hard hard[] = {{"usual rows", "knn(window=300)", leave, leave, 1, 3e-5},
                            {"features of 1e6", "knn(window=300)", grow, leave, 1, 3e-5},
                            {"features of 1e-12", "knn(window=300, time=false)", shrink, leave, 1, 3e-5},
                            {"mixed features", "knn(window=300)", grow_some, leave, 1e-9, 3e-5},
                            {"collinear features", "knn(window=300)", align, leave, 1e9, 3e-5},
                            {"few different rows", "knn(window=300, time=false)", round_off, leave, 1, 3e-5},
                            {"rows that are all the same", "knn(window=300, time=false)", hold, leave, 1, 3e-5},
                            {"far queries", "knn(window=300, time=false)", leave, go_far, 1e150, 3e-2},
                            {"one neighbour", "knn(window=300, k=1)", leave, leave, 1, 3e-5},
                            {"many neighbours", "knn(window=300, k=300)", leave, leave, 1, 3e-5},
                            {"coarse", "knn(window=300, coarse=5)", leave, leave, 1, 3e-5}};

static void draw(AnbRandom *random, const Hard *h, double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = 2 * anb_random_uniform(random) - 1;
    h->change(x);
}

static double target_of(AnbRandom *random, const Hard *h, const double *x)
{
    double unit[D], y = 1000 + .1 * anb_random_uniform(random);
    for (size_t j = 0; j < D; j++)
        unit[j] = x[j] / (1 + fabs(x[j]));
    for (size_t j = 0; j < D; j++)
        y += (double)j * unit[j] + unit[j] * unit[(j + 1) % D];
    return h->target * y;
}

/* Queries whose last neighbour floats may not tell from the next are left out; returns how many were not. */
static size_t ask(StreamingLearner *model, AnbRandom *random, const Hard *h)
{
    static Neighbours n;
    const View v = anb_knn_view(model->plan->nodes, anb_state_of(model, model->plan->nodes));
    size_t compared = 0;
    for (size_t i = 0; i < ASKED; i++) {
        double x[D], query[ALL];
        draw(random, h, x);
        h->ask(x);
        query_of(&v, x, query);
        if (i % 10 == 0) /* a row that the window has */
            for (size_t j = 0; j < D; j++)
                query[j] = x[j] = (double)v.x[7 * i % WINDOW * v.d + j];
        find(&v, query, &n);
        if (n.gap < 3e-6)
            continue;
        const double wanted = in_doubles(&v, &n), said = anb_predict(model, x);
        ck_assert_msg(fabs(said - wanted) <= h->most * h->target, "%s: %.17g, not %.17g", h->name, said, wanted);
        compared++;
    }
    return compared;
}

START_TEST(floats_say_what_doubles_say)
{
    const Hard *h = &hard[_i];
    StreamingLearner *model = made(D, h->expression);
    AnbRandom random;
    anb_random_seed(&random, 5);
    for (size_t i = 0; i < ROWS; i++) {
        double x[D];
        draw(&random, h, x);
        anb_train_one(model, x, target_of(&random, h, x), 1);
    }
    ck_assert_msg(ask(model, &random, h) > ASKED * 3 / 4, "%s", h->name);
    anb_free(model);
}
END_TEST

/* ---- rows far away ----------------------------------------------------------------------------------------------- */

/* Root mean squared error over the usual ones of 6,000 rows, from the second thousand on. Of 1,000, `rare` are far
 * away. */
static double usual_error(const char *expression, bool rare)
{
    enum { FEW = 3 };
    StreamingLearner *model = made(FEW, expression);
    AnbRandom random;
    double sum = 0, usual = 0;
    anb_random_seed(&random, 9);
    for (size_t i = 0; i < 6000; i++) {
        double x[FEW];
        const bool far = anb_random_uniform(&random) < .001 && rare;
        for (size_t j = 0; j < FEW; j++)
            x[j] = (far ? 1e12 : 1) * (2 * anb_random_uniform(&random) - 1);
        const double y = (far ? 0 : x[0] + x[1] * x[2]) + .1 * (2 * anb_random_uniform(&random) - 1);
        const double off = y - anb_train_one(model, x, y, 1);
        if (i < 1000 || far)
            continue;
        sum += off * off;
        usual++;
    }
    anb_free(model);
    return sqrt(sum / usual);
}

START_TEST(rare_rows_far_away_spoil_no_others)
{
    static const char *const expressions[] = {"knn", "knn(time=false)", "knn(coarse=2)"};
    const double with = usual_error(expressions[_i], true), without = usual_error(expressions[_i], false);
    ck_assert_msg(with < 1.02 * without, "%s: %g with rows far away, %g without", expressions[_i], with, without);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn_plane");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, floats_say_what_doubles_say, 0, (int)(sizeof hard / sizeof *hard));
    tcase_add_loop_test(tests, rare_rows_far_away_spoil_no_others, 0, 3);
    return suite;
}

CHECK_MAIN(suite)
