/* The mixture's read-outs and refusals, one behaviour a test, against values worked out by hand. */
#include "made.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static AnbMixture see(const StreamingLearner *model)
{
    AnbMixture m;
    ck_assert_int_eq(anb_mixture(model, &m), 0);
    return m;
}

static void feed(StreamingLearner *model, int n)
{
    Stream s = {3, anb_n_features(model)};
    double x[16];
    for (int i = 0; i < n; i++) {
        double y = stream_next(&s, x);
        anb_train_one(model, x, y, 1);
    }
}

static void refuse(const char *expression, const char *param)
{
    AnbError error = {0};
    ck_assert_msg(anb_parse(2, expression, NULL, &error) == NULL, "%s was taken", expression);
    ck_assert_msg(strstr(error.message, param) != NULL, "%s: %s", expression, error.message);
}

START_TEST(creation_refuses_by_name)
{
    refuse("moe(mean)", "children");
    refuse("moe(mean, last, top_k=0)", "top_k");
    refuse("moe(mean, last, top_k=3)", "top_k");
    refuse("moe(mean, last, router_lr=-0.1)", "router_lr");
    refuse("moe(mean, last, load_balance_rate=-0.1)", "load_balance_rate");
    refuse("moe(mean, last, load_balance_rate=1.1)", "load_balance_rate");
    refuse("moe(mean, last, utilization_threshold=0)", "utilization_threshold");
    refuse("moe(mean, last, utilization_threshold=1)", "utilization_threshold");
    refuse("moe(mean, last, utilization_span=0)", "utilization_span");
}
END_TEST

START_TEST(creation_from_structs_refuses_as_text_does)
{
    AnbRouterLinearOptions gate = anb_router_linear_defaults();
    AnbMoeOptions options = anb_moe_defaults();
    AnbExpert experts[] = {{.type = &anb_mean}, {.type = &anb_last}};
    AnbExpert root = {.type = &anb_moe, .options = &options, .children = experts, .n_children = 2};
    AnbError error = {0};
    gate.router_lr = NAN;
    options.router = (AnbRouterChoice){&anb_router_linear, &gate};
    ck_assert_ptr_null(anb_new(2, &root, NULL, &error));
    ck_assert_msg(strstr(error.message, "router_lr") != NULL, "%s", error.message);
    gate.router_lr = 0; /* a frozen router is one */
    StreamingLearner *model = anb_new(2, &root, NULL, &error);
    ck_assert_ptr_nonnull(model);
    gate.router_lr = NAN; /* the plan has its own copy */
    feed(model, 10);
    ck_assert(isfinite(see(model).after[0]));
    anb_free(model);
    experts[0].warmup = -1;
    gate.router_lr = .01;
    ck_assert_ptr_null(anb_new(2, &root, NULL, &error));
    ck_assert_msg(strstr(error.message, "warmup") != NULL, "%s", error.message);
}
END_TEST

START_TEST(a_new_mixture_is_uniform_and_says_0)
{
    StreamingLearner *model = made(3, "moe(linear, mean, last, top_k=2)");
    double p[3], x[3] = {5, -2, 1};
    ck_assert_double_eq(anb_predict(model, x), 0);
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq_tol(p[i], 1 / 3.0, 1e-15);
    AnbMixture m = see(model);
    ck_assert_uint_eq(m.samples, 0);
    ck_assert_uint_eq(m.n_dead, 0);
    ck_assert_double_eq(m.alignment, 0);
    ck_assert_double_eq(m.gate_entropy, 0);
    anb_free(model);
}
END_TEST

START_TEST(probabilities_and_weights_sum_to_one)
{
    StreamingLearner *model = made(3, "moe(linear, mean, last, linear(rate=0.002), top_k=3)");
    Stream s = {3, 3};
    double x[3], p[8] = {0, 0, 0, 0, 17, 17, 17, 17};
    for (int i = 0; i < 300; i++) {
        double y = stream_next(&s, x), sum = 0, weights = 0, after = 0;
        x[0] -= 100;
        anb_train_one(model, x, y, 1);
        AnbMixture m = see(model);
        for (int j = 0; j < 4; j++) {
            weights += m.weight[j];
            after += m.after[j];
        }
        anb_routing_probabilities(model, x, p);
        for (int j = 0; j < 4; j++)
            sum += p[j];
        for (int j = 4; j < 8; j++)
            ck_assert(p[j] == 17); /* there are four */
        ck_assert_double_eq_tol(sum, 1, 1e-14);
        ck_assert_double_eq_tol(weights, 1, 1e-14);
        ck_assert_double_eq_tol(after, 1, 1e-14);
        ck_assert_uint_eq(m.n_active, 3);
    }
    anb_free(model);
}
END_TEST

