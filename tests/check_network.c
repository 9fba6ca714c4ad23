#include "src/numeric/network.h"
#include "src/numeric/random.h"
#include "src/numeric/waves.h"
#include "suite.h"
#include <math.h>
#include <string.h>

enum { ROWS = 7, WIDTH = 56, SAMPLES = 5, CELLS = ROWS * WIDTH };

static void fill(AnbRandom *random, double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = anb_random_normal(random);
}

START_TEST(cosines_are_those_of_libm)
{
    double turns[203], given[203];
    for (int i = 0; i < 203; i++)
        turns[i] = given[i] = (i - 101) * 0.0371;
    anb_cosine(turns, 203, 3);
    for (int i = 0; i < 203; i++)
        ck_assert_double_eq_tol(turns[i], 3 * cos(2 * acos(-1) * given[i]), 1e-13);
    double odd[] = {1e300, -1e300, INFINITY, -INFINITY, NAN, 1e15};
    anb_cosine(odd, 6, 1);
    for (int i = 0; i < 6; i++)
        ck_assert(fabs(odd[i]) <= 1);
}
END_TEST

/* What a gate says, by the C library. */
static double gated(double g, double up, double steep, double cubic)
{
    return g * up / (1 + exp(-steep * (g + cubic * g * g * g)));
}

START_TEST(gates_and_their_slopes)
{
    const double steep[] = {1, 1.5957691216057308}, cubic[] = {0, 0.044715}, e = 1e-6;
    double g[16], up[16], value[16], by_gate[16], by_up[16];
    for (int i = 0; i < 16; i++) {
        g[i] = (i - 8) * 0.61;
        up[i] = (7 - i) * 0.43;
    }
    for (int kind = 0; kind < 2; kind++) {
        double s = steep[kind], c = cubic[kind];
        anb_gates(&anb_network_doubles, g, up, 16, s, c, value, by_gate, by_up);
        for (int i = 0; i < 16; i++) {
            ck_assert_double_eq_tol(value[i], gated(g[i], up[i], s, c), 1e-13);
            ck_assert_double_eq_tol(by_gate[i], (gated(g[i] + e, up[i], s, c) - gated(g[i] - e, up[i], s, c)) / 2 / e,
                                    1e-8);
            ck_assert_double_eq_tol(by_up[i], gated(g[i], 1, s, c), 1e-13);
        }
        anb_gates(&anb_network_doubles, g, NULL, 16, s, c, value, by_gate, NULL);
        ck_assert_double_eq_tol(value[3], gated(g[3], 1, s, c), 1e-13);
    }
}
END_TEST

/* One unit of weight 1 and no constants is the activation itself: the formulas of network.h. */
START_TEST(hardgelu_is_its_formula)
{
    for (int i = -40; i <= 40; i++) {
        double w[64] = {0}, trace[64], u = i * .0625, share = .4 * u + .5;
        AnbNetwork net = anb_network(1, 1, ANB_HARDGELU, false);
        ck_assert(anb_network_size(&net) <= 64 && anb_network_trace(&net) <= 64);
        w[0] = 1;
        w[anb_network_output(&net)] = 1;
        share = share < 0 ? 0 : share > 1 ? 1 : share;
        ck_assert_double_eq_tol(anb_network_forward(&net, w, (double[16]){u, 1}, trace), u * share, 1e-15);
        ck_assert_double_eq_tol(u * share, u * .5 * (1 + erf(u / sqrt(2))), .135); /* near gelu */
    }
}
END_TEST

/* The slopes of f by its features against differences, for each activation. */
START_TEST(slopes_by_the_features)
{
    enum { FEATURES = 5, HIDDEN = 11 };
    const double e = 1e-6;
    for (int kind = ANB_RELU; kind <= ANB_HARDGELU; kind++) {
        double w[600], trace[200], room[64], slope[FEATURES], x[16] = {0.3, -1.2, 0.7, 2.1, -0.4, 1};
        AnbNetwork net = anb_network(FEATURES, HIDDEN, (AnbActivation)kind, false);
        AnbRandom random;
        ck_assert(anb_network_size(&net) <= 600 && anb_network_trace(&net) <= 200 && net.width <= 64);
        anb_random_seed(&random, 5);
        memset(w, 0, sizeof w);
        anb_network_draw(&net, w, &random);
        anb_network_forward(&net, w, x, trace);
        anb_network_slopes(&net, w, trace, room, slope);
        for (int j = 0; j < FEATURES; j++) {
            double at = x[j];
            x[j] = at + e;
            double above = anb_network_forward(&net, w, x, trace);
            x[j] = at - e;
            double below = anb_network_forward(&net, w, x, trace);
            x[j] = at;
            ck_assert_double_eq_tol(slope[j], (above - below) / 2 / e, 1e-7);
        }
    }
}
END_TEST

