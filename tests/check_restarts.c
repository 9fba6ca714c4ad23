/* An expert that restarts is reported to its mixture and treated as new; no other expert and no mixture above is. */
#include "made.h"
#include "mixtures.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/moe.h>
#include <anabranch/type.h>
#include <stdio.h>

static const AnbField one_real[] = {{.name = "value", .kind = ANB_F64, .fixed = 1}, {0}};

static double predict_last(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    return *(const double *)state;
}

static void update_flaky(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    (void)weight, (void)scratch;
    *(double *)state = y;
    if (y > 10) /* a scale above bounds a target that is far off */
        anb_restart(self, state, row);
}

static const StreamingLearnerType flaky = {
    .name = "flaky",
    .flags = ANB_WEIGHT_SCALED,
    .version = 1,
    .fields = one_real,
    .scratch = one_real,
    .predict = predict_last,
    .update = update_flaky,
};

START_TEST(a_feature_that_is_far_off_leaves_its_expert_alone)
{
    StreamingLearner *model = made_with(2, "moe(scale(mean, warmup=5), last, router=boa)", &flaky);
    feed(model, 20);
    anb_train_one(model, (double[]){1e308, 0}, 2, 1);
    anb_train_one(model, (double[]){-1e308, 0}, 2, 1);
    ck_assert_uint_eq(see(model, "").trained[0], 22);
    anb_predict(model, (double[]){1, 2});
    ck_assert_double_gt(see(model, "").weight[0], 0);
    anb_free(model);
}
END_TEST

START_TEST(an_expert_of_an_inner_mixture_is_not_the_mixture)
{
    StreamingLearner *model =
        made_with(2, "moe(moe(flaky, mean, router=boa, warmup=5, name=inner), last, router=boa)", &flaky);
    feed(model, 20);
    anb_train_one(model, (double[]){1, 2}, 77, 1);
    ck_assert_uint_eq(anb_counters(model)->restarts, 1);
    ck_assert_uint_eq(see(model, "inner").trained[0], 0);
    ck_assert_uint_eq(see(model, "inner").trained[1], 21);
    ck_assert_uint_eq(see(model, "").trained[0], 21);
    anb_predict(model, (double[]){1, 2});
    ck_assert_double_gt(see(model, "").weight[0], 0);
    anb_free(model);
}
END_TEST

START_TEST(an_expert_that_restarts_is_new)
{
    static const char *const experts[] = {
        "flaky(warmup=5)",       "scale(flaky, warmup=5)",          "guard(flaky, warmup=5)",
        "poly(flaky, warmup=5)", "residual(flaky, mean, warmup=5)", "guard(mean, flaky, warmup=5)"};
    for (size_t i = 0; i < sizeof experts / sizeof *experts; i++) {
        char text[200];
        bool new = i < 4;
        snprintf(text, sizeof text, "moe(%s, last, router=boa)", experts[i]);
        StreamingLearner *model = made_with(2, text, &flaky);
        feed(model, 20);
        anb_train_one(model, (double[]){1, 2}, 77, 1);
        ck_assert_msg(see(model, "").trained[0] == (new ? 0 : 21), "%s", experts[i]);
        anb_predict(model, (double[]){1, 2});
        ck_assert_msg((see(model, "").weight[0] == 0) == new, "%s", experts[i]);
        anb_free(model);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("restarts");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, a_feature_that_is_far_off_leaves_its_expert_alone);
    tcase_add_test(tests, an_expert_of_an_inner_mixture_is_not_the_mixture);
    tcase_add_test(tests, an_expert_that_restarts_is_new);
    return suite;
}

CHECK_MAIN(suite)
