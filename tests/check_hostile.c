/*
 * Streams that break naive arithmetic, through every type: predictions stay finite, within the seen range where the
 * type promises it, and the state one that every node's own check accepts, after every one of the first 1,200 samples.
 * With ANB_LONG a million samples of each, 100,000 for types slower than 5 us.
 */
#include "src/numeric/elementary.h"
#include "reload.h"
#include "learners/rls.h"
#include "spectrum.h"
#include "suite.h"
#include "zoo.h"
#include <float.h>
#include "src/host/bytes.h"
#include "src/host/model.h"
#include <time.h>

enum { D = ZOO_FEATURES };

typedef struct Hostile {
    AnbRandom random;
    uint64_t t;
    double x[D], y, weight;
} Hostile;

static double uniform(Hostile *h)
{
    return 2 * anb_random_uniform(&h->random) - 1;
}

static void plain(Hostile *h)
{
    for (int j = 0; j < D; j++)
        h->x[j] = uniform(h);
    h->y = h->x[0] + 2 * h->x[1] * h->x[2] + .1 * uniform(h);
}

static void collinear(Hostile *h)
{
    plain(h);
    h->x[1] = 2 * h->x[0];
    h->x[2] = h->x[0] + 1;
    h->x[3] = -h->x[0];
    h->x[4] = h->x[0] * 1e-9;
}

static void constant(Hostile *h)
{
    plain(h);
    h->x[1] = 3;
    h->x[2] = 0;
    h->x[3] = 1e6;
    h->x[4] = -7;
}

static void everything_constant(Hostile *h)
{
    for (int j = 0; j < D; j++)
        h->x[j] = j;
    h->y = 5;
}

static void scale_features(Hostile *h, double factor)
{
    plain(h);
    for (int j = 0; j < D; j++)
        h->x[j] *= factor;
}

static void huge(Hostile *h)
{
    scale_features(h, 1e150);
}

static void tiny(Hostile *h)
{
    scale_features(h, 1e-150);
}

static void denormal(Hostile *h)
{
    scale_features(h, 1e-310);
    h->y *= h->t % 2 ? 1e-310 : 1;
}

static void jumps(Hostile *h)
{
    plain(h);
    h->y += h->t / 200 % 2 ? 1e9 : 0;
}

static void large_targets(Hostile *h)
{
    plain(h);
    h->y *= h->t % 300 < 150 ? 1e12 : 1e-12;
}

static void two_points(Hostile *h)
{
    for (int j = 0; j < D; j++)
        h->x[j] = h->t % 2 ? 1 : -1;
    h->y = h->t % 2 ? 10 : -3;
}

static void heavy_tails(Hostile *h)
{
    plain(h);
    double a = anb_random_normal(&h->random), b = anb_random_normal(&h->random);
    h->y += a / (b != 0 ? b : 1);
    h->x[4] = anb_random_normal(&h->random) / (uniform(h) + 1e-9);
}

/* Every size there is, one after the other. */
static void any_size(Hostile *h)
{
    static const double factors[] = {1, 1e150, 1e-150, 1e-310, 1e9, 1e300, 1e-300};
    scale_features(h, factors[h->t / 50 % 7]);
    h->y *= h->t % 500 == 499 ? 1e100 : 1;
}

/* Every weight and every target there is. */
static void any_weight(Hostile *h)
{
    static const double weights[] = {1, 1e308, 1e308, 1e-308, 1, 1e150, 5e-324, 3, 1e150};
    plain(h);
    h->weight = weights[h->t % 9];
}

static void extreme_targets(Hostile *h)
{
    static const double factors[] = {1.7e308, -1.7e308, 1, 1e-300, 1e154, -1.7e308, 1.7e308};
    plain(h);
    h->y = factors[h->t % 7] * (h->t % 3 ? 1 : uniform(h));
}

/* Both at once; features of any size as well. */
static void all_extremes(Hostile *h)
{
    extreme_targets(h);
    double y = h->y;
    any_size(h);
    any_weight(h);
    h->y = h->t / 100 % 2 ? h->y : y;
}

/* The greatest double again and again: sums of shares that are one but for rounding end beyond it. */
static void greatest_targets(Hostile *h)
{
    plain(h);
    h->y = DBL_MAX;
}

/* From one end of the doubles to the other, by samples that count differently. */
static void both_ends(Hostile *h)
{
    static const double weights[] = {1, 2, 1e30, 1, 1e-30, .3, 1};
    plain(h);
    h->y = h->y > 0 ? DBL_MAX : -DBL_MAX;
    h->weight = weights[h->t % 7];
}

