#include "edges.h"
#include "suite.h"
#include <math.h>

static uint32_t draws = 12345;
static uint32_t draw(void)
{
    draws ^= draws << 13;
    draws ^= draws >> 17;
    return draws ^= draws << 5;
}

static double uniform(void)
{
    return draw() / 4294967296.0;
}

static AnbBins *new_bins(size_t features)
{
    AnbBins *bins = calloc(1, anb_bins_bytes(features));
    anb_bins_init(bins, features);
    return bins;
}

static void make_all(AnbBins *bins)
{
    for (size_t j = 0; j < bins->features; j++)
        while (!anb_bins_step(bins, j))
            ;
    anb_bins_finish(bins);
}

static void feed(AnbBins *bins, size_t n, void (*row_of)(size_t i, double *row))
{
    double row[4];
    for (size_t i = 0; i < n; i++) {
        row_of(i, row);
        if (anb_bins_see(bins, row, draw()))
            make_all(bins);
    }
}

static void mixed_row(size_t i, double *row)
{
    row[0] = uniform();
    row[1] = (double)(i % 5);
    row[2] = 7;
    row[3] = uniform() < 0.4 ? 0 : 1e150 * (uniform() - 0.5);
}

START_TEST(codes_count_the_edges_below)
{
    AnbBins *bins = new_bins(4);
    feed(bins, 5000, mixed_row);
    for (int i = 0; i < 20000; i++) {
        size_t j = draw() % 4;
        const AnbEdges *edges = anb_bins_edges(bins, j);
        double row[4];
        mixed_row(draw() % 100, row);
        double x = i % 7 ? row[j] : edges->edge[draw() % (edges->count + 1)];
        unsigned below = 0;
        for (size_t k = 0; k < edges->count; k++)
            below += edges->edge[k] < x;
        if (isfinite(x))
            ck_assert_uint_eq(anb_code(edges, x), below);
    }
    ck_assert_uint_eq(anb_code(anb_bins_edges(bins, 0), ANB_NAN), ANB_MISSING);
    ck_assert_uint_eq(anb_code(anb_bins_edges(bins, 0), 2), ANB_EDGES);
    free(bins);
}
END_TEST

START_TEST(edges_are_made_on_schedule_and_are_quantiles)
{
    AnbBins *bins = new_bins(4);
    feed(bins, 99, mixed_row);
    ck_assert_uint_eq(bins->made, 0);
    ck_assert_uint_eq(anb_code(anb_bins_edges(bins, 0), 1), 0);
    feed(bins, 1, mixed_row);
    ck_assert_uint_eq(bins->made, 1);
    feed(bins, 300, mixed_row);
    ck_assert_uint_eq(bins->made, 2);
    feed(bins, 60000 - 400, mixed_row);
    ck_assert_uint_eq(bins->made, 5);
    const AnbEdges *edges = anb_bins_edges(bins, 0);
    ck_assert_uint_eq(edges->count, ANB_EDGES);
    for (size_t k = 0; k < edges->count; k++) /* 2,000 draws: a quantile's sd is at most 0.011 */
        ck_assert_double_eq_tol(edges->edge[k], (double)(k + 1) / (ANB_EDGES + 1), 0.055);
    ck_assert_uint_eq(anb_bins_edges(bins, 1)->count, 4);
    for (int k = 0; k < 4; k++)
        ck_assert_double_eq(anb_bins_edges(bins, 1)->edge[k], k + 0.5);
    ck_assert_uint_eq(anb_bins_edges(bins, 2)->count, 0);
    ck_assert_uint_ge(anb_bins_edges(bins, 3)->count, 55); /* one value takes 40 % and one bin */
    for (size_t k = 1; k < anb_bins_edges(bins, 3)->count; k++)
        ck_assert_double_lt(anb_bins_edges(bins, 3)->edge[k - 1], anb_bins_edges(bins, 3)->edge[k]);
    free(bins);
}
END_TEST

START_TEST(neighbouring_numbers_are_told_apart)
{
    AnbEdges edges;
    double sample[] = {1.0, nextafter(1.0, 2), -0.0, 0.0, 5e-324, -1.7e308, 1.7e308};
    double sorted[7];
    memcpy(sorted, sample, sizeof sorted);
    make_edges_of(&edges, sorted, 7);
    ck_assert_uint_eq(edges.count, 5);
    ck_assert_uint_ne(anb_code(&edges, sample[0]), anb_code(&edges, sample[1]));
    ck_assert_uint_eq(anb_code(&edges, sample[2]), anb_code(&edges, sample[3]));
    ck_assert_uint_ne(anb_code(&edges, 0), anb_code(&edges, 5e-324));
    ck_assert_uint_eq(anb_code(&edges, -1.7e308), 0);
    ck_assert_uint_eq(anb_code(&edges, 1.7e308), 5);
    make_edges_of(&edges, sorted, 0);
    ck_assert_uint_eq(edges.count, 0);
}
END_TEST

