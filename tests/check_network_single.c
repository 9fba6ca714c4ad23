/* Networks of floats: beside networks of doubles, on every instruction set, and where floats end. */
#include "src/numeric/network.h"
#include "suite.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { FEATURES = 21, HIDDEN = 75, SAMPLES = 11, CELLS = 8192, TRACES = 4096 };

static const AnbNetworkPace pace = {
    .rate = .003, .momentum = .9, .decay = .99, .mean_scale = 2, .square_scale = 50, .average = .25};

/* A network with its average and its moments, and a batch. */
typedef struct Floats {
    float value[CELLS], averaged[CELLS], square[CELLS], mean[CELLS], x[SAMPLES * (FEATURES + 1) + 16], trace[TRACES];
    double said[SAMPLES], pull[FEATURES + 1], kept[2 * FEATURES];
} Floats;

typedef struct Doubles {
    double value[CELLS], averaged[CELLS], square[CELLS], mean[CELLS], x[SAMPLES * (FEATURES + 1) + 8], trace[TRACES];
    double said[SAMPLES], pull[FEATURES + 1], kept[2 * FEATURES];
} Doubles;

static Floats floats[ANB_ISA_COUNT];
static Doubles doubles;
static double rows[SAMPLES][FEATURES], delta[SAMPLES];

/* Rows of normal numbers, some of them zeros and some beyond the bound. */
static void make_batch(void)
{
    AnbRandom random;
    anb_random_seed(&random, 8);
    for (int s = 0; s < SAMPLES; s++) {
        for (int j = 0; j < FEATURES; j++)
            rows[s][j] = (s + j) % 9 == 0 ? 0 : (s + j) % 13 == 0 ? 7 : anb_random_normal(&random);
        delta[s] = anb_random_normal(&random);
    }
}

/* Three steps with all that belongs to one: rows, forward, descent, factors, another unit. */
static void run(const AnbNetwork *n, AnbNetworkRows w, void *x, void *trace, double *said, double *pull, double *kept)
{
    double alpha[FEATURES], beta[FEATURES];
    for (int j = 0; j < FEATURES; j++) {
        alpha[j] = j % 2 ? .8 : 1.5;
        beta[j] = .1 * j;
    }
    for (int t = 0; t < 3; t++) {
        anb_network_take_rows(n, rows[0], FEATURES, SAMPLES, 5, x);
        for (size_t s = 0; s < SAMPLES; s += 4)
            anb_network_forward_rows(n, w.value, anb_network_at(n, x, s * (FEATURES + 1)),
                                     s + 4 > SAMPLES ? SAMPLES - s : 4,
                                     anb_network_at(n, trace, s * anb_network_trace(n)), said + s);
        anb_network_descend(n, w, x, trace, delta, SAMPLES, &pace, pull);
        anb_network_rescale(n, w, pull, kept, &pace);
        anb_network_move_output(n, w.value, 1.1, -.2);
        if (t == 1)
            anb_network_reframe(n, w, alpha, beta);
    }
}

static AnbNetwork net_of(int kind, bool single)
{
    AnbNetwork n = anb_network(FEATURES, HIDDEN, (AnbActivation)kind, single);
    ck_assert_uint_le(anb_network_size(&n), CELLS);
    ck_assert_uint_le(SAMPLES * anb_network_trace(&n), TRACES);
    return n;
}

static AnbNetworkRows rows_of(Floats *f)
{
    return (AnbNetworkRows){f->value, f->averaged, f->square, f->mean};
}

static void run_floats(Floats *f, int kind)
{
    AnbRandom random;
    const AnbNetwork n = net_of(kind, true);
    memset(f, 0, sizeof *f);
    anb_random_seed(&random, 3);
    anb_network_draw(&n, f->value, &random);
    run(&n, rows_of(f), f->x, f->trace, f->said, f->pull, f->kept);
}

/* The widths differ, the units in use do not. A step of floats may be off by .07 %. */
START_TEST(beside_doubles)
{
    AnbRandom random;
    const AnbNetwork n = net_of(_i, false), m = net_of(_i, true);
    make_batch();
    run_floats(&floats[0], _i);
    memset(&doubles, 0, sizeof doubles);
    anb_random_seed(&random, 3);
    anb_network_draw(&n, doubles.value, &random);
    run(&n, (AnbNetworkRows){doubles.value, doubles.averaged, doubles.square, doubles.mean}, doubles.x, doubles.trace,
        doubles.said, doubles.pull, doubles.kept);
    for (int s = 0; s < SAMPLES; s++)
        ck_assert_double_eq_tol(floats[0].said[s], doubles.said[s], 2e-4);
    for (int j = 0; j <= FEATURES; j++)
        ck_assert_double_eq_tol(floats[0].pull[j], doubles.pull[j], 2e-3 * (1 + fabs(doubles.pull[j])));
    for (size_t j = 0; j <= FEATURES; j++)
        for (size_t h = 0; h < HIDDEN; h++) {
            size_t at = j * n.width + h, other = j * m.width + h;
            ck_assert_double_eq_tol((double)floats[0].value[other], doubles.value[at],
                                    7e-4 * (1 + fabs(doubles.value[at])));
            ck_assert_double_eq_tol((double)floats[0].square[other], doubles.square[at],
                                    1e-3 * (1e-3 + doubles.square[at]));
        }
}
END_TEST

