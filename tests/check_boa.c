#include "numbers.h"
#include "src/numeric/boa.h"
#include "src/simd/isa.h"
#include "src/numeric/elementary.h"
#include "suite.h"

enum { K = 5, N = 600 };

/* K predictions and a target. */
static double sample(uint64_t *seed, double *f)
{
    double y = 3 + 2 * noise(seed);
    for (size_t i = 0; i < K; i++)
        f[i] = y + noise(seed) * (double)(i + 1) + (i == 3 ? 1 : 0);
    return y;
}

/* The same of any number of experts. */
static double several(uint64_t *seed, double *f, size_t k)
{
    double y = noise(seed);
    for (size_t i = 0; i < k; i++)
        f[i] = y + noise(seed);
    return y;
}

/* The formulas as they are written, in long-hand and with libm. */
typedef struct Plain {
    double r[K], v[K];
} Plain;

static void plain_weights(const Plain *plain, double *w)
{
    double sum = 0;
    bool uniform = false;
    for (size_t i = 0; i < K; i++)
        uniform |= plain->v[i] == 0;
    for (size_t i = 0; i < K; i++)
        sum += w[i] = uniform ? 1 : exp(plain->r[i] / sqrt(plain->v[i])) / sqrt(plain->v[i]);
    for (size_t i = 0; i < K; i++)
        w[i] /= sum;
}

static double plain_learn(Plain *plain, double g, const double *f, double y)
{
    double w[K], mix = 0;
    plain_weights(plain, w);
    for (size_t i = 0; i < K; i++)
        mix += w[i] * f[i];
    for (size_t i = 0; i < K; i++) {
        double r = 2 * (mix - y) * (mix - f[i]);
        plain->r[i] *= g;
        plain->v[i] = plain->v[i] * g * g + 2.2 * r * r;
        plain->r[i] += r - r * r / sqrt(plain->v[i]);
    }
    return mix;
}

static double one(double *boa, double g, const unsigned char *asleep, const double *f, double y, double *w)
{
    anb_boa_weights(boa, K, asleep, w);
    double mix = anb_mix(w, f, K);
    anb_boa_learn(boa, K, g, &(AnbBoaSample){f, mix, y, 1, asleep});
    return mix;
}

START_TEST(the_formulas)
{
    for (int pass = 0; pass < 2; pass++) {
        double boa[64], w[K], f[K], g = pass ? 0.97 : 1;
        Plain plain = {0};
        uint64_t seed = 1;
        anb_boa_start(boa, K);
        for (int n = 0; n < N; n++) {
            double y = sample(&seed, f), expected = plain_learn(&plain, g, f, y);
            ck_assert_double_eq_tol(one(boa, g, NULL, f, y, w), expected, 1e-11);
        }
        plain_weights(&plain, f);
        anb_boa_weights(boa, K, NULL, w);
        for (size_t i = 0; i < K; i++)
            ck_assert_double_eq_tol(w[i], f[i], 1e-10);
        ck_assert_double_gt(w[0], w[4]);
        ck_assert(anb_boa_valid(boa, K));
    }
}
END_TEST

START_TEST(uniform_while_they_agree)
{
    double boa[64], w[K], f[K] = {2, 2, 2, 2, 2};
    anb_boa_start(boa, K);
    for (int n = 0; n < 20; n++) {
        ck_assert_double_eq(one(boa, 0.999, NULL, f, 5, w), 2);
        for (size_t i = 0; i < K; i++)
            ck_assert_double_eq(w[i], 0.2);
    }
}
END_TEST

START_TEST(a_power_of_two_changes_no_weight)
{
    double a[64], b[64], v[K], w[K], f[K], scaled[K];
    static const double powers[] = {0x1p300, 0x1p-300, 0x1p20, 0x1p990, 0x1p-990};
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
        uint64_t seed = 7;
        anb_boa_start(a, K);
        anb_boa_start(b, K);
        for (int n = 0; n < N; n++) {
            double y = sample(&seed, f);
            for (size_t i = 0; i < K; i++)
                scaled[i] = f[i] * powers[p];
            double mix = one(a, 0.999, NULL, f, y, v);
            ck_assert_double_eq(one(b, 0.999, NULL, scaled, y * powers[p], w), mix * powers[p]);
            ck_assert_mem_eq(v, w, sizeof v);
        }
    }
}
END_TEST

START_TEST(jumps_leave_weights)
{
    double boa[64], w[K], f[K];
    uint64_t seed = 3;
    static const double jumps[] = {1e9, 1e150, 1e-150, 1e308, 0, 1e12};
    anb_boa_start(boa, K);
    for (int n = 0; n < 3000; n++) {
        double y = sample(&seed, f), jump = n % 50 == 49 ? jumps[n / 50 % 6] : 1, sum = 0;
        for (size_t i = 0; i < K; i++)
            f[i] *= i < 3 ? jump : 1;
        one(boa, 0.999, NULL, f, y * jump, w);
        ck_assert(anb_boa_valid(boa, K));
        for (size_t i = 0; i < K; i++)
            sum += w[i];
        ck_assert_double_eq_tol(sum, 1, 1e-12);
    }
}
END_TEST