typedef struct Fixture {
    double value[CELLS], averaged[CELLS], square[CELLS], mean[CELLS], x[SAMPLES * ROWS], g[SAMPLES * WIDTH];
} Fixture;

static Fixture fixture(void)
{
    Fixture f = {0};
    AnbRandom random;
    anb_random_seed(&random, 11);
    fill(&random, f.value, CELLS);
    memcpy(f.averaged, f.value, sizeof f.averaged);
    fill(&random, f.x, SAMPLES * ROWS);
    fill(&random, f.g, SAMPLES * WIDTH);
    return f;
}

static const AnbNetworkPace adam = {
    .rate = .01, .momentum = .9, .decay = .99, .mean_scale = 10, .square_scale = 100, .average = .25};

static double summed(const Fixture *f, size_t j, size_t h)
{
    double sum = 0;
    for (size_t s = 0; s < SAMPLES; s++)
        sum += f->x[s * ROWS + j] * f->g[s * WIDTH + h];
    return sum;
}

START_TEST(adam_is_the_textbooks)
{
    Fixture f = fixture(), old = f;
    anb_network_move(&anb_network_doubles, (AnbNetworkRows){f.value, f.averaged, f.square, f.mean}, ROWS, WIDTH, f.x,
                     ROWS, f.g, WIDTH, SAMPLES, &adam, NULL);
    for (size_t j = 0; j < ROWS; j++)
        for (size_t h = 0; h < WIDTH; h++) {
            double g = summed(&old, j, h), mean = .1 * g, square = .01 * g * g;
            double by = .01 * (mean * 10) / (sqrt(square * 100) + 1e-8), expected = old.value[j * WIDTH + h] - by;
            ck_assert_double_eq_tol(f.value[j * WIDTH + h], expected, 1e-6);
            ck_assert_double_eq_tol(f.averaged[j * WIDTH + h], old.value[j * WIDTH + h] - .25 * by, 1e-6);
            ck_assert_double_eq_tol(f.mean[j * WIDTH + h], mean, 1e-12);
            ck_assert_double_eq_tol(f.square[j * WIDTH + h], square, 1e-12);
        }
}
END_TEST

START_TEST(descent_follows_the_gradient)
{
    Fixture f = fixture(), old = f;
    AnbNetworkPace plain = {.rate = .5, .mean_scale = 1, .square_scale = 1, .average = 1};
    anb_network_move(&anb_network_doubles, (AnbNetworkRows){f.value, f.averaged, NULL, NULL}, ROWS, WIDTH, f.x, ROWS,
                     f.g, WIDTH, SAMPLES, &plain, NULL);
    for (size_t j = 0; j < ROWS; j++)
        for (size_t h = 0; h < WIDTH; h++) {
            double expected = old.value[j * WIDTH + h] - .5 * summed(&old, j, h);
            ck_assert_double_eq_tol(f.value[j * WIDTH + h], expected, 1e-12);
            ck_assert_double_eq_tol(f.averaged[j * WIDTH + h], expected, 1e-12);
        }
}
END_TEST