START_TEST(every_set_gives_the_same_bits)
{
    AnbIsa before = anb_isa_in_use();
    make_batch();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa)) {
            run_floats(&floats[isa], _i);
            ck_assert_mem_eq(&floats[isa], &floats[0], sizeof floats[0]);
        }
    anb_isa_use(before);
}
END_TEST

/* Rows together have the bits of rows alone. */
START_TEST(rows_together)
{
    const AnbNetwork n = net_of(_i, true);
    Floats *f = &floats[0];
    float trace[TRACES];
    double said[SAMPLES];
    make_batch();
    run_floats(f, _i);
    anb_network_take_rows(&n, rows[0], FEATURES, SAMPLES, 5, f->x);
    for (size_t most = 1; most <= SAMPLES; most++) {
        memset(trace, 0, sizeof trace);
        memset(f->trace, 0, sizeof f->trace);
        anb_network_forward_rows(&n, f->value, f->x, most, f->trace, said);
        for (size_t s = 0; s < most; s++)
            ck_assert_double_eq(said[s], anb_network_forward(&n, f->value, f->x + s * (FEATURES + 1),
                                                             trace + s * anb_network_trace(&n)));
        ck_assert_mem_eq(trace, f->trace, sizeof trace);
    }
}
END_TEST

static void check_normal(const float *cell, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert(cell[i] == 0 || (fabsf(cell[i]) >= FLT_MIN && fabsf(cell[i]) <= FLT_MAX));
}

/* Errors and cells from far too small to far too large, then a long time of none: what is kept stays a number of full
 * precision. */
START_TEST(where_floats_end)
{
    static const double sizes[] = {1e-300, 1e-40, 1e-30, 1e-22, 1e-12, 1, 1e6, 1e20};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    const AnbNetwork n = net_of(_i, true);
    for (int kind = 0; kind < SIZES * SIZES; kind++) {
        Floats *f = &floats[0];
        AnbRandom random;
        double x[FEATURES], error;
        memset(f, 0, sizeof *f);
        anb_random_seed(&random, 3);
        anb_network_draw(&n, f->value, &random);
        for (int t = 0; t < 1200; t++) {
            for (int j = 0; j < FEATURES; j++)
                x[j] = t < 20 ? (j % 3 - 1) * sizes[kind % SIZES] : 0;
            error = t < 20 ? sizes[kind / SIZES] : 0;
            anb_network_take_rows(&n, x, FEATURES, 1, 1e6, f->x);
            check_normal(f->x, FEATURES + 1);
            anb_network_forward(&n, f->value, f->x, f->trace);
            anb_network_descend(&n, rows_of(f), f->x, f->trace, &error, 1, &pace, f->pull);
        }
        size_t first = anb_network_output(&n);
        check_normal(f->value, first);
        check_normal(f->averaged, first);
        check_normal(f->square, first);
        check_normal(f->mean, first);
    }
}
END_TEST

/* Gates beside the C library's, from where they are 0 to where they are straight. */
START_TEST(gates_of_floats)
{
    enum { POINTS = 16 * 200 };
    const double steep = _i ? 1.5957691216057308 : 1, cubic = _i ? 0.044715 : 0;
    static float g[POINTS], up[POINTS], value[POINTS], by_gate[POINTS], by_up[POINTS];
    for (int i = 0; i < POINTS; i++) {
        g[i] = (float)((i - POINTS / 2) * 0.0117);
        up[i] = i % 2 ? 1.5f : -2;
    }
    g[0] = -1e20f, g[1] = -1e9f, g[2] = 1e9f, g[3] = 1e20f, g[4] = NAN;
    anb_gates(&anb_network_floats, g, up, POINTS, steep, cubic, value, by_gate, by_up);
    for (int i = 0; i < 2; i++)
        ck_assert(fabsf(by_up[i]) < 1e-15f && fabsf(by_gate[i]) < 1e-12f);
    ck_assert(by_up[2] == 1e9f && by_gate[2] == up[2] && by_up[3] == 1e20f && by_gate[3] == up[3]);
    ck_assert(isnan(value[4]) && isnan(by_gate[4]));
    for (int i = 5; i < POINTS; i++) {
        double x = (double)g[i], s = 1 / (1 + exp(-steep * (x + cubic * x * x * x)));
        double slope = s + x * s * (1 - s) * steep * (1 + 3 * cubic * x * x), size = 1e-15 + fabs(x * s);
        ck_assert_double_eq_tol((double)by_up[i], x * s, 3e-6 * size + 1e-15);
        ck_assert_double_eq_tol((double)value[i], x * s * (double)up[i], 6e-6 * size + 2e-15);
        ck_assert_double_eq_tol((double)by_gate[i], slope * (double)up[i], 5e-6 * (fabs(slope) + fabs(x * s)) + 2e-15);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("network_single");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, beside_doubles, ANB_RELU, ANB_HARDGELU + 1);
    tcase_add_loop_test(tests, every_set_gives_the_same_bits, ANB_RELU, ANB_HARDGELU + 1);
    tcase_add_loop_test(tests, rows_together, ANB_RELU, ANB_HARDGELU + 1);
    tcase_add_loop_test(tests, where_floats_end, ANB_LEAKY, ANB_HARDGELU + 1);
    tcase_add_loop_test(tests, gates_of_floats, 0, 2);
    return suite;
}

CHECK_MAIN(suite)