START_TEST(a_flawless_expert_keeps_its_weight)
{
    double boa[64], w[K], f[K];
    uint64_t seed = 5;
    anb_boa_start(boa, K);
    for (int n = 0; n < 20000; n++) {
        double y = sample(&seed, f);
        f[2] = y;
        one(boa, 0.97, NULL, f, y, w);
    }
    ck_assert_double_gt(w[2], 0.99);
}
END_TEST

START_TEST(sleepers)
{
    double boa[64], w[K], f[K];
    unsigned char asleep[K] = {0};
    uint64_t seed = 11;
    anb_boa_start(boa, K);
    for (int n = 0; n < N; n++)
        one(boa, 1, asleep, f, sample(&seed, f), w);
    double before = w[1] / w[2];
    anb_boa_forget(boa, K, 0);
    asleep[0] = 1;
    for (int n = 0; n < 50; n++) {
        double y = sample(&seed, f);
        f[0] = 1e300;
        ck_assert_double_lt(fabs(one(boa, 1, asleep, f, y, w)), 10);
        ck_assert_double_eq(w[0], 0);
        ck_assert_double_eq_tol(w[1] + w[2] + w[3] + w[4], 1, 1e-12);
    }
    ck_assert_double_gt(w[1] / w[2], before / 4);
    asleep[0] = 0;
    anb_boa_weights(boa, K, asleep, w);
    ck_assert_double_eq_tol(w[0], 1.0 / K, 1e-12);
    for (int n = 0; n < 2; n++) /* the second sample: V and R hold what gives about that weight */
        one(boa, 1, asleep, f, sample(&seed, f), w);
    ck_assert_double_gt(w[0], 0.05);
    ck_assert_double_lt(w[0], 0.6);
    ck_assert(anb_boa_valid(boa, K));
}
END_TEST

/* One that wakes gets the median V, and the R that goes with 1/K: an exact sample (r = 0 for all) leaves it there. */
START_TEST(waking_is_exact)
{
    double boa[64], w[K], f[K];
    unsigned char asleep[K] = {0};
    uint64_t seed = 13;
    anb_boa_start(boa, K);
    for (int n = 0; n < N; n++)
        one(boa, 1, asleep, f, sample(&seed, f), w);
    anb_boa_forget(boa, K, 4);
    anb_boa_weights(boa, K, asleep, w);
    double mix = anb_mix(w, f, K);
    anb_boa_learn(boa, K, 1, &(AnbBoaSample){f, mix, mix, 1, asleep});
    anb_boa_weights(boa, K, asleep, w);
    ck_assert_double_eq_tol(w[4], 1.0 / K, 1e-10);
    const double *v = boa + 1 + 2 * K;
    size_t less = 0;
    for (size_t i = 0; i < 4; i++)
        less += v[i] < v[4];
    ck_assert_uint_eq(less, 1);
}
END_TEST

/* One that wakes may err so much that the unit changes: what it has woken with is converted as well. An exact sample
 * moves nothing but the unit, which is near the largest error, its own. */
START_TEST(one_that_wakes_may_change_the_unit)
{
    enum { MOST_EXPERTS = 13, STATE = 1 + 4 * MOST_EXPERTS + 8 };
    static const size_t counts[] = {3, 5, 8, MOST_EXPERTS};
    for (size_t c = 0; c < 8; c++) {
        double boa[STATE], small[STATE], w[MOST_EXPERTS], v[MOST_EXPERTS], f[MOST_EXPERTS];
        size_t k = counts[c / 2], woken = c % 2 ? k - 1 : 0;
        uint64_t seed = 21;
        int exponent;
        anb_boa_start(boa, k);
        for (int n = 0; n < 60; n++) {
            double y = several(&seed, f, k);
            anb_boa_weights(boa, k, NULL, w);
            anb_boa_learn(boa, k, 0.999, &(AnbBoaSample){f, anb_mix(w, f, k), y, 1});
        }
        anb_boa_forget(boa, k, woken);
        memcpy(small, boa, sizeof boa);
        anb_boa_weights(boa, k, NULL, w);
        double mix = anb_mix(w, f, k);
        anb_boa_learn(small, k, 1, &(AnbBoaSample){f, mix, mix, 1});
        f[woken] = 0x1p80;
        mix = anb_mix(w, f, k);
        anb_boa_learn(boa, k, 1, &(AnbBoaSample){f, mix, mix, 1});
        frexp(0x1p80 - mix, &exponent);
        ck_assert_double_eq(boa[0], ldexp(1, exponent));
        for (size_t j = 0; j < k; j++) {
            double share = small[0] / boa[0], squared = share * share;
            ck_assert_double_eq(boa[1 + k + j], small[1 + k + j] * squared);
            ck_assert_double_eq(boa[1 + 2 * k + j], small[1 + 2 * k + j] * squared * squared);
        }
        anb_boa_weights(small, k, NULL, v);
        anb_boa_weights(boa, k, NULL, w);
        for (size_t j = 0; j < k; j++)
            ck_assert_double_eq_tol(w[j], v[j], 1e-13);
    }
}
END_TEST