START_TEST(every_set_gives_the_same_bits)
{
    Fixture of[ANB_ISA_COUNT];
    double out[ANB_ISA_COUNT][4][WIDTH], pull[ANB_ISA_COUNT][ROWS];
    memset(of, 0, sizeof of);
    memset(pull, 0, sizeof pull);
    memset(out, 0, sizeof out);
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        of[isa] = fixture();
        Fixture *f = &of[isa];
        for (int times = 0; times < 3; times++)
            anb_network_move(&anb_network_doubles, (AnbNetworkRows){f->value, f->averaged, f->square, f->mean}, ROWS,
                             WIDTH, f->x, ROWS, f->g, WIDTH, SAMPLES, &adam, pull[isa]);
        memcpy(out[isa][0], f->g, sizeof out[isa][0]);
        anb_gates(&anb_network_doubles, out[isa][0], f->g, WIDTH, 1.5957691216057308, 0.044715, out[isa][1],
                  out[isa][2], out[isa][3]);
        anb_cosine(out[isa][0], WIDTH - 3, .5);
        ck_assert_mem_eq(&of[isa], &of[0], sizeof of[0]);
        ck_assert_mem_eq(out[isa], out[0], sizeof out[0]);
        ck_assert_mem_eq(pull[isa], pull[0], sizeof pull[0]);
    }
    anb_isa_use(before);
}
END_TEST

/* The pull of a feature is the gradient by the logarithm of a factor on it. */
static void check_pull(const AnbNetwork *net, const double *w, double x[2][5], const double *delta, const double *pull,
                       double drop)
{
    double trace[2 * 80];
    for (size_t j = 0; j < net->features; j++) {
        double up[2], e = 1e-6;
        for (int side = 0; side < 2; side++) {
            up[side] = 0;
            for (int s = 0; s < 2; s++) {
                double scaled[5];
                memcpy(scaled, x[s], sizeof scaled);
                scaled[j] *= 1 + (side ? -e : e);
                AnbRandom random;
                double f = anb_network_forward(net, w, scaled, trace);
                anb_random_seed(&random, (unsigned long)(1000 * (x[s][0] + 9)));
                up[side] += delta[s] * (drop > 0 ? anb_network_drop(net, w, trace, drop, &random) : f);
            }
        }
        ck_assert_double_eq_tol(pull[j], (up[0] - up[1]) / (2 * e), 1e-7);
    }
}

/* The step of plain descent at rate 1 is the gradient; every weight of every activation, over a batch of two. */
static double thinned(const AnbNetwork *net, const double *w, const double *x, double *trace, double drop)
{
    AnbRandom random;
    double f = anb_network_forward(net, w, x, trace);
    anb_random_seed(&random, (unsigned long)(1000 * (x[0] + 9))); /* the same units of the same row */
    return drop > 0 ? anb_network_drop(net, w, trace, drop, &random) : f;
}

static void check_gradient(AnbActivation activation, double drop)
{
    enum { FEATURES = 4, HIDDEN = 11, MOST = 400 };
    static double old[MOST], new[MOST], averaged[MOST], trace[2 * 80];
    double pull[FEATURES + 1], x[2][FEATURES + 1] = {{.3, -1.2, .7, 2, 1}, {-.4, .9, -1.7, .2, 1}}, delta[2] = {1, -.6};
    AnbNetwork net = anb_network(FEATURES, HIDDEN, activation, false);
    size_t size = anb_network_size(&net), stride = anb_network_trace(&net);
    AnbNetworkPace plain = {.rate = 1, .mean_scale = 1, .square_scale = 1, .average = 1};
    AnbRandom random;
    ck_assert_uint_le(size, MOST);
    ck_assert_uint_le(2 * stride, 160);
    memset(old, 0, sizeof old);
    anb_random_seed(&random, 2);
    anb_network_draw(&net, old, &random);
    for (size_t h = 0; h <= HIDDEN; h++)
        old[anb_network_output(&net) + h] = h < HIDDEN ? anb_random_normal(&random) : 0;
    memcpy(new, old, sizeof new);
    for (size_t s = 0; s < 2; s++)
        thinned(&net, new, x[s], trace + s * stride, drop);
    anb_network_descend(&net, (AnbNetworkRows){new, averaged, NULL, NULL}, x[0], trace, delta, 2, &plain, pull);
    check_pull(&net, old, x, delta, pull, drop);
    for (size_t i = 0; i < size; i++) {
        double up[2], kept = old[i], e = 1e-6;
        size_t column = i < anb_network_output(&net) ? i % net.width : i - anb_network_output(&net);
        bool unused = column >= HIDDEN && !(i >= anb_network_output(&net) && column == net.width);
        for (int side = 0; side < 2; side++) {
            old[i] = kept + (side ? -e : e);
            up[side] =
                delta[0] * thinned(&net, old, x[0], trace, drop) + delta[1] * thinned(&net, old, x[1], trace, drop);
        }
        old[i] = kept;
        ck_assert_double_eq_tol(kept - new[i], unused ? 0 : (up[0] - up[1]) / (2 * e), 1e-7);
    }
}

