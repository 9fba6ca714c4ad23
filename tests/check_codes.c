/* Loops that are compiled once per instruction set, each against the function that computes one value: codes of cells,
 * cells as they are remembered, entropies. */
#include "isa_here.h"
#include "edges.h"
#include "learners/boost/cuts.h"
#include "numbers.h"
#include "src/numeric/elementary.h"
#include "src/numeric/kept_unit.h"
#include "src/simd/kernels.h"
#include "suite.h"
#include <math.h>
#include <string.h>

enum { MOST = 40 };

static uint64_t seed;

static void start_again(void)
{
    seed = 11;
}

/* Edges from more and fewer values than there are codes. */
static void make_edges(AnbEdges *edges, size_t features)
{
    double sample[300];
    for (size_t j = 0; j < features; j++) {
        const size_t n = j % 3 == 2 ? 5 : 300;
        for (size_t i = 0; i < n; i++)
            sample[i] = j % 3 == 1 ? floor(9 * uniform_of(&seed)) : uniform_of(&seed);
        make_edges_of(&edges[j], sample, n);
    }
}

/* Values between edges, on them, beyond them, infinite or missing. */
static double value_at(const AnbEdges *edges, size_t i)
{
    switch (i % 5) {
    case 0:
        return edges->edge[i % ANB_CODES];
    case 1:
        return i % 2 ? -INFINITY : 1e300;
    case 2:
        return ANB_NAN;
    default:
        return 10 * uniform_of(&seed);
    }
}

static void codes_body(void)
{
    static AnbEdges edges[MOST];
    double row[MOST];
    uint8_t codes[MOST];
    make_edges(edges, MOST);
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < MOST; j++)
            row[j] = value_at(&edges[j], i + j);
        anb_code_kernels.row(edges, row, MOST, codes);
        for (size_t j = 0; j < MOST; j++)
            ck_assert_uint_eq(codes[j], anb_code(&edges[j], row[j]));
    }
}

START_TEST(codes_are_those_of_anb_code)
{
    on_each_isa(start_again, codes_body);
}
END_TEST

enum { SAMPLE = 1000 };

/* Fine edges from many, few and hardly any values; ascending floats, every fourth one between codes of
 * the histogram. */
static void make_fine_edges(AnbFineEdges *edges, size_t features)
{
    static const size_t kinds[] = {SAMPLE, 100, 9, 2, 63};
    for (size_t j = 0; j < features; j++) {
        double sample[SAMPLE];
        for (size_t i = 0; i < SAMPLE; i++)
            sample[i] = (double)(float)(floor(unit_of(&seed) * (double)kinds[j % 5]) / 7 - 2);
        anb_sort(sample, SAMPLE);
        anb_fine_edges_init(&edges[j]);
        anb_fine_edges_make(&edges[j], sample, SAMPLE, SAMPLE / 4);
        size_t most = kinds[j % 5] - 1 < ANB_FINE_EDGES ? kinds[j % 5] - 1 : ANB_FINE_EDGES, distinct = 0;
        for (size_t e = 0; e < edges[j].count; e++)
            distinct += e == 0 || edges[j].edge[e - 1] < edges[j].edge[e];
        ck_assert_uint_le(most - distinct, most / 5); /* all, or all but what chance did not draw */
        ck_assert(edges[j].fine == (most > ANB_EDGES));
        for (size_t e = 1; e < edges[j].count; e++)
            ck_assert(edges[j].edge[e - 1] <= edges[j].edge[e]);
    }
}

static uint8_t fine_code(const AnbFineEdges *edges, float x)
{
    unsigned code = 0;
    for (size_t e = 0; e < edges->count; e++)
        code += edges->edge[e] < x;
    return (uint8_t)(x == x ? code : ANB_FINE_MISSING);
}