/* A prediction that is not finite changes no weight and no regret, wherever it stands. */
START_TEST(what_is_not_finite_is_not_learned)
{
    enum { MOST_EXPERTS = 13 };
    static const size_t counts[] = {2, 5, MOST_EXPERTS};
    static const double odd[] = {ANB_NAN, INFINITY, -INFINITY};
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < counts[c]; i++)
            for (int o = 0; o < 3; o++) {
                double boa[1 + 4 * MOST_EXPERTS + 8], before[1 + 4 * MOST_EXPERTS], w[MOST_EXPERTS], f[MOST_EXPERTS];
                size_t k = counts[c];
                uint64_t seed = 9;
                anb_boa_start(boa, k);
                for (int n = 0; n < 40; n++) {
                    double y = several(&seed, f, k);
                    anb_boa_weights(boa, k, NULL, w);
                    if (n < 39)
                        anb_boa_learn(boa, k, 0.999, &(AnbBoaSample){f, anb_mix(w, f, k), y, 1});
                }
                double mix = anb_mix(w, f, k);
                memcpy(before, boa, (1 + 4 * k) * sizeof *boa);
                f[i] = odd[o];
                anb_boa_learn(boa, k, 0.999, &(AnbBoaSample){f, mix, 1, 1});
                ck_assert_mem_eq(before, boa, (1 + 4 * k) * sizeof *boa);
                ck_assert(anb_boa_valid(boa, k));
            }
}
END_TEST

/* All instruction sets leave the same bits, whatever the number of experts, who sleeps and what jumps. */
START_TEST(the_same_bits_on_every_instruction_set)
{
    enum { MOST_EXPERTS = 19, STATE = 1 + 4 * MOST_EXPERTS + 8 };
    static double state[ANB_ISA_COUNT][MOST_EXPERTS + 1][STATE];
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        for (size_t k = 1; k <= MOST_EXPERTS; k++) {
            double *boa = state[isa][k], w[MOST_EXPERTS], f[MOST_EXPERTS];
            uint64_t seed = 17;
            anb_boa_start(boa, k);
            for (int n = 0; n < 400; n++) {
                unsigned char asleep[MOST_EXPERTS] = {0};
                double y = noise(&seed) * (n == 200 ? 1e12 : 1);
                for (size_t i = 0; i < k; i++)
                    f[i] = y + noise(&seed);
                asleep[n % k] = 1;
                const unsigned char *who = n / 50 % 2 && k > 1 ? asleep : NULL;
                anb_boa_weights(boa, k, who, w);
                anb_boa_learn(boa, k, 0.999, &(AnbBoaSample){f, anb_mix(w, f, k), y, 1, who});
            }
            ck_assert(anb_boa_valid(boa, k));
            ck_assert_msg(memcmp(boa, state[0][k], sizeof state[0][k]) == 0, "%s, %zu experts",
                          anb_isa_name((AnbIsa)isa), k);
        }
    }
    anb_isa_use(before);
}
END_TEST

/* Expert 0 errs by 1, expert 1 by 3 for the first 100 samples and by .3 after them: samples from there until it has the
 * most. */
static int samples_to_turn(bool growing)
{
    double boa[64], w[2];
    uint64_t seed = 5;
    anb_boa_start(boa, 2);
    for (int n = 0; n < 1000; n++) {
        double f[] = {1.7 * noise(&seed), (n < 100 ? 5.2 : 0.5) * noise(&seed)},
               g = growing ? anb_boa_growing(boa, 2, 1) : 1;
        ck_assert_double_eq(g, growing ? (n + 1.) / (n + 3) : 1);
        anb_boa_weights(boa, 2, NULL, w);
        if (n >= 100 && w[1] > 0.5)
            return n - 100;
        anb_boa_learn(boa, 2, g, &(AnbBoaSample){f, anb_mix(w, f, 2), 0, 1});
    }
    return 1000;
}

/* A memory that grows with the stream finds an expert that has learned much sooner. */
START_TEST(a_growing_memory)
{
    double boa[64];
    int growing = samples_to_turn(true);
    ck_assert_int_lt(2 * growing, samples_to_turn(false));
    anb_boa_start(boa, 2);
    ck_assert_double_eq(anb_boa_growing(boa, 2, 0.25), 0.25);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("boa");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, the_formulas);
    tcase_add_test(tests, uniform_while_they_agree);
    tcase_add_test(tests, a_power_of_two_changes_no_weight);
    tcase_add_test(tests, jumps_leave_weights);
    tcase_add_test(tests, a_flawless_expert_keeps_its_weight);
    tcase_add_test(tests, sleepers);
    tcase_add_test(tests, waking_is_exact);
    tcase_add_test(tests, one_that_wakes_may_change_the_unit);
    tcase_add_test(tests, a_growing_memory);
    tcase_add_test(tests, what_is_not_finite_is_not_learned);
    tcase_add_test(tests, the_same_bits_on_every_instruction_set);
    return suite;
}

CHECK_MAIN(suite)
