/* Products of the features of a row, and of several rows, on every instruction set. */
#include "isa_here.h"
#include "numbers.h"
#include "src/simd/products.h"
#include "suite.h"
#include <math.h>
#include <string.h>

enum { MOST = ANB_PRODUCTS_D, PRODUCTS = MOST * (MOST + 1) / 2, PAD = 8, ROWS = 5, WIDTH = MOST + 2 };

static void fill(uint64_t *seed, double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = uniform_of(seed) * (i % 7 == 3 ? 1e3 : 1);
}

START_TEST(products_are_bounded_and_stay_in_their_room)
{
    double x[MOST], u[PRODUCTS + PAD];
    uint64_t seed = 1;
    AnbIsa before = take_isa(_i);
    for (size_t d = 1; d <= MOST; d++) {
        fill(&seed, x, d);
        x[d / 2] = d % 3 == 0 ? 1e250 : d % 3 == 1 ? -1e250 : -0.0;
        x[d - 1] *= d % 2 ? 1e200 : 1;
        u[d * (d + 1) / 2 + 7] = 42;
        anb_products(x, d, u);
        const double *next = u;
        for (size_t i = 0; i < d; i++)
            for (size_t j = i; j < d; j++, next++) {
                double expected = fmax(fmin(.5 * x[i] * x[j], 1e300), -1e300);
                ck_assert_mem_eq(next, &expected, sizeof expected);
            }
        ck_assert(u[d * (d + 1) / 2 + 7] == 42);
    }
    anb_isa_use(before);
}
END_TEST

/* The products of one row less the centre are those of the row alone. */
static void check_row(const double *x, const double *centre, size_t d, const double *said)
{
    double away[MOST], alone[PRODUCTS + PAD];
    for (size_t j = 0; j < d; j++)
        away[j] = x[j] - centre[j];
    anb_products(away, d, alone);
    ck_assert_mem_eq(said, alone, d * (d + 1) / 2 * sizeof *said);
}

/* Rows that lie as near as they can, and with a gap. */
START_TEST(rows_at_once_are_those_of_each)
{
    double x[ROWS * WIDTH], centre[MOST], u[ROWS * (PRODUCTS + PAD)];
    uint64_t seed = 2;
    AnbIsa before = take_isa(_i);
    for (size_t d = 1; d <= MOST; d++) {
        const size_t n = d * (d + 1) / 2, stride = n + d % 4;
        fill(&seed, x, ROWS * WIDTH);
        fill(&seed, centre, d);
        x[WIDTH + d - 1] = 1e200;
        u[(ROWS - 1) * stride + n + 7] = 42;
        anb_products_of_rows(x, WIDTH, ROWS, centre, d, u, stride);
        for (size_t i = 0; i < ROWS; i++)
            check_row(x + i * WIDTH, centre, d, u + i * stride);
        ck_assert(u[(ROWS - 1) * stride + n + 7] == 42);
    }
    anb_isa_use(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("products");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, products_are_bounded_and_stay_in_their_room, 0, ANB_ISA_COUNT);
    tcase_add_loop_test(tests, rows_at_once_are_those_of_each, 0, ANB_ISA_COUNT);
    return suite;
}

CHECK_MAIN(suite)
