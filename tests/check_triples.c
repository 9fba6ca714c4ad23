/* Products of three features that an error depends on: their sums, what is found, what is not, and what is refused. */
#include "isa_here.h"
#include "numbers.h"
#include "suite.h"
#include "src/numeric/screen.h"
#include <math.h>
#include <string.h>

enum { D = 24, WIDTH = ANB_TRIPLES_WIDEST, SUMS = WIDTH * (WIDTH - 1) * (WIDTH - 2) / 6 };

typedef struct Kept {
    AnbTriples s;
    float sums[SUMS], squares[WIDTH], pair[WIDTH * (WIDTH - 1) / 2];
    AnbTriple named[ANB_TRIPLES_NAMED];
    uint8_t counts[WIDTH];
    size_t d;
} Kept;

static Kept kept;

static void start(size_t d)
{
    memset(&kept, 0, sizeof kept);
    kept.d = d;
}

static void add(const float *z, float error)
{
    const AnbTriplesView v = {kept.d, &kept.s, kept.sums, kept.named, kept.counts};
    for (size_t j = 0; j < kept.d; j++)
        kept.squares[j] += z[j] * z[j];
    anb_triples_add(&v, z, error, kept.squares, kept.pair);
}

static size_t found(void)
{
    size_t n = 0;
    for (size_t j = 0; j < kept.d; j++)
        n += kept.counts[j];
    return n;
}

static void draw(uint64_t *seed, float *z, size_t d)
{
    for (size_t j = 0; j < d; j++)
        z[j] = (float)nearly_normal(seed);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* Of d features after so few rows that none was looked at twice: those that were looked at have faded once. */
static void check_sums(size_t d)
{
    enum { ROWS = 9, EVERY = 4 };
    float rows[ROWS][WIDTH], errors[ROWS];
    uint64_t seed = d;
    start(d);
    for (size_t n = 0; n < ROWS; n++) {
        draw(&seed, rows[n], d);
        errors[n] = (float)nearly_normal(&seed);
        add(rows[n], errors[n]);
    }
    size_t at = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = i + 1; j < d; j++)
            for (size_t k = j + 1; k < d; k++, at++) {
                float sum = 0;
                for (size_t n = 0; n < ROWS; n++) {
                    if (n % EVERY == 0)
                        sum += errors[n] * rows[n][i] * (rows[n][j] * rows[n][k]);
                    if (n == i)
                        sum *= 0.9F;
                }
                ck_assert_msg(kept.sums[at] == sum, "%zu features: %zu %zu %zu: %g, not %g", d, i, j, k,
                              (double)kept.sums[at], (double)sum);
            }
    ck_assert_uint_eq(at, anb_triples_sums(d));
}

static void check_all_sums(void)
{
    const size_t widths[] = {3, 4, 5, 11, 16, 25, 60, WIDTH};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        check_sums(widths[i]);
}

static void nothing(void)
{
}

START_TEST(sums_are_of_each_product_once)
{
    on_each_isa(nothing, check_all_sums);
}
END_TEST

START_TEST(none_of_two_features_or_too_many)
{
    ck_assert_uint_eq(anb_triples_sums(0), 0);
    ck_assert_uint_eq(anb_triples_sums(2), 0);
    ck_assert_uint_eq(anb_triples_sums(3), 1);
    ck_assert_uint_eq(anb_triples_sums(WIDTH + 1), 0);
    ck_assert_uint_eq(anb_triples_pairs(WIDTH + 1), 0);
    start(2);
    const float z[2] = {1, 1};
    add(z, 1);
    ck_assert_uint_eq(kept.s.rows, 0);
}
END_TEST

/* ---- what is found ----------------------------------------------------------------------------------------------- */

typedef float Error(const float *z, uint64_t *seed);

static float of_three(const float *z, uint64_t *seed)
{
    return 0.5F * z[3] * z[10] * z[D - 1] + (float)nearly_normal(seed);
}