/* The old edges are in use until the new ones of all features are made, in many small steps. */
START_TEST(edges_are_made_in_steps)
{
    AnbBins *bins = new_bins(4);
    feed(bins, 1599, mixed_row);
    AnbEdges old = *anb_bins_edges(bins, 0);
    double row[4];
    mixed_row(0, row);
    ck_assert(anb_bins_see(bins, row, draw()));
    for (size_t j = 0; j < 4; j++) {
        int steps = 1;
        while (!anb_bins_step(bins, j))
            steps++;
        ck_assert_int_gt(steps, 1600 * 8 / 512); /* a sort of eight passes, 511 numbers at most in a step */
        ck_assert(anb_bins_valid(bins, 4));
        ck_assert_int_eq(memcmp(&old, anb_bins_edges(bins, 0), sizeof old), 0);
    }
    anb_bins_finish(bins);
    ck_assert_int_ne(memcmp(&old, anb_bins_edges(bins, 0), sizeof old), 0);
    ck_assert_uint_eq(bins->made, 3);
    free(bins);
}
END_TEST

/* Whether the cells of whole blocks ascend. */
static bool blocks_rise(const double *cell, size_t n)
{
    enum { BLOCK = 128 };
    bool fine = true;
    for (size_t i = 1; i < n; i++)
        fine &= i % BLOCK == 0 || cell[i - 1] <= cell[i];
    return fine;
}

/* Cells are sorted in blocks while the reservoir fills, unless one is missing. Edges are those of the rows that were
 * there when they were due, whatever comes while they are made. */
START_TEST(what_is_sorted_ahead_makes_the_same_edges)
{
    enum { D = 2, DUE = 1600, WHOLE = 1536 };
    AnbBins *bins = new_bins(D);
    double row[D], seen[D][DUE];
    uint32_t present = 0;
    for (size_t i = 0; i < DUE; i++) {
        row[0] = seen[0][i] = uniform();
        row[1] = uniform() < .9 ? uniform() : ANB_NAN;
        if (row[1] == row[1])
            seen[1][present++] = row[1];
        if (anb_bins_see(bins, row, draw()) && i + 1 < DUE)
            make_all(bins);
    }
    const double *cells = (const double *)((const AnbEdges *)(bins + 1) + 2 * D);
    ck_assert(blocks_rise(cells, WHOLE));
    for (size_t j = D, steps = 0; j-- > 0;)
        for (; !anb_bins_step(bins, j); steps++) {
            row[0] = row[1] = 2;
            anb_bins_see(bins, row, draw());
        }
    anb_bins_finish(bins);
    for (size_t j = 0; j < D; j++) {
        AnbEdges edges;
        make_edges_of(&edges, seen[j], j ? present : DUE);
        ck_assert_uint_eq(edges.count, ANB_EDGES);
        ck_assert_mem_eq(edges.edge, anb_bins_edges(bins, j)->edge, sizeof edges.edge);
    }
    free(bins);
}
END_TEST

static void missing_row(size_t i, double *row)
{
    row[0] = i % 3 ? ANB_NAN : (double)(i / 3 % 100);
    row[1] = row[2] = row[3] = ANB_NAN;
}

START_TEST(missing_cells_make_no_edges)
{
    AnbBins *bins = new_bins(4);
    feed(bins, 400, missing_row);
    ck_assert_uint_eq(bins->made, 2);
    ck_assert_uint_eq(anb_bins_edges(bins, 1)->count, 0);
    ck_assert_uint_eq(anb_bins_edges(bins, 0)->count, ANB_EDGES);
    unsigned char codes[4];
    anb_bins_codes(bins, 4, (double[]){1e9, ANB_NAN, 3, -3}, codes);
    ck_assert_uint_eq(codes[0], ANB_EDGES);
    ck_assert_uint_eq(codes[1], ANB_MISSING);
    ck_assert_uint_eq(codes[2], 0);
    free(bins);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("bins");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, codes_count_the_edges_below);
    tcase_add_test(tests, edges_are_made_on_schedule_and_are_quantiles);
    tcase_add_test(tests, neighbouring_numbers_are_told_apart);
    tcase_add_test(tests, edges_are_made_in_steps);
    tcase_add_test(tests, what_is_sorted_ahead_makes_the_same_edges);
    tcase_add_test(tests, missing_cells_make_no_edges);
    return suite;
}

CHECK_MAIN(suite)