/* Two experts, both active: mean says 2 and last says 3 after the targets 1 and 3. */
START_TEST(prediction_disagreement_and_error_by_hand)
{
    StreamingLearner *model = made(1, "moe(mean, last, router_lr=0, load_balance_rate=0)");
    double x = 0, f[2], p[2];
    anb_train_one(model, &x, 1, 1);
    anb_train_one(model, &x, 3, 1);
    anb_expert_predictions(model, &x, f);
    ck_assert_double_eq(f[0], 2);
    ck_assert_double_eq(f[1], 3);
    anb_routing_probabilities(model, &x, p);
    double mixed = p[0] * 2 + p[1] * 3;
    ck_assert_double_eq_tol(anb_predict(model, &x), mixed, 1e-15);
    ck_assert_double_eq_tol(anb_expert_disagreement(model, &x), sqrt(.5), 1e-15);
    ck_assert_double_eq_tol(anb_train_one(model, &x, 5, 1), mixed, 1e-15);
    AnbMixture m = see(model);
    ck_assert_double_eq_tol(m.error, 5 - mixed, 1e-15);
    ck_assert_double_eq(m.target, 5);
    ck_assert_double_eq_tol(m.disagreement, sqrt(.5), 1e-15);
    anb_free(model);
}
END_TEST

/* Utilization after one sample is a (p' - 0), load a 1{active}, with a = 2/(span + 1). */
START_TEST(utilization_and_load_after_one_sample)
{
    StreamingLearner *model = made(1, "moe(mean, last, linear, top_k=2, utilization_span=9)");
    double x = .5;
    anb_train_one(model, &x, 1, 1);
    AnbMixture m = see(model);
    for (int i = 0; i < 3; i++) {
        ck_assert_double_eq_tol(m.utilization[i], .2 * m.after[i], 1e-15);
        ck_assert_double_eq_tol(m.load[i], i < 2 ? .2 : 0, 1e-15);
        ck_assert_uint_eq(m.trained[i], i < 2);
    }
    anb_free(model);
}
END_TEST

/* Before any update logits are 0, so -5 (1 - 0) for the first expert leaves the other two on top. */
START_TEST(warmup_is_a_penalty_that_fades)
{
    StreamingLearner *model = made(1, "moe(last(warmup=10), mean, linear, top_k=2)");
    double x = 0;
    anb_predict(model, &x);
    AnbMixture m = see(model);
    ck_assert_double_eq(m.progress[0], 0);
    ck_assert_double_eq(m.progress[1], 1);
    ck_assert_uint_eq(m.active[0], 1);
    ck_assert_uint_eq(m.active[1], 2);
    ck_assert_double_eq_tol(m.probability[0], exp(-5) / (2 + exp(-5)), 1e-15);
    anb_free(model);
}
END_TEST

START_TEST(a_frozen_gate_keeps_its_weights)
{
    StreamingLearner *model = made(2, "moe(mean, last, router_lr=0)");
    AnbGateWeights g;
    double w[4];
    feed(model, 1);
    ck_assert_int_eq(anb_gate_weights(model, &g), 0);
    memcpy(w, g.weight, sizeof w);
    feed(model, 100);
    ck_assert_int_eq(anb_gate_weights(model, &g), 0);
    ck_assert_int_eq(memcmp(w, g.weight, sizeof w), 0);
    anb_free(model);
}
END_TEST

START_TEST(the_gate_learns_who_is_right)
{
    StreamingLearner *model = made(1, "moe(mean, linear, last, top_k=2)");
    Stream s = {5, 1};
    double x, p[3];
    for (int i = 0; i < 4000; i++) {
        x = stream_uniform(&s);
        anb_train_one(model, &x, 2 * x, 1);
    }
    x = .9;
    anb_routing_probabilities(model, &x, p);
    ck_assert_double_gt(p[1], p[0]);
    ck_assert_double_gt(p[1], p[2]);
    anb_free(model);
}
END_TEST

START_TEST(dead_experts_are_reset_or_only_counted)
{
    const char *format = "moe(linear, mean, last, linear(rate=0.5), top_k=1, utilization_span=20, "
                         "utilization_threshold=0.3, load_balance_rate=0.5, reset_dead=%s)";
    char expression[256];
    snprintf(expression, sizeof expression, format, "true");
    StreamingLearner *model = made(1, expression);
    feed(model, 2000);
    ck_assert_uint_gt(anb_counters(model)->resets, 0);
    anb_free(model);
    snprintf(expression, sizeof expression, format, "false");
    model = made(1, expression);
    feed(model, 2000);
    ck_assert_uint_eq(anb_counters(model)->resets, 0);
    ck_assert_uint_gt(see(model).n_dead, 0);
    anb_free(model);
}
END_TEST

