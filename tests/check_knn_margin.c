/* Rows that a search may lose: where its bounds end, and where rounding moves codes by half a unit. */
#include "knn_rows.h"
#include "suite.h"
#include <math.h>

/* Codes such that the nearest row's distance is `square`, which needs a bound of more than 16 bits if it is not far
 * below them. */
static void encode_near(Fixture *f, double square)
{
    const float limit = anb_knn_search_limit(f->d);
    double nearest = INFINITY;
    for (size_t i = 0; i < f->rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < f->d; j++)
            sum += pow((double)f->factor[j] * (double)(f->window[i * f->d + j] - f->query[j]), 2);
        nearest = fmin(nearest, sum);
    }
    for (size_t j = 0; j < f->d; j++)
        f->factor[j] *= (float)sqrt(square / nearest);
    ck_assert(anb_knn_search_encode(f->window, f->rows, f->d, f->factor, f->none, limit, f->code) <= limit);
    ck_assert(anb_knn_search_encode_row(f->query, f->d, f->factor, f->none, limit, f->query_code, 1) <= limit);
}

static void check_full_halves(void)
{
    static Fixture f;
    for (size_t rows = 40; rows <= ROWS; rows += 94)
        for (double square = 28000; square < 33000; square += 250) {
            draw(&f, MOST, rows);
            encode_near(&f, square);
            check_tile(&f, 1, 0, false);
        }
}

START_TEST(bounds_at_the_end_of_sixteen_bits_hold_all)
{
    on_each_way(check_full_halves);
}
END_TEST

/* Two kinds of rows in units of the codes, all numbers next to a half. The first row is the farther one, by little, and
 * by its codes the nearer one, by almost twice the root of d: those of the query and of the first row lie closer to
 * each other than these, those of the others farther away. */
static void draw_halves(Fixture *f, float away)
{
    const float limit = anb_knn_search_limit(MOST);
    memset(f, 0, sizeof *f);
    f->d = MOST;
    f->rows = f->older = ROWS;
    for (size_t j = 0; j < MOST; j++) {
        f->metric[j] = f->factor[j] = 1;
        f->query[j] = f->padded_query[j] = .499f;
        f->window[j] = -(away + (j > 0 ? -.501f : .499f));
        for (size_t i = 1; i < ROWS; i++)
            f->window[i * MOST + j] = away + .501f;
    }
    ck_assert(anb_knn_search_encode(f->window, ROWS, MOST, f->factor, f->none, limit, f->code) <= limit);
    ck_assert(anb_knn_search_encode_row(f->query, MOST, f->factor, f->none, limit, f->query_code, 1) <= limit);
}

static void check_halves(void)
{
    static Fixture f;
    for (int away = 10; away < 90; away++) {
        draw_halves(&f, (float)away);
        check_search(&f, 1, false);
        ck_assert_uint_eq(f.index[0], 1);
        check_tiles(&f, 1);
    }
}

START_TEST(codes_that_rounding_moves_by_a_half_lose_no_row)
{
    on_each_way(check_halves);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn_margin");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, bounds_at_the_end_of_sixteen_bits_hold_all);
    tcase_add_test(tests, codes_that_rounding_moves_by_a_half_lose_no_row);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
