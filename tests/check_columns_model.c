/* Models with columns: snapshots and clones, importances, the option kinds, missing numbers. */
#include "columns_row.h"
#include "reload.h"
#include "src/host/model.h"
#include <anabranch/schema.h>
#include <anabranch/snapshot.h>
#include <math.h>

static void typed_row(uint64_t *bits, double *x, double *y)
{
    int city = (int)(unit_of(bits) * 300);
    x[0] = unit_of(bits);
    x[1] = anb_category(&city, sizeof city);
    x[2] = 1.5e9 + 1e7 * unit_of(bits);
    *y = worth(city) + x[0];
}

START_TEST(saved_loaded_cloned_and_pending)
{
    const char *texts[] = {"columns(scale(rls), kinds=\"n c t\", slots=64)",
                           "pending(columns(scale(moe(rls, sgbt)), kinds=\"n c t\", slots=64))"};
    for (size_t t = 0; t < 2; t++) {
        StreamingLearner *model = made(3, texts[t]);
        uint64_t bits = 3;
        double x[3], y;
        for (int i = 0; i < 2000; i++) {
            typed_row(&bits, x, &y);
            anb_train_one(model, x, y, 1);
        }
        StreamingLearner *clone = anb_clone(model, NULL), *again = reloaded(model, NULL);
        ck_assert(anb_equal(model, clone) && anb_equal(model, again));
        for (int i = 0; i < 1000; i++) {
            typed_row(&bits, x, &y);
            double f = anb_train_one(model, x, y, 1);
            ck_assert(anb_train_one(clone, x, y, 1) == f && anb_train_one(again, x, y, 1) == f);
        }
        ck_assert(anb_equal(model, clone) && anb_equal(model, again));
        anb_free(model);
        anb_free(clone);
        anb_free(again);
    }
}
END_TEST

/* A snapshot holds the entries in use: ten ids of 65,536 slots. */
START_TEST(snapshots_hold_what_is_used)
{
    AnbError error;
    StreamingLearner *model = anb_parse(1, "columns(mean, kinds=\"c\", slots=65536)", NULL, &error);
    for (int i = 0; i < 100; i++)
        anb_train_one(model, (double[]){i % 10}, i, 1);
    ck_assert_uint_gt(anb_total_bytes(model), 3000000);
    ck_assert_uint_lt(anb_snapshot_size(model, NULL), 65536 / 8 + 2000);
    StreamingLearner *again = reloaded(model, NULL);
    ck_assert(anb_equal(model, again));
    for (int i = 0; i < 100; i++)
        ck_assert(anb_train_one(model, (double[]){i}, i, 1) == anb_train_one(again, (double[]){i}, i, 1));
    ck_assert(anb_equal(model, again));
    anb_free(model);
    anb_free(again);
}
END_TEST

START_TEST(importances_are_of_the_columns)
{
    StreamingLearner *model = made(4, "columns(sgbt, kinds=\"t n c n\")");
    uint64_t bits = 3;
    double shares[4], sum = 0;
    for (int i = 0; i < 3000; i++) {
        int city = (int)(unit_of(&bits) * 50);
        double x[] = {1.5e9 + 1e7 * unit_of(&bits), unit_of(&bits), city, unit_of(&bits)};
        anb_train_one(model, x, worth(city) + x[1], 1);
    }
    const AnbNode *root = &model->plan->nodes[0];
    ck_assert_int_eq(root->type->importance->shares(root, anb_block(model), shares), 0);
    for (int j = 0; j < 4; j++)
        sum += shares[j];
    ck_assert_msg(fabs(sum - 1) < 1e-9 && shares[2] > .8 && shares[2] > shares[1] && shares[0] < .2, "%g %g %g %g",
                  shares[0], shares[1], shares[2], shares[3]);
    anb_free(model);
}
END_TEST

START_TEST(kinds_are_checked_and_canonical)
{
    static const struct {
        const char *given, *printed; /* NULL: refused */
    } texts[] = {
        {"columns(mean, kinds=\"nn n 2c tx\")", "columns(mean, kinds=\"3n 2c t x\")"},
        {"columns(mean, kinds=\"c*n\")", "columns(mean, kinds=\"c *n\")"},
        {"columns(mean)", "columns(mean)"},
        {"columns(mean, kinds=\"\")", "columns(mean)"},
        {"columns(mean, kinds=\"7n\", slots=8)", "columns(mean, kinds=\"7n\", slots=8)"},
        {"columns(mean, kinds=\"6n\")", NULL},
        {"columns(mean, kinds=\"8n\")", NULL},
        {"columns(mean, kinds=\"7x\")", NULL},
        {"columns(mean, kinds=\"*n *c\")", NULL},
        {"columns(mean, kinds=\"7y\")", NULL},
        {"columns(mean, kinds=\"0n\")", NULL},
        {"columns(mean, kinds=7n)", NULL},
        {"columns(mean, kinds=\"7n)", NULL},
        {"columns(mean, kinds=\"99999999999n\")", NULL},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AnbError error = {0};
        StreamingLearner *model = anb_parse(7, texts[i].given, NULL, &error);
        ck_assert_msg(!model == !texts[i].printed, "%s: %s", texts[i].given, error.message);
        if (model)
            ck_assert_str_eq(anb_expression(model), texts[i].printed);
        else
            ck_assert_msg(strstr(error.message, "kinds") || strstr(error.message, "columns"), "%s", error.message);
        anb_free(model);
    }
}
END_TEST