static void fine_body(void)
{
    static AnbFineEdges edges[MOST];
    float cells[MOST];
    uint8_t codes[MOST], spread[3 * MOST];
    make_fine_edges(edges, MOST);
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < MOST; j++)
            cells[j] = (i + j) % 5 == 0   ? edges[j].edge[(i + 3 * j) % ANB_FINE_EDGES]
                       : (i + j) % 7 == 0 ? (float)ANB_NAN
                                          : 4 * (float)uniform_of(&seed);
        anb_fine_kernels.cells(edges, cells, MOST, 3, spread);
        for (size_t j = 0; j < MOST; j++)
            ck_assert_uint_eq(spread[3 * j], fine_code(&edges[j], cells[j]));
        anb_fine_kernels.column(&edges[i % MOST], cells, MOST, codes);
        for (size_t j = 0; j < MOST; j++)
            ck_assert_uint_eq(codes[j], fine_code(&edges[i % MOST], cells[j]));
    }
}

START_TEST(fine_codes_count_the_edges_below)
{
    on_each_isa(start_again, fine_body);
}
END_TEST

static void kept_body(void)
{
    const double bound = 1e6;
    double x[MOST] = {0}, inverse[MOST] = {0}, origin[MOST] = {0};
    for (size_t n = 0; n < MOST; n++) {
        float kept[MOST + 1];
        for (size_t j = 0; j < n; j++) {
            x[j] = j % 6 == 5 ? 3e6 * uniform_of(&seed) : uniform_of(&seed);
            inverse[j] = .1 + unit_of(&seed);
            origin[j] = uniform_of(&seed);
        }
        kept[n] = 7;
        anb_keep_cells(x, bound, inverse, origin, n, kept);
        for (size_t j = 0; j < n; j++)
            ck_assert(kept[j] == (float)anb_kept_cell(anb_clip(x[j], bound), inverse[j], origin[j]));
        ck_assert(kept[n] == 7);
    }
}

START_TEST(cells_are_kept_as_one_by_one)
{
    on_each_isa(start_again, kept_body);
}
END_TEST

static void entropy_body(void)
{
    double p[MOST];
    for (size_t k = 1; k < MOST; k++) {
        double sum = 0;
        for (size_t i = 0; i < k; i++) {
            p[i] = i % 7 == 6 ? 1e-15 : i % 7 == 5 ? 0 : pow(unit_of(&seed), 1 + (double)(i % 20));
            if (p[i] > 1e-15)
                sum -= p[i] * anb_log(p[i]);
        }
        double got = anb_entropy(p, k);
        ck_assert_msg(memcmp(&got, &sum, sizeof sum) == 0, "k %zu: %a, not %a", k, got, sum);
    }
}

START_TEST(entropy_is_of_anb_log)
{
    on_each_isa(start_again, entropy_body);
}
END_TEST

/* Of n distinct values each bin gets as many as every other, or one more, and those with more come first. */
START_TEST(distinct_values_are_shared_out_evenly)
{
    double sample[300], edge[ANB_FINE_EDGES];
    for (size_t i = 0; i < 300; i++)
        sample[i] = (double)i;
    for (size_t n = 1; n <= 300; n++)
        for (size_t most = 1; most <= ANB_FINE_EDGES; most++) {
            size_t bins = n < most + 1 ? n : most + 1, at = 0;
            ASSERT_EACH(anb_quantile_edges(edge, sample, n, most) == bins - 1, "%zu values, %zu edges", n, most);
            for (size_t b = 0; b + 1 < bins; b++) {
                at += n / bins + (b < n % bins);
                ASSERT_EACH(edge[b] == (double)at - .5, "%zu values, %zu edges: edge %zu is %g", n, most, b, edge[b]);
            }
        }
}
END_TEST

START_TEST(thresholds_are_the_greatest_floats_not_above_edges)
{
    static const double of[] = {0, 1, .1, 1e-45, 1e-46, 1e-300, .7, 3e38, 1. / 3, 5e-324, 1.17549429e-38};
    for (size_t i = 0; i < 2 * sizeof of / sizeof *of; i++) {
        double edge = i % 2 ? -of[i / 2] : of[i / 2];
        float below = anb_cuts_threshold(edge);
        ck_assert(below <= edge && nextafterf(below, INFINITY) > edge);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("codes");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, codes_are_those_of_anb_code);
    tcase_add_test(tests, fine_codes_count_the_edges_below);
    tcase_add_test(tests, cells_are_kept_as_one_by_one);
    tcase_add_test(tests, entropy_is_of_anb_log);
    tcase_add_test(tests, distinct_values_are_shared_out_evenly);
    tcase_add_test(tests, thresholds_are_the_greatest_floats_not_above_edges);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