START_TEST(entropy_and_alignment_stay_in_their_ranges)
{
    StreamingLearner *model = made(2, "moe(mean, last, linear(rate=0.0001))");
    Stream s = {3, 2};
    double x[2];
    for (int i = 0; i < 3000; i++) {
        double y = stream_next(&s, x);
        anb_train_one(model, x, y, 1);
        AnbMixture m = see(model);
        ck_assert(m.gate_entropy >= 0 && m.gate_entropy <= 1);
        ck_assert(m.alignment >= -1 && m.alignment <= 1);
    }
    anb_free(model);
}
END_TEST

/* The prediction accelerates upward for ever: each second difference agrees with the one before. */
START_TEST(alignment_of_a_parabola_tends_to_one)
{
    StreamingLearner *model = made(1, "moe(last, last)");
    double x = 0;
    for (int i = 0; i < 200; i++)
        anb_train_one(model, &x, (double)i * i * i, 1);
    ck_assert_double_gt(see(model).alignment, .99);
    anb_free(model);
}
END_TEST

START_TEST(the_five_numbers)
{
    StreamingLearner *model = made(2, "moe(mean, last, linear(rate=0.0001), load_balance_rate=0.125)");
    AnbMixtureSummary five;
    feed(model, 50);
    AnbMixture m = see(model);
    ck_assert_int_eq(anb_mixture_summary(model, &five), 0);
    ck_assert_double_eq(five.alignment, m.alignment);
    ck_assert_double_eq(five.load_balance_rate, .125);
    ck_assert_double_eq(five.gate_entropy, m.gate_entropy);
    ck_assert_double_eq(five.experts, 3);
    ck_assert_double_eq(five.disagreement, m.disagreement);
    anb_free(model);
}
END_TEST

START_TEST(names_are_given_or_made)
{
    StreamingLearner *model = made(1, "moe(mean, last(name=persistence), mean)");
    ck_assert_str_eq(anb_expert_name(model, 0), "mean_0");
    ck_assert_str_eq(anb_expert_name(model, 1), "persistence");
    ck_assert_str_eq(anb_expert_name(model, 2), "mean_2");
    ck_assert_ptr_null(anb_expert_name(model, 3));
    anb_free(model);
}
END_TEST

START_TEST(a_model_without_a_mixture_says_so)
{
    StreamingLearner *model = made(2, "scale(linear)");
    AnbMixture m;
    double p[2], x[2] = {0};
    ck_assert_int_eq(anb_mixture(model, &m), ANB_E_UNSUPPORTED);
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), ANB_E_UNSUPPORTED);
    ck_assert(isnan(anb_expert_disagreement(model, x)));
    ck_assert_ptr_null(anb_expert_name(model, 0));
    anb_free(model);
}
END_TEST

START_TEST(a_row_that_is_refused_has_no_read_outs)
{
    StreamingLearner *model = made(1, "moe(mean, last)");
    double x = INFINITY, p[2];
    ck_assert_int_eq(anb_routing_probabilities(model, &x, p), ANB_E_INPUT);
    ck_assert(isnan(anb_expert_disagreement(model, &x)));
    anb_free(model);
}
END_TEST

/* Balanced by its load: the sum of the load biases stays where it was, since target and loads sum to the same. */
START_TEST(load_biases_do_not_drift)
{
    StreamingLearner *model = made(2, "moe(mean, last, linear(rate=0.0001), top_k=2)");
    AnbGateWeights g;
    feed(model, 20000);
    ck_assert_int_eq(anb_gate_weights(model, &g), 0);
    double first = g.load_bias[0] + g.load_bias[1] + g.load_bias[2];
    feed(model, 20000);
    double later = g.load_bias[0] + g.load_bias[1] + g.load_bias[2];
    ck_assert_double_eq_tol(first, later, 1e-9);
    ck_assert_double_lt(fabs(later), 6);
    anb_free(model);
}
END_TEST

/* An expert that overflows starts again behind the gate, and the mixture stays finite. */
START_TEST(a_restart_is_counted_and_contained)
{
    StreamingLearner *model = made(2, "moe(linear(rate=0.5, bounded=false, warmup=20), mean)");
    Stream s = {3, 2};
    double x[2];
    for (int i = 0; i < 2000; i++) {
        double y = stream_next(&s, x);
        ck_assert(isfinite(anb_train_one(model, x, y, 1)));
    }
    ck_assert_uint_gt(anb_counters(model)->restarts, 0);
    anb_free(model);
}
END_TEST