/* Missing numbers reach the child: a scale completes them, a linear alone takes none. */
START_TEST(missing_numbers_are_the_childs)
{
    StreamingLearner *scaled = anb_parse(2, "columns(scale(linear), kinds=\"n c\")", NULL, NULL);
    StreamingLearner *plain = anb_parse(2, "columns(linear, kinds=\"n c\")", NULL, NULL);
    ck_assert(anb_takes_missing(scaled) && !anb_takes_missing(plain));
    for (int i = 0; i < 10; i++) {
        double f = anb_train_one(scaled, (double[]){NAN, NAN}, 1, 1);
        ck_assert(f == f);
    }
    anb_free(scaled);
    anb_free(plain);
}
END_TEST

/* What columns says of one of 20 categories with targets of 3 +-2 and of the linear model: its means and its effect. */
static StreamingLearner *learned(uint64_t *bits, long rows)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"c n\", slots=64)", 2);
    for (long i = 0; i < rows; i++)
        anb_train_one(model, (double[]){floor(20 * unit_of(bits)), unit_of(bits)}, 1 + 4 * unit_of(bits), 1);
    return model;
}

/* One target of 1e9 moves the category's means and effect by some widths of the range, and no other category's. */
START_TEST(one_wrong_target_stays_in_bounds)
{
    uint64_t bits = 11;
    for (int at = 100; at <= 2000; at += 1900) {
        StreamingLearner *model = learned(&bits, at);
        anb_train_one(model, (double[]){7, .5}, 1e9, 1);
        anb_predict(model, (double[]){7, .5});
        ck_assert_msg(fabs(shown[1]) < 20 && fabs(shown[2]) < 20 && fabs(shown[4]) < 20, "row %d: %g %g %g", at,
                      shown[1], shown[2], shown[4]);
        anb_predict(model, (double[]){8, .5});
        ck_assert_msg(fabs(shown[1] - 3) < 1 && fabs(shown[2] - 3) < 2 && fabs(shown[4]) < 1, "row %d: %g %g %g", at,
                      shown[1], shown[2], shown[4]);
        for (int i = 0; i < 40; i++)
            anb_train_one(model, (double[]){7, unit_of(&bits)}, 1 + 4 * unit_of(&bits), 1);
        anb_predict(model, (double[]){7, .5});
        ck_assert_msg(fabs(shown[1] - 3) < .6 && fabs(shown[2] - 3) < 1, "row %d: %g %g after 40", at, shown[1],
                      shown[2]);
        anb_free(model);
    }
}
END_TEST

/* A category whose targets rise a thousandfold and stay is followed within 60 of its rows, though they are one row
 * in 20. */
START_TEST(a_new_level_of_a_category_is_followed)
{
    uint64_t bits = 12;
    StreamingLearner *model = learned(&bits, 2000);
    for (int i = 0, seen = 0; seen < 60; i++) {
        double x = floor(20 * unit_of(&bits));
        anb_train_one(model, (double[]){x, .5}, (x == 7 ? 3000 : 1) + 4 * unit_of(&bits), 1);
        seen += x == 7;
    }
    anb_predict(model, (double[]){7, .5});
    ck_assert_msg(fabs(shown[2] - 3002) < 300, "%g", shown[2]);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("columns_model");
    TCase *tests = case_of(suite, 600);
    tcase_add_test(tests, saved_loaded_cloned_and_pending);
    tcase_add_test(tests, snapshots_hold_what_is_used);
    tcase_add_test(tests, importances_are_of_the_columns);
    tcase_add_test(tests, kinds_are_checked_and_canonical);
    tcase_add_test(tests, missing_numbers_are_the_childs);
    tcase_add_test(tests, one_wrong_target_stays_in_bounds);
    tcase_add_test(tests, a_new_level_of_a_category_is_followed);
    return suite;
}

CHECK_MAIN(suite)