static float of_signs(const float *z, uint64_t *seed)
{
    return (z[0] * z[1] * z[2] > 0 ? 1 : -1) + (float)nearly_normal(seed);
}

static void learn(int rows, Error *error, uint64_t *seed)
{
    for (int n = 0; n < rows; n++) {
        float z[D];
        draw(seed, z, D);
        add(z, error(z, seed));
    }
}

START_TEST(features_that_count_by_threes_are_found)
{
    uint64_t seed = 1;
    start(D);
    learn(1500, of_three, &seed);
    ck_assert_uint_eq(found(), 3);
    ck_assert(kept.counts[3] && kept.counts[10] && kept.counts[D - 1]);
    start(D);
    learn(1500, of_signs, &seed);
    ck_assert_uint_eq(found(), 3);
    ck_assert(kept.counts[0] && kept.counts[1] && kept.counts[2]);
}
END_TEST

/* It did not count for as many rows. */
START_TEST(features_that_count_late_are_found)
{
    enum { BEFORE = 10000 };
    uint64_t seed = 2;
    start(D);
    for (int n = 0; n < BEFORE; n++) {
        float z[D];
        draw(&seed, z, D);
        add(z, (float)nearly_normal(&seed));
    }
    memset(kept.counts, 0, sizeof kept.counts);
    learn(4000, of_three, &seed);
    ck_assert(kept.counts[3] && kept.counts[10] && kept.counts[D - 1]);
}
END_TEST

/* ---- what is not ------------------------------------------------------------------------------------------------- */

/* Features that are nearly the same, so that products of them vary much; features of two values; errors with long tails and of a
 * size that follows a feature. */
static void draw_hard(uint64_t *seed, float *z, float *error)
{
    const float common = (float)nearly_normal(seed);
    for (size_t j = 0; j < D; j++)
        z[j] = j < D / 2 ? common + 0.1F * (float)nearly_normal(seed) : noise(seed) < 0.4 ? -0.4F : 2.2F;
    const double tail = nearly_normal(seed), size = tail * tail * tail * fabs((double)z[0]);
    *error = (float)fmin(fmax(size, -4), 4);
}

START_TEST(where_none_counts_few_are_found)
{
    enum { STREAMS = 60, ROWS = 3000 };
    int wrong[2] = {0};
    for (uint64_t i = 0; i < STREAMS; i++)
        for (int hard = 0; hard < 2; hard++) {
            uint64_t seed = 100 + i;
            start(D);
            for (int n = 0; n < ROWS; n++) {
                float z[D], error = (float)nearly_normal(&seed);
                draw(&seed, z, D);
                if (hard)
                    draw_hard(&seed, z, &error);
                add(z, error);
            }
            wrong[hard] += found() > 0;
        }
    ck_assert_int_le(wrong[0], STREAMS / 10);
    ck_assert_int_le(wrong[1], STREAMS / 10);
}
END_TEST

/* ---- what is refused --------------------------------------------------------------------------------------------- */

START_TEST(what_is_named_are_features_in_order)
{
    const AnbTriple wrong[] = {
        {.i = 1, .j = 1, .k = 2}, {.i = 2, .j = 1, .k = 3}, {.j = 1}, {.i = 1}, {.j = 1, .k = D}};
    AnbTriple named[ANB_TRIPLES_NAMED] = {{.i = 0, .j = 1, .k = 2}, {.i = 3, .j = 7, .k = D - 1}};
    ck_assert(anb_triples_valid(D, named));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        named[ANB_TRIPLES_NAMED - 1] = wrong[i];
        ck_assert_msg(!anb_triples_valid(D, named), "%zu is taken", i);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("triples");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, sums_are_of_each_product_once);
    tcase_add_test(tests, none_of_two_features_or_too_many);
    tcase_add_test(tests, features_that_count_by_threes_are_found);
    tcase_add_test(tests, features_that_count_late_are_found);
    tcase_add_test(tests, where_none_counts_few_are_found);
    tcase_add_test(tests, what_is_named_are_features_in_order);
    return suite;
}

CHECK_MAIN(suite)
