#include "numbers.h"
#include "suite.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include "src/numeric/random.h"
#include <string.h>

START_TEST(the_sequence_is_gsl_s)
{
    gsl_rng *oracle = gsl_rng_alloc(gsl_rng_taus2);
    ck_assert_uint_eq(gsl_rng_size(oracle), sizeof(AnbRandom));
    static const uint64_t seeds[] = {0, 1, 42, 0xffffffff, 0x123456789abcdef};
    for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++) {
        AnbRandom random;
        gsl_rng_set(oracle, seeds[s]);
        anb_random_seed(&random, seeds[s]);
        for (int i = 0; i < 1000; i++)
            ck_assert_uint_eq(anb_random_bits(&random), gsl_rng_get(oracle));
        for (int i = 0; i < 1000; i++)
            ck_assert(anb_random_uniform(&random) == gsl_rng_uniform(oracle));
        ck_assert_mem_eq(&random, gsl_rng_state(oracle), sizeof random);
    }
    gsl_rng_free(oracle);
}
END_TEST

/* Kolmogorov and Smirnov against the normal distribution: 999 of 1,000 seeds stay below 1.95. */
START_TEST(normals_are_normal)
{
    enum { n = 200000 };
    double *value = malloc(n * sizeof *value), most = 0;
    AnbRandom random;
    anb_random_seed(&random, 7);
    for (int i = 0; i < n; i++)
        value[i] = anb_random_normal(&random);
    qsort(value, n, sizeof *value, rising);
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(gsl_cdf_ugaussian_P(value[i]) - (i + 0.5) / n));
    ck_assert_double_lt(most * sqrt(n), 1.95);
    ck_assert_double_lt(value[0], -4);
    ck_assert_double_gt(value[n - 1], 4);
    free(value);
}
END_TEST

/* Chi-square over the values that are expected at least 20 times. */
static double poisson_tail(double mu, unsigned seed)
{
    enum { n = 200000, cells = 2000 };
    static unsigned count[cells];
    double chi = 0;
    unsigned used = 0;
    AnbRandom random;
    anb_random_seed(&random, seed);
    memset(count, 0, sizeof count);
    for (int i = 0; i < n; i++)
        count[anb_random_poisson(&random, mu) % cells]++;
    for (unsigned k = 0; k < cells; k++) {
        double expected = n * gsl_ran_poisson_pdf(k, mu);
        if (expected >= 20) {
            chi += (count[k] - expected) * (count[k] - expected) / expected;
            used++;
        }
    }
    return gsl_cdf_chisq_Q(chi, used - 1);
}

START_TEST(poisson_is_poisson)
{
    static const double mus[] = {0.1, 1, 6, 16, 16.5, 100, 1000};
    for (size_t i = 0; i < sizeof mus / sizeof *mus; i++)
        ck_assert_msg(poisson_tail(mus[i], 3) > 0.001, "mean %g", mus[i]);
    AnbRandom random;
    anb_random_seed(&random, 1);
    ck_assert_uint_eq(anb_random_poisson(&random, 0), 0);
    ck_assert_uint_eq(anb_random_poisson(&random, -1), 0);
    ck_assert_uint_eq(anb_random_poisson(&random, ANB_NAN), 0);
    double sum = 0;
    for (int i = 0; i < 10000; i++)
        sum += anb_random_poisson(&random, 1e6);
    ck_assert_double_eq_tol(sum / 10000, 1e6, 5 * 1000 / 100.0);
    ck_assert_uint_eq(anb_random_poisson(&random, 1e300), 4000000000u);
}
END_TEST

START_TEST(whole_numbers_are_even_and_shuffles_permute)
{
    unsigned count[7] = {0};
    uint32_t items[50];
    AnbRandom random;
    anb_random_seed(&random, 11);
    for (int i = 0; i < 70000; i++)
        count[anb_random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        ck_assert_double_eq_tol(count[i], 10000, 5 * 93);
    ck_assert_uint_eq(anb_random_below(&random, 1), 0);
    for (uint32_t i = 0; i < 50; i++)
        items[i] = i;
    anb_random_shuffle(&random, items, 50);
    uint64_t seen = 0;
    unsigned home = 0;
    for (uint32_t i = 0; i < 50; i++) {
        seen |= (uint64_t)1 << items[i];
        home += items[i] == i;
    }
    ck_assert_uint_eq(seen, ((uint64_t)1 << 50) - 1);
    ck_assert_uint_lt(home, 8);
}
END_TEST

START_TEST(derived_seeds_differ)
{
    enum { n = 1000 };
    uint32_t low[n];
    for (unsigned i = 0; i < n; i++) {
        low[i] = (uint32_t)anb_seed_mix(1 + i / 500, i % 500);
        for (unsigned j = 0; j < i; j++)
            ck_assert_uint_ne(low[i], low[j]);
    }
    /* the first output of splitmix64 from state 0, as published */
    ck_assert(anb_seed_mix(0, 0) == 0xe220a8397b1dcdaf);
}
END_TEST

static unsigned fields;
static void count_field(AnbVisitor *self, void *data, AnbScalar kind, size_t count)
{
    (void)self, (void)data;
    fields += kind == ANB_U64 ? (unsigned)count : 1000;
}

START_TEST(a_snapshot_sees_the_state)
{
    AnbRandom random;
    AnbVisitor visitor = {count_field};
    anb_random_seed(&random, 1);
    fields = 0;
    anb_random_visit(&random, &visitor);
    ck_assert_uint_eq(fields, 3);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, the_sequence_is_gsl_s);
    tcase_add_test(tests, normals_are_normal);
    tcase_add_test(tests, poisson_is_poisson);
    tcase_add_test(tests, whole_numbers_are_even_and_shuffles_permute);
    tcase_add_test(tests, derived_seeds_differ);
    tcase_add_test(tests, a_snapshot_sees_the_state);
    return suite;
}

CHECK_MAIN(suite)