/* Targets above 0 of every size. */
static void positive_targets(Hostile *h)
{
    plain(h);
    h->y = DBL_MAX * anb_exp(-709 * (h->t % 2 ? 2 : 1) * anb_random_uniform(&h->random));
}

/* Rows of an extreme stream among plain ones: every third of the first hundred, then every other hundred. */
static bool at_times(const Hostile *h)
{
    return h->t < 100 ? h->t % 3 == 0 : h->t / 100 % 2;
}

/* Their squares vanish, or nearly so. */
static void vanishing_squares(Hostile *h)
{
    plain(h);
    if (!at_times(h))
        return;
    for (int j = 0; j < D; j++)
        h->x[j] *= anb_exp(-370 + 9 * uniform(h));
    h->y *= anb_exp(-370 + 9 * uniform(h));
}

/* Targets near either end, and weights of any size. */
static void ends_at_times(Hostile *h)
{
    plain(h);
    if (at_times(h))
        h->y = h->t % 2 ? 1.7e308 : -1.7e308;
    h->weight = anb_exp((h->t % 3 ? 4.6 : 64) * uniform(h));
}

static const struct {
    const char *name;
    void (*next)(Hostile *);
    bool one_size; /* the rows and their weights */
} streams[] = {{"collinear", collinear, true},
               {"constant", constant, true},
               {"everything constant", everything_constant, true},
               {"huge", huge, true},
               {"tiny", tiny, true},
               {"denormal", denormal, true},
               {"jumps", jumps, true},
               {"large targets", large_targets, true},
               {"two points", two_points, true},
               {"heavy tails", heavy_tails, true},
               {"any size", any_size, false},
               {"any weight", any_weight, false},
               {"extreme targets", extreme_targets, true},
               {"all extremes", all_extremes, false},
               {"greatest targets", greatest_targets, true},
               {"both ends", both_ends, false},
               {"positive targets", positive_targets, true},
               {"vanishing squares", vanishing_squares, false},
               {"ends at times", ends_at_times, false}};

/* ---- one type, one stream ---------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The types in other clothes, and one inside the other. */
static const char *const others[] = {
    "linear(normalized=true)",
    "rls(adaptive=true, walk=0.1, lambda=0.9)",
    "mlp(hidden=8, optimizer=sgd, activation=gelu, replay=2, memory=100)",
    "mlp(hidden=8, momentum=0.9, activation=swiglu)",
    "mlp(hidden=8, replay=2, memory=100, precision=single)",
    "mlp(hidden=8, optimizer=sgd, activation=geglu, precision=single)",
    "tree",
    "tree(leaf=mean)",
    "tree(leaf=rls)",
    "forest(trees=3, leaf=rls)",
    "knn(window=200, time=false)",
    "drift(scale(rls), detector=page_hinkley, action=refresh)",
    "drift(scale(linear), detector=kswin, action=reset)",
    "guard(scale(residual_ar(rls)))",
    "guard(scale(linear), rls)",
    "guard(linear, linear(normalized=true), last)",
    "interval(guard(refine(moe(linear, rls, router=stack), mlp(hidden=4))))",
    "pending(interval(scale(moe(linear, tree(leaf=mean), router=blend))))",
    "residual(rls, tree)",
    "scale(poly(rls(lambda=0.99)))",
    "scale(rff(rls, features=10))",
    "moe(linear, mean, last, top_k=2, explore=true, standardize=true, z_loss=0.1, switch_loss=0.1, router_jitter=0.1)",
    "moe(linear, mean, last, top_k=3, utilization_span=20, reset_dead=true)",
    "moe(linear, rls, mlp(hidden=4), last, router=softmax)",
    "moe(linear, mean, router=boa)",
    "auto(budget=5)",
    "link(linear, f=positive)",
    "link(linear, f=sqrt)",
    "residual_ar(scale(rls), last=true)",
    "columns(scale(rls), kinds=\"2n c k t\", slots=64)",
};
enum { OTHERS = sizeof others / sizeof *others };

static size_t length_for(size_t animal)
{
    if (!getenv("ANB_LONG"))
        return 1200;
    ZooStream s = zoo_stream(1, false);
    StreamingLearner *model = zoo_model(animal, NULL, NULL);
    zoo_train(model, &s, 2000);
    double start = seconds();
    zoo_train(model, &s, 2000);
    double each = (seconds() - start) / 2000;
    anb_free(model);
    return each > 5e-6 ? 100000 : 1000000;
}

