/* Trees on their way from bins to ensemble: what the ring remembers is what the trees say, and no slice is long. */
#include "numbers.h"
#include "learners/boost/boost.h"
#include "learners/boost/code_rows.h"
#include "suite.h"
#include <math.h>

static uint64_t seed = 1;

static AnbBoostView new_boost(AnbBoostRoom room)
{
    AnbBoostView v;
    anb_boost_view(room, NULL, &v);
    anb_boost_view(room, calloc(1, v.bytes), &v);
    anb_boost_init(&v, 5);
    return v;
}

/* One row with missing cells and few values in some columns; returns its target. */
static double next_row(double *raw, size_t d)
{
    double y = 0;
    for (size_t j = 0; j < d; j++) {
        raw[j] = j % 3 == 1 ? floor(4 * uniform_of(&seed)) : uniform_of(&seed);
        if (uniform_of(&seed) > .9)
            raw[j] = ANB_NAN;
        y += j < 3 && raw[j] > .3 ? 2 : 0;
    }
    return y + .1 * uniform_of(&seed);
}

static void learn(const AnbBoostView *v)
{
    double raw[200];
    float row[402];
    uint8_t leaf[64];
    AnbBoostLeaf sum;
    double y = next_row(raw, v->room.features);
    anb_boost_row(v, raw, row);
    anb_cuts_descend(v->trees.cuts, v->trees.head->grown, v->room.depth, row, leaf);
    anb_boosted_trees_sum(&v->trees, leaf, &sum);
    anb_boost_keep(v, row, leaf, y, sum.slow);
}

static const AnbBoostRule rule = {.aim = {.base = 1, .rate = .2, .inherit = .7}, .ridge = 2, .min_rows = 5};

/* Every live row of the ring, walked by its values: the leaves are those remembered, and their sum is its output. */
static void check_ring(const AnbBoostView *v)
{
    const size_t d = v->room.features;
    double raw[8];
    float row[18];
    uint8_t leaf[64];
    for (size_t slot = 0; slot < anb_window_size(&v->window); slot++) {
        AnbBoostLeaf sum;
        if (anb_window_index(&v->window, slot) < v->window.head->from)
            continue; /* forgotten: nobody asks any more */
        for (size_t j = 0; j < d; j++)
            raw[j] = v->window.value[j * v->room.rows + slot];
        anb_boost_row(v, raw, row);
        anb_cuts_cell(row, d + 1, d, (float)(anb_window_index(&v->window, slot) - v->head->origin));
        anb_cuts_descend(v->trees.cuts, v->trees.head->grown, v->room.depth, row, leaf);
        for (size_t t = 0; t < v->trees.head->grown; t++)
            ck_assert_uint_eq(v->trees.path[slot / 64 * v->room.trees * 64 + t * 64 + slot % 64], leaf[t]);
        anb_boosted_trees_sum(&v->trees, leaf, &sum);
        ck_assert_double_le(fabs(v->trees.output[slot] - sum.slow), 1e-9);
    }
}

START_TEST(the_ring_remembers_what_trees_say)
{
    AnbBoostView v = new_boost((AnbBoostRoom){320, 5, 14, 4});
    int swaps = 0;
    if (_i == 1)
        v.head->origin -= (1u << 22) - 2400; /* as if four million rows had gone by: arrivals restart on the way */
    for (int t = 0; t < 4000; t++) {
        learn(&v);
        if (t == 2000)
            anb_window_forget(&v.window, 40);
        for (int i = 0; t > 30 && i < 3; i++) {
            uint32_t before = v.head->phase;
            ck_assert_uint_gt(anb_boost_slice(&v, &rule), 0);
            ck_assert(_i == 1 || anb_boost_valid(&v));
            if (before == ANB_BOOST_SETTLE && v.head->phase == ANB_BOOST_IDLE) {
                check_ring(&v);
                swaps++;
            }
        }
    }
    ck_assert_int_gt(swaps, 100);
    ck_assert(_i == 0 || v.head->origin + (1u << 22) - 2400 == 1u << 21);
    free(v.head);
}
END_TEST

START_TEST(no_slice_is_long)
{
    static const AnbBoostRoom rooms[] = {{4096, 12, 20, 5}, {2048, 200, 5, 8}, {65536, 1, 3, 3}};
    for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
        AnbBoostView v = new_boost(rooms[r]);
        uint32_t longest = 0;
        for (int t = 0; t < 9000; t++) {
            learn(&v);
            for (int i = 0; t > 30 && i < 3; i++) {
                uint32_t cost = anb_boost_slice(&v, &rule);
                longest = cost > longest ? cost : longest;
            }
        }
        ck_assert_uint_ge(v.trees.head->grown, 3);
        ck_assert_msg(longest <= 12000, "%zu rows, %zu features: %u", rooms[r].rows, rooms[r].features, longest);
        free(v.head);
    }
}
END_TEST

START_TEST(columns_of_codes_become_rows)
{
    uint8_t codes[ANB_CODE_COLUMNS][ANB_CUTS_BLOCK], rows[ANB_CUTS_BLOCK][ANB_CODE_COLUMNS];
    const uint8_t *column[ANB_CODE_COLUMNS];
    for (size_t k = 0; k < ANB_CODE_COLUMNS; k++) {
        column[k] = codes[k];
        for (size_t i = 0; i < ANB_CUTS_BLOCK; i++)
            codes[k][i] = (uint8_t)(256 * uniform_of(&seed));
    }
    anb_code_rows(column, rows[0]);
    for (size_t k = 0; k < ANB_CODE_COLUMNS; k++)
        for (size_t i = 0; i < ANB_CUTS_BLOCK; i++)
            ck_assert_uint_eq(rows[i][k], codes[k][i]);
}
END_TEST

static Suite *boost_suite(void)
{
    Suite *suite = suite_create("boost");
    TCase *tests = case_of(suite, 30);
    tcase_add_loop_test(tests, the_ring_remembers_what_trees_say, 0, 2);
    tcase_add_test(tests, no_slice_is_long);
    tcase_add_test(tests, columns_of_codes_become_rows);
    return suite;
}

CHECK_MAIN(boost_suite)