/* The inner mixture of two is what that mixture is alone, fed with the same samples. */
START_TEST(a_mixture_inside_another_is_read_by_its_path)
{
    StreamingLearner *model = made(2, "scale(moe(mean, moe(last, linear, top_k=2, name=inner), top_k=2))");
    StreamingLearner *alone = made(2, "scale(moe(last, linear, top_k=2))");
    AnbMixture inner, same, outer, first;
    Stream s = {4, 2};
    double x[2];
    for (int i = 0; i < 200; i++) {
        double y = stream_next(&s, x);
        anb_train_one(model, x, y, 1);
        anb_train_one(alone, x, y, 1);
    }
    ck_assert_int_eq(anb_mixture_at(model, "moe_0/inner", &inner), 0);
    ck_assert_int_eq(anb_mixture(alone, &same), 0);
    ck_assert_uint_eq(inner.samples, 200);
    ck_assert_double_eq(inner.expert[0], same.expert[0]);
    ck_assert_double_eq(inner.expert[1], same.expert[1]);
    ck_assert_int_eq(anb_mixture_at(model, "moe_0", &outer), 0);
    ck_assert_int_eq(anb_mixture(model, &first), 0);
    ck_assert_ptr_eq(outer.expert, first.expert);
    ck_assert_double_eq(outer.expert[1], inner.prediction);
    ck_assert_str_eq(anb_expert_name_at(model, "moe_0/inner", 1), "linear_1");
    ck_assert_ptr_null(anb_expert_name_at(model, "moe_0/inner", 2));
    ck_assert_ptr_null(anb_expert_name_at(model, "moe_0/mean_0", 0));
    ck_assert_int_eq(anb_mixture_at(model, "moe_0/inne", &inner), ANB_E_UNKNOWN);
    ck_assert_int_eq(anb_mixture_at(model, "moe_0/inner/last_0/more", &inner), ANB_E_UNKNOWN);
    ck_assert_int_eq(anb_mixture_at(model, "", &inner), ANB_E_UNSUPPORTED);
    ck_assert_int_eq(anb_mixture_at(model, "moe_0/mean_0", &inner), ANB_E_UNSUPPORTED);
    anb_free(model);
    anb_free(alone);
}
END_TEST

static bool only_the_first(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)self, (void)state, (void)row, (void)scratch;
    gate->active[0] = 0;
    gate->n_active = 1;
    return true;
}

/* A router of the caller's own decides who learns. */
START_TEST(any_router_may_redirect)
{
    AnbRouterType mine = anb_router_boa;
    AnbMoeOptions options = anb_moe_defaults();
    const AnbExpert experts[] = {{.type = &anb_mean}, {.type = &anb_last}};
    const AnbExpert root = {.type = &anb_moe, .options = &options, .children = experts, .n_children = 2};
    Stream s = {4, 2};
    double x[2];
    mine.redirect = only_the_first;
    options.router = (AnbRouterChoice){&mine, NULL};
    StreamingLearner *model = anb_new(2, &root, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    for (int i = 0; i < 50; i++) {
        double y = stream_next(&s, x);
        anb_train_one(model, x, y, 1);
    }
    ck_assert_uint_eq(see(model).trained[0], 50);
    ck_assert_uint_eq(see(model).trained[1], 0);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("moe");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, creation_refuses_by_name);
    tcase_add_test(tests, creation_from_structs_refuses_as_text_does);
    tcase_add_test(tests, a_new_mixture_is_uniform_and_says_0);
    tcase_add_test(tests, probabilities_and_weights_sum_to_one);
    tcase_add_test(tests, prediction_disagreement_and_error_by_hand);
    tcase_add_test(tests, utilization_and_load_after_one_sample);
    tcase_add_test(tests, warmup_is_a_penalty_that_fades);
    tcase_add_test(tests, a_frozen_gate_keeps_its_weights);
    tcase_add_test(tests, the_gate_learns_who_is_right);
    tcase_add_test(tests, dead_experts_are_reset_or_only_counted);
    tcase_add_test(tests, entropy_and_alignment_stay_in_their_ranges);
    tcase_add_test(tests, alignment_of_a_parabola_tends_to_one);
    tcase_add_test(tests, the_five_numbers);
    tcase_add_test(tests, names_are_given_or_made);
    tcase_add_test(tests, a_model_without_a_mixture_says_so);
    tcase_add_test(tests, a_row_that_is_refused_has_no_read_outs);
    tcase_add_test(tests, load_biases_do_not_drift);
    tcase_add_test(tests, a_restart_is_counted_and_contained);
    tcase_add_test(tests, a_mixture_inside_another_is_read_by_its_path);
    tcase_add_test(tests, any_router_may_redirect);
    return suite;
}

CHECK_MAIN(suite)
