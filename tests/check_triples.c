/* Products of three features that an error depends on: their sums, what is found, what is not, and what is refused. */
#include "isa_here.h"
#include "numbers.h"
#include "suite.h"
#include "src/numeric/screen.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum {
    D = 24,
    WIDTH = ANB_TRIPLES_WIDEST,
    SUMS = WIDTH * (WIDTH - 1) * (WIDTH - 2) / 6,
    TERMS = (2 * WIDTH + 2) * (2 * WIDTH + 3) / 2
};

typedef struct Kept {
    AnbTriples s;
    float sums[SUMS], squares[WIDTH], terms[TERMS], pair[WIDTH * (WIDTH - 1) / 2];
    AnbTriple named[ANB_TRIPLES_NAMED];
    uint8_t counts[WIDTH];
    size_t d, rows;
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
    const AnbTriplesKnown known = {kept.squares, kept.terms, (float)kept.rows};
    for (size_t j = 0; j < kept.d; j++)
        kept.squares[j] += z[j] * z[j];
    anb_triples_add(&v, z, error, &known, kept.pair);
    for (size_t i = 0; i < kept.d; i++)
        for (size_t j = i; j < kept.d; j++)
            kept.terms[anb_screen_place(kept.d, i + 1, j + 1)] += z[i] * z[j];
    kept.rows++;
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

static float at_once(float rows[][WIDTH], const float *errors, size_t n_rows, size_t i, size_t j, size_t k)
{
    enum { SHARE = 4 };
    float sum = 0;
    for (size_t n = 0; n < n_rows; n++) {
        if (n % SHARE == i % SHARE)
            sum += errors[n] * rows[n][i] * (rows[n][j] * rows[n][k]);
        sum *= n == i ? 0.9F : 1;
    }
    return sum;
}

/* Of d features after so few rows that none was looked at twice: those that were looked at have faded once. */
static void check_sums(size_t d)
{
    enum { ROWS = 9 };
    float rows[ROWS][WIDTH], errors[ROWS];
    uint64_t seed = d;
    size_t at = 0;
    start(d);
    for (size_t n = 0; n < ROWS; n++) {
        draw(&seed, rows[n], d);
        errors[n] = (float)nearly_normal(&seed);
        add(rows[n], errors[n]);
    }
    for (size_t i = 0; i < d; i++)
        for (size_t j = i + 1; j < d; j++)
            for (size_t k = j + 1; k < d; k++, at++) {
                const float sum = at_once(rows, errors, ROWS, i, j, k);
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

START_TEST(features_of_a_product_are_found)
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

/* ---- which are tested -------------------------------------------------------------------------------------------- */

static size_t place_of(size_t d, size_t i, size_t j, size_t k)
{
    size_t at = 0;
    for (size_t a = 0; a < d; a++)
        for (size_t b = a + 1; b < d; b++)
            for (size_t c = b + 1; c < d; c++, at++)
                if (a == i && b == j && c == k)
                    return at;
    return at;
}

/* At the end of a round the T of those that are not tested on are 0, and of no others. No product is tested twice at a
 * time. */
START_TEST(given_up_products_start_anew)
{
    enum { ROUND = D - 2 + 100, ROUNDS = 30 };
    AnbTriple before[ANB_TRIPLES_NAMED];
    uint64_t seed = 4;
    size_t given_up = 0, stayed = 0;
    start(D);
    for (int n = 1; n <= ROUND * ROUNDS; n++) {
        float z[D];
        draw(&seed, z, D);
        memcpy(before, kept.named, sizeof before);
        add(z, (float)nearly_normal(&seed));
        for (size_t a = 0; a < ANB_TRIPLES_NAMED; a++)
            for (size_t b = 0; b < a; b++)
                ck_assert(kept.named[a].k == 0 || kept.named[a].i != kept.named[b].i ||
                          kept.named[a].j != kept.named[b].j || kept.named[a].k != kept.named[b].k);
        if (n % ROUND != 0)
            continue;
        size_t zeros = 0, gone = 0;
        for (size_t a = 0; a < ANB_TRIPLES_NAMED; a++) {
            gone += before[a].k > 0 && kept.named[a].k == 0;
            stayed += kept.named[a].k > 0;
            ck_assert(before[a].k == 0 || kept.named[a].k > 0 ||
                      kept.sums[place_of(D, before[a].i, before[a].j, before[a].k)] == 0);
        }
        for (size_t at = 0; at < anb_triples_sums(D); at++)
            zeros += kept.sums[at] == 0;
        ck_assert_uint_eq(zeros, gone);
        given_up += gone;
    }
    ck_assert_uint_gt(given_up, ROUNDS);
    ck_assert_uint_gt(stayed, ROUNDS);
}
END_TEST

/* Features of a hundred times the deviation do not take the places of others; those that are always 0 are
 * never named. */
START_TEST(sizes_of_features_do_not_matter)
{
    uint64_t seed = 5;
    start(D);
    for (int n = 0; n < 1500; n++) {
        float z[D];
        draw(&seed, z, D);
        const float error = z[3] * z[10] * z[D - 1] + (float)nearly_normal(&seed);
        for (size_t j = 12; j < 20; j++)
            z[j] *= 100;
        z[0] = z[1] = 0;
        add(z, error);
        for (size_t a = 0; a < ANB_TRIPLES_NAMED; a++) {
            ck_assert(kept.named[a].size >= 0 && kept.named[a].size <= FLT_MAX);
            ck_assert(kept.named[a].k == 0 || kept.named[a].i > 1);
        }
    }
    ck_assert_uint_eq(found(), 3);
    ck_assert(kept.counts[3] && kept.counts[10] && kept.counts[D - 1]);
}
END_TEST

/* The sums of squares may be over other rows than T: here over one row of small features, while T are looked at. */
START_TEST(sizes_are_numbers)
{
    enum { ROUND = D - 2 + 100, AT = 10 };
    uint64_t seed = 6;
    start(D);
    for (int n = 0; n < 20 * ROUND; n++) {
        float z[D];
        draw(&seed, z, D);
        if (n % ROUND == AT)
            memset(kept.squares, 0, sizeof kept.squares);
        for (size_t j = 0; j < D; j++)
            z[j] *= n % ROUND == AT ? 1e-6F : 3;
        add(z, (float)nearly_normal(&seed));
        for (size_t a = 0; a < ANB_TRIPLES_NAMED; a++)
            ck_assert(kept.named[a].size >= 0 && kept.named[a].size <= FLT_MAX);
    }
}
END_TEST

/* Two products, the features of one of them with two copies each. */
static bool both_are_found(uint64_t seed)
{
    start(D);
    for (int n = 0; n < 6000; n++) {
        float z[D];
        draw(&seed, z, D);
        for (size_t j = 3; j < 9; j++)
            z[j] = z[j % 3] + 0.1F * z[j];
        add(z, 0.5F * z[0] * z[1] * z[2] + 0.3F * z[12] * z[15] * z[20] + (float)nearly_normal(&seed));
    }
    return found() > 3 && kept.counts[12] && kept.counts[15] && kept.counts[20];
}

START_TEST(what_was_found_leaves_its_place_to_others)
{
    enum { STREAMS = 10 };
    int both = 0;
    for (uint64_t i = 0; i < STREAMS; i++)
        both += both_are_found(40 + i);
    ck_assert_int_ge(both, STREAMS - 2);
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

/* Features that are nearly the same, so that products of them vary much; features of two values; errors with long tails
 * and of a size that follows a feature. */
static void draw_hard(uint64_t *seed, float *z, float *error)
{
    const float common = (float)nearly_normal(seed);
    for (size_t j = 0; j < D; j++)
        z[j] = j < D / 2 ? common + 0.1F * (float)nearly_normal(seed) : noise(seed) < 0.4 ? -0.4F : 2.2F;
    const double tail = nearly_normal(seed), size = tail * tail * tail * fabs((double)z[0]);
    *error = (float)fmin(fmax(size, -4), 4);
}

/* Two groups of features that depend on each other; the error depends on one of them alone. */
static void draw_alone(uint64_t *seed, float *z, float *error)
{
    const float common[] = {(float)nearly_normal(seed), (float)nearly_normal(seed)};
    for (size_t j = 0; j < D; j++)
        z[j] = 0.7F * common[j % 2] + 0.7F * (float)nearly_normal(seed);
    *error = 0.3F * z[0] + (float)nearly_normal(seed);
}

static void draw_plain(uint64_t *seed, float *z, float *error)
{
    draw(seed, z, D);
    *error = (float)nearly_normal(seed);
}

typedef void Drawing(uint64_t *seed, float *z, float *error);

/* Streams of so many in which a feature was found to count. */
static int wrong_streams(Drawing *drawing, int streams, int rows)
{
    int wrong = 0;
    for (int i = 0; i < streams; i++) {
        uint64_t seed = 100 + (uint64_t)i;
        start(D);
        for (int n = 0; n < rows; n++) {
            float z[D], error;
            drawing(&seed, z, &error);
            add(z, error);
        }
        wrong += found() > 0;
    }
    return wrong;
}

START_TEST(where_none_counts_few_are_found)
{
    enum { STREAMS = 40 };
    ck_assert_int_le(wrong_streams(draw_plain, STREAMS, 3000), STREAMS / 20);
    ck_assert_int_le(wrong_streams(draw_hard, STREAMS, 3000), STREAMS / 20);
    /* Sums of z_0 times a product with z_0 in it are skewed, and so is t. */
    ck_assert_int_le(wrong_streams(draw_alone, STREAMS, 3000), STREAMS / 8);
}
END_TEST

/* 16 products are tested at a time, so over many rows some thousands. */
START_TEST(in_a_long_stream_few_are_found)
{
    ck_assert_int_le(wrong_streams(draw_plain, 6, 200000), 2);
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
    tcase_add_test(tests, features_of_a_product_are_found);
    tcase_add_test(tests, features_that_count_late_are_found);
    tcase_add_test(tests, given_up_products_start_anew);
    tcase_add_test(tests, sizes_of_features_do_not_matter);
    tcase_add_test(tests, sizes_are_numbers);
    tcase_add_test(tests, what_was_found_leaves_its_place_to_others);
    tcase_add_test(tests, where_none_counts_few_are_found);
    tcase_add_test(tests, in_a_long_stream_few_are_found);
    tcase_add_test(tests, what_is_named_are_features_in_order);
    return suite;
}

CHECK_MAIN(suite)
