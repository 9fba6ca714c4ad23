/* Rows that stand one to a lane: turned into columns, and through networks of doubles and of floats with the bits of
 * each row alone, on every instruction set. */
#include "isa_here.h"
#include "src/numeric/network.h"
#include "src/simd/turn.h"
#include "suite.h"
#include <string.h>

enum { ROWS = 32, MOST_D = 21, STRIDE = MOST_D + 3, CELLS = 4096 };

static const size_t widths[] = {1, 7, 8, 12, MOST_D}, counts[] = {1, 5, 8, 17, ROWS};
enum { N_WIDTHS = sizeof widths / sizeof *widths, N_COUNTS = sizeof counts / sizeof *counts };

static double rows[ROWS * STRIDE];

/* Normal numbers, zeros of both signs, numbers too small to matter, to floats or to both, one beyond the bound. */
static void make_rows(void)
{
    AnbRandom random;
    anb_random_seed(&random, 3);
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        rows[i] = i % 11 == 0   ? 0
                  : i % 13 == 0 ? -0.0
                  : i % 17 == 0 ? 1e-30
                  : i % 19 == 0 ? -1e-200
                                : anb_random_normal(&random);
    rows[2 * STRIDE] = 1e9;
}

static void check_turned(size_t n, size_t d, size_t pitch)
{
    double column[MOST_D * ROWS];
    for (size_t i = 0; i < MOST_D * ROWS; i++)
        column[i] = 77;
    anb_turn_rows(rows, STRIDE, n, d, pitch, column);
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < pitch; i++)
            ck_assert(column[j * pitch + i] == rows[(i < n ? i : n - 1) * STRIDE + j]);
    for (size_t i = d * pitch; i < MOST_D * ROWS; i++)
        ck_assert(column[i] == 77);
}

static void turn_all(void)
{
    for (size_t w = 0; w < N_WIDTHS; w++)
        for (size_t c = 0; c < N_COUNTS; c++)
            for (size_t pitch = anb_network_width(counts[c], 8); pitch <= ROWS; pitch += 8)
                check_turned(counts[c], widths[w], pitch);
}

START_TEST(rows_become_columns)
{
    on_each_isa(make_rows, turn_all);
}
END_TEST

static void put(const AnbNetwork *n, void *w, size_t i, double v)
{
    if (n->cell == sizeof(float))
        ((float *)w)[i] = (float)v;
    else
        ((double *)w)[i] = v;
}

/* All weights are drawn, the constants as well. */
static void draw(const AnbNetwork *n, void *w)
{
    AnbRandom random;
    anb_random_seed(&random, 6);
    ck_assert_uint_le(anb_network_size(n), CELLS);
    memset(w, 0, CELLS * n->cell);
    anb_network_draw(n, w, &random);
    for (size_t h = 0; h < n->hidden; h++) {
        put(n, w, anb_network_output(n) + h, anb_random_normal(&random));
        put(n, w, n->features * n->width + h, anb_random_normal(&random));
        if (anb_network_gated(n))
            put(n, w, (2 * n->features + 1) * n->width + h, anb_random_normal(&random));
    }
    put(n, w, anb_network_output(n) + n->width, anb_random_normal(&random));
}

/* Two copies of the weights at once have the bits, and the first its trace, of one by one. */
static void check_both(const AnbNetwork *n, const double *x)
{
    static double w[2 * CELLS], trace[2][CELLS], unread[CELLS];
    const size_t apart = anb_network_size(n);
    double said[2];
    draw(n, w);
    for (size_t i = 0; i < apart; i++)
        put(n, w, apart + i, 0.9 * anb_network_cell(n, w, i) + 0.01);
    memset(trace, 0, sizeof trace);
    anb_network_forward_both(n, w, apart, x, trace[0], unread, said);
    ck_assert(said[0] != said[1]);
    ck_assert_double_eq(said[1], anb_network_forward(n, anb_network_at(n, w, apart), x, unread));
    ck_assert_double_eq(said[0], anb_network_forward(n, w, x, trace[1]));
    ck_assert_mem_eq(trace[0], trace[1], sizeof trace[0]);
}

static void check_network(const AnbNetwork *n, size_t count)
{
    static double w[CELLS], x[MOST_D + 1 + 16], trace[CELLS], columns[MOST_D * ROWS], said[ROWS];
    const size_t pitch = anb_network_width(count, n->lanes);
    draw(n, w);
    anb_turn_rows(rows, STRIDE, count, n->features, pitch, columns);
    anb_network_take_columns(n, columns, n->features * pitch, 1e6, columns);
    anb_network_forward_columns(n, w, columns, pitch, count, said);
    for (size_t i = 0; i < count; i++) {
        anb_network_take_rows(n, rows + i * STRIDE, STRIDE, 1, 1e6, x);
        for (size_t j = 0; j < n->features; j++)
            ck_assert_mem_eq((char *)columns + (j * pitch + i) * n->cell, (char *)x + j * n->cell, n->cell);
        double alone = anb_network_forward(n, w, x, trace);
        ck_assert(alone - alone == 0);
        ck_assert_mem_eq(&said[i], &alone, sizeof alone);
    }
    check_both(n, x);
}

static void forward_all(void)
{
    static const size_t hidden[] = {1, 7, 8, 16, 21, 40, 64};
    for (size_t kind = 0; kind < 2 * (ANB_HARDGELU + 1); kind++)
        for (size_t h = 0; h < sizeof hidden / sizeof *hidden; h++)
            for (size_t w = 0; w < N_WIDTHS; w++)
                for (size_t c = 0; c < N_COUNTS; c++) {
                    const AnbNetwork n = anb_network(widths[w], hidden[h], (AnbActivation)(kind / 2), kind % 2);
                    check_network(&n, counts[c]);
                }
}

START_TEST(networks_predict_what_they_predict_of_each_row_alone)
{
    on_each_isa(make_rows, forward_all);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("network_columns");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, rows_become_columns);
    tcase_add_test(tests, networks_predict_what_they_predict_of_each_row_alone);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