/* The state has to pass the checks that a loaded one has to. */
static void check_state(const StreamingLearner *model, const char *where)
{
    AnbError error = {0};
    StreamingLearner *again = reloaded(model, &error);
    ck_assert_msg(again != NULL, "%s: %s", where, error.message);
    anb_free(again);
}

/* The least eigenvalue of an rls' P, in units of the largest. */
static double least_of_p(const AnbNode *node, const double *state)
{
    const AnbRls rls = anb_rls_of(node);
    Spectrum p = spectrum_of(&rls, state);
    return p.least / p.most;
}

/* So do those of its nodes, at any moment; and P stays positive, but for rounding. Rows of all sizes in turn, and
 * weights, may take all of P but the rounding: then z.k tells, and P starts again. */
static void check_nodes(const StreamingLearner *model, size_t t, const char *where, bool positive)
{
    AnbError error = {0};
    for (size_t i = 0; i < model->plan->n_nodes; i++) {
        const AnbNode *node = &model->plan->nodes[i];
        int code = anb_validate_own(node, anb_state_of(model, node), &error);
        ASSERT_EACH(code == 0, "%s: sample %zu: %s refuses its state: %s", where, t, node->label, error.message);
        double least = positive && node->type == &anb_rls ? least_of_p(node, anb_state_of(model, node)) : 0;
        ASSERT_EACH(least > -1e-9, "%s: sample %zu: %s: P has an eigenvalue of %g", where, t, node->label, least);
    }
}

static void run(const char *expression, size_t which, size_t n)
{
    char where[ZOO_TEXT * 2];
    Hostile h = {.t = 0};
    double low = 0, high = 0;
    uint64_t seen = 0;
    StreamingLearner *model = made(D, expression);
    unsigned flags = model->plan->nodes[0].type->flags;
    bool clipped = flags & ANB_CLIPPED, sits_out = flags & ANB_WEIGHT_UNIT;
    snprintf(where, sizeof where, "%s, %s", expression, streams[which].name);
    anb_random_seed(&h.random, 17);
    for (; h.t < n; h.t++) {
        h.weight = 1;
        streams[which].next(&h);
        double f = anb_train_one(model, h.x, h.y, h.weight),
               margin = (.1 * high - .1 * low) * (1 + 1e-9) + 1e-300 + 1e-15 * fabs(high);
        ASSERT_EACH(f - f == 0, "%s: sample %zu: %g", where, (size_t)h.t, f);
        if (h.t < 1200 || h.t % 997 == 0) /* as dear as the state is large */
            check_nodes(model, h.t, where, streams[which].one_size);
        if (clipped && seen > 0)
            ASSERT_EACH(f >= low - margin && f <= high + margin, "%s: sample %zu: %g is outside %g .. %g", where,
                        (size_t)h.t, f, low, high);
        if (anb_n_samples_seen(model) > seen) {
            low = seen == 0 || h.y < low ? h.y : low;
            high = seen == 0 || h.y > high ? h.y : high;
            seen++;
        }
        if (h.t % (n / 4) == 0)
            check_state(model, where);
    }
    check_state(model, where);
    ck_assert_uint_eq(seen, sits_out ? anb_n_samples_seen(model) : n);
    anb_free(model);
}

START_TEST(every_type_survives_hostile_streams)
{
    char text[ZOO_TEXT];
    size_t animal = (size_t)_i, n = length_for(animal);
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++)
        run(zoo_expression(animal, text), s, n);
}
END_TEST

START_TEST(so_do_their_other_forms)
{
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++)
        run(others[_i], s, getenv("ANB_LONG") ? 20000 : 1200);
}
END_TEST

/* ANB_PART=1 or 2: half of it, so that two of these run side by side. */
static int from(int count)
{
    const char *part = getenv("ANB_PART");
    return part && *part == '2' ? count / 2 : 0;
}

static int to(int count)
{
    const char *part = getenv("ANB_PART");
    return part && *part == '1' ? count / 2 : count;
}

static Suite *suite(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = case_of(suite, 3600);
    int types = (int)zoo_count(), forms = OTHERS;
    tcase_add_loop_test(tests, every_type_survives_hostile_streams, from(types), to(types));
    tcase_add_loop_test(tests, so_do_their_other_forms, from(forms), to(forms));
    return suite;
}

CHECK_MAIN(suite)