START_TEST(gradients_are_the_central_differences)
{
    check_gradient((AnbActivation)_i, 0);
    check_gradient((AnbActivation)_i, .4);
}
END_TEST

/* Pulls with one sign scale a feature, by 1 - 9 rate in the limit; those that alternate do not. The constants stay. */
START_TEST(features_follow_pulls_that_keep_their_sign)
{
    enum { FEATURES = 3, HIDDEN = 10, STEPS = 500 };
    double w[400] = {0}, old[400], kept[2 * FEATURES] = {0};
    AnbNetwork net = anb_network(FEATURES, HIDDEN, (AnbActivation)_i, false);
    AnbNetworkPace pace = {.rate = .001};
    AnbRandom random;
    anb_random_seed(&random, 5);
    anb_network_draw(&net, w, &random);
    memcpy(old, w, sizeof old);
    for (int i = 0; i < STEPS; i++) {
        double pull[FEATURES] = {.01, -300, i % 2 ? 7 : -7};
        anb_network_rescale(&net, (AnbNetworkRows){w, NULL, NULL, NULL}, pull, kept, &pace);
    }
    for (size_t i = 0; i < anb_network_size(&net); i++) {
        size_t j = i < anb_network_output(&net) ? i / net.width % (FEATURES + 1) : FEATURES;
        double change = old[i] != 0 ? w[i] / old[i] : 1;
        if (old[i] == 0 || j == FEATURES)
            ck_assert(w[i] == old[i]);
        else if (j == 0)
            ck_assert(change > exp(-4.5) && change < .1);
        else if (j == 1)
            ck_assert(change > 10 && change < exp(4.5));
        else
            ck_assert_double_eq_tol(change, 1, .01);
    }
}
END_TEST

/* Units left out: a share p, the others divided by 1 - p, so that the mean output is that of all units. */
START_TEST(dropout_keeps_the_mean)
{
    enum { FEATURES = 3, HIDDEN = 20, DRAWS = 40000 };
    double w[400] = {0}, whole[80], part[80], x[FEATURES] = {.3, -1.2, .7}, sum = 0, left_out = 0, units = 0;
    AnbNetwork net = anb_network(FEATURES, HIDDEN, (AnbActivation)_i, false);
    AnbRandom random;
    anb_random_seed(&random, 4);
    anb_network_draw(&net, w, &random);
    double f = anb_network_forward(&net, w, x, whole);
    for (int i = 0; i < DRAWS; i++) {
        memcpy(part, whole, sizeof part);
        sum += anb_network_drop(&net, w, part, .3, &random);
        for (int h = 0; h < HIDDEN; h++) {
            units += whole[h] != 0; /* hardgelu has zeros of its own */
            left_out += whole[h] != 0 && part[h] == 0;
            ck_assert(part[h] == 0 || fabs(part[h] * .7 - whole[h]) <= 1e-15 * fabs(whole[h]));
        }
    }
    ck_assert_double_eq_tol(sum / DRAWS, f, .002);
    ck_assert(units >= 5 * DRAWS);
    ck_assert_double_eq_tol(left_out / units, .3, .003);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("network");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, cosines_are_those_of_libm);
    tcase_add_test(tests, hardgelu_is_its_formula);
    tcase_add_test(tests, slopes_by_the_features);
    tcase_add_test(tests, gates_and_their_slopes);
    tcase_add_test(tests, adam_is_the_textbooks);
    tcase_add_test(tests, descent_follows_the_gradient);
    tcase_add_loop_test(tests, gradients_are_the_central_differences, ANB_RELU, ANB_HARDGELU + 1);
    tcase_add_loop_test(tests, features_follow_pulls_that_keep_their_sign, ANB_LEAKY, ANB_HARDGELU + 1);
    tcase_add_loop_test(tests, dropout_keeps_the_mean, ANB_LEAKY, ANB_HARDGELU + 1);
    tcase_add_test(tests, every_set_gives_the_same_bits);
    return suite;
}

CHECK_MAIN(suite)
