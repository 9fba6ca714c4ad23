/*
 * The rule audit: its language, its logic, its alarms. The formulas over 5,000 steps are checked by audit_oracle.py.
 */
#include "made.h"
#include "numbers.h"
#include "src/numeric/random.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 3 };

static StreamingLearner *model_of(void)
{
    return anb_parse(D, "moe(linear(rate=0.02), linear(rate=0.005), mean, last, top_k=2)", NULL, NULL);
}

static void feed(StreamingLearner *model, AnbDiagnostics *d, AnbAudit *audit, int n)
{
    uint64_t seed = 11;
    for (int t = 0; t < n; t++) {
        double x[D] = {noise(&seed), noise(&seed), noise(&seed)}, y = 3 * x[0] - x[1] + 0.1 * noise(&seed);
        double f = anb_train_one(model, x, y, 1);
        if (d)
            anb_observe(anb_diagnostics_observer(d), model, x, y, f);
        anb_observe(anb_audit_observer(audit), model, x, y, f);
    }
}

/* ---- the language ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    int code;
    size_t position;
} wrong[] = {
    {"a", ANB_E_SYNTAX, 1},
    {"a = ", ANB_E_SYNTAX, 4},
    {"a = rmp(confidence, 1)", ANB_E_SYNTAX, 4},
    {"a = ramp(confidense, 1)", ANB_E_UNKNOWN, 9},
    {"a = ramp(confidence 1)", ANB_E_SYNTAX, 20},
    {"a = ramp(confidence, x)", ANB_E_SYNTAX, 21},
    {"a = ramp(confidence, 1, steep=2)", ANB_E_SYNTAX, 24},
    {"a = ramp(confidence, 1e999)", ANB_E_SYNTAX, 21},
    {"a = ramp(1 * confidence, 1)", ANB_E_SYNTAX, 11},
    {"a = ramp(rmse, 1)", ANB_E_UNSUPPORTED, 9},
    {"0 :: stable_loss", ANB_E_ARGUMENT, 0},
    {"1.5 :: stable_loss", ANB_E_ARGUMENT, 0},
    {"r = -1 :: stable_loss", ANB_E_ARGUMENT, 4},
    {"1 : stable_loss", ANB_E_SYNTAX, 2},
    {"1 :: stable_lost", ANB_E_UNKNOWN, 5},
    {"1 :: stable_loss &", ANB_E_SYNTAX, 18},
    {"1 :: (stable_loss", ANB_E_SYNTAX, 17},
    {"1 :: stable_loss)", ANB_E_SYNTAX, 16},
    {"1 :: stable_loss stable_loss", ANB_E_SYNTAX, 17},
    {"1 :: ~", ANB_E_SYNTAX, 6},
    {"1 :: stable_loss - stable_loss", ANB_E_SYNTAX, 17},
    {"r = 1 :: stable_loss\nr = 1 :: stable_loss", ANB_E_SYNTAX, 21},
};

START_TEST(parse_errors)
{
    StreamingLearner *model = model_of();
    AnbError error = {0};
    ck_assert_ptr_null(anb_audit_new(model, NULL, wrong[_i].text, NULL, &error));
    ck_assert_msg(error.code == wrong[_i].code, "%s: %d, %s", wrong[_i].text, error.code, error.message);
    ck_assert_msg(error.position == wrong[_i].position, "%s: byte %zu, %s", wrong[_i].text, error.position,
                  error.message);
    ck_assert(error.code != ANB_E_UNKNOWN || strstr(error.message, "'confidense'") ||
              strstr(error.message, "'stable_lost'"));
    anb_free(model);
}
END_TEST

START_TEST(metrics_of_experts)
{
    StreamingLearner *model = model_of();
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    AnbError error;
    const char *bad[] = {"a = ramp(expert_load, 1)", "a = ramp(expert_load[4], 1)",  "a = ramp(expert_load[1.5], 1)",
                         "a = ramp(rmse[0], 1)",     "a = ramp(coactivation[0], 1)", "a = ramp(expert_load[0, 1)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_ptr_null(anb_audit_new(model, d, bad[i], NULL, &error));
        ck_assert_uint_ge(error.position, 9);
    }
    AnbAudit *audit = anb_audit_new(model, d,
                                    "low = ramp(gate_margin, 0.2, slope=-12); busy = ramp(1 - expert_load[3], 0.5)\n"
                                    "# nothing\n0.5 :: low | busy",
                                    NULL, &error);
    ck_assert_msg(audit != NULL, "%s", error.message);
    ck_assert_str_eq(anb_audit_rule_name(audit, 0), "rule_0");
    feed(model, d, audit, 320);
    double margin = anb_diagnostics_value(d, ANB_METRIC_GATE_MARGIN);
    double load = anb_diagnostics_values(d, ANB_METRIC_EXPERT_LOAD, NULL)[3];
    AnbTruth low = anb_audit_predicate(audit, "low"), busy = anb_audit_predicate(audit, "busy");
    ck_assert_double_eq_tol(low.upper, 1 / (1 + exp(12 * (margin - 0.25))), 1e-12);
    ck_assert_double_eq_tol(low.lower, 1 / (1 + exp(12 * (margin - 0.15))), 1e-12);
    ck_assert_double_eq_tol(busy.lower, 1 / (1 + exp(-12 * (1 - load - 0.55))), 1e-12);
    ck_assert_double_eq_tol(anb_audit_severity(audit, 0),
                            0.5 * (fmin(1, low.lower + busy.lower) + fmin(1, low.upper + busy.upper)) / 2, 1e-12);
    anb_audit_free(audit);
    anb_diagnostics_free(d);
    anb_free(model);
}
END_TEST

/* A predicate of known truth: 0.05 away from its offset the ramp is at one half. */
static AnbTruth truth_of(const char *formula)
{
    StreamingLearner *model = model_of();
    char text[600] =
        "a = ramp(0.3 + loss_falling, 0)\nb = ramp(0.1 + loss_falling, 0)\nc = ramp(loss_falling, 0.2)\n1 :: ";
    AnbAuditOptions options = anb_audit_defaults();
    AnbError error;
    options.period = 1;
    strcat(text, formula);
    AnbAudit *audit = anb_audit_new(model, NULL, text, &options, &error);
    ck_assert_msg(audit != NULL, "%s", error.message);
    feed(model, NULL, audit, 1);
    AnbTruth truth = anb_audit_truth(audit, 0);
    anb_audit_free(audit);
    anb_free(model);
    return truth;
}

static double s(double v)
{
    return 1 / (1 + exp(-12 * v));
}

static void is(const char *formula, double lower, double upper)
{
    AnbTruth t = truth_of(formula);
    lower = fmin(1, fmax(0, lower)), upper = fmin(1, fmax(0, upper));
    ck_assert_msg(fabs(t.lower - lower) < 1e-14 && fabs(t.upper - upper) < 1e-14,
                  "%s: [%.17g, %.17g], not [%.17g, %.17g]", formula, t.lower, t.upper, lower, upper);
}

START_TEST(logic)
{
    double al = s(.25), au = s(.35), bl = s(.05), bu = s(.15), cl = s(-.25), cu = s(-.15);
    is("a", al, au);
    is("~a", 1 - au, 1 - al);
    is("~~a", al, au);
    is("a & b", al + bl - 1, au + bu - 1);
    is("a | c", al + cl, au + cu);
    is("c -> b", (1 - cu) + bl, (1 - cl) + bu);
    is("~a & b | c", fmax(0, 1 - au + bl - 1) + cl, fmax(0, 1 - al + bu - 1) + cu);
    is("~(a & b)", 1 - (au + bu - 1), 1 - (al + bl - 1));
    is("a -> b -> c", (1 - au) + fmin(1, (1 - bu) + cl), (1 - al) + fmin(1, (1 - bl) + cu));
    is("(a -> b) -> c", 1 - fmin(1, (1 - al) + bu) + cl, 1 - fmin(1, (1 - au) + bl) + cu);
    is("a | b & c", al + fmax(0, bl + cl - 1), au + fmax(0, bu + cu - 1));
}
END_TEST

/* A sample that the model was off by so much. */
static void off_by(AnbAudit *audit, StreamingLearner *model, double error)
{
    double x[D] = {0};
    anb_train_one(model, x, 0, 1);
    anb_observe(anb_audit_observer(audit), model, x, error, 0);
}

/* ---- steps, history, alarms -------------------------------------------------------------------------------------- */

typedef struct Alarms {
    int raised, cleared;
} Alarms;

static void count_alarm(void *context, const AnbAudit *audit, size_t rule, bool raised)
{
    Alarms *alarms = context;
    ck_assert_uint_eq(rule, 0);
    ck_assert(raised == anb_audit_alarmed(audit, rule));
    raised ? alarms->raised++ : alarms->cleared++;
}

START_TEST(alarm)
{
    StreamingLearner *model = model_of();
    Alarms alarms = {0};
    AnbAuditOptions options = anb_audit_defaults();
    options.period = 1;
    options.alarm_level = 0.9;
    options.alarm_steps = 4;
    options.alarm = count_alarm;
    options.context = &alarms;
    AnbAudit *audit = anb_audit_new(model, NULL, "high = ramp(loss, 5, slope=100)\n1 :: high", &options, NULL);
    for (int t = 0; t < 3; t++)
        off_by(audit, model, 10);
    ck_assert_int_eq(alarms.raised, 0);
    off_by(audit, model, 1);
    for (int t = 0; t < 10; t++)
        off_by(audit, model, 10);
    ck_assert_int_eq(alarms.raised, 1);
    ck_assert_int_eq(alarms.cleared, 0);
    off_by(audit, model, 1);
    ck_assert_int_eq(alarms.cleared, 1);
    ck_assert(!anb_audit_alarmed(audit, 0));
    anb_audit_free(audit);
    anb_free(model);
}
END_TEST

/* ---- the default rules ------------------------------------------------------------------------------------------- */

/* Friedman's function of the first five features of eight, as streams come that nothing is wrong with. */
static double clean_row(AnbRandom *random, double *x)
{
    for (int j = 0; j < 8; j++)
        x[j] = anb_random_uniform(random);
    return 10 * sin(3.14159265 * x[0] * x[1]) + 20 * (x[2] - .5) * (x[2] - .5) + 10 * x[3] + 5 * x[4] +
           anb_random_normal(random);
}

static void note_alarm(void *context, const AnbAudit *audit, size_t rule, bool raised)
{
    snprintf(context, 100, "%s", raised ? anb_audit_rule_name(audit, rule) : "");
}

/* Feeds samples; the name of the last rule whose alarm was raised and not cleared, or an empty text. Stops at one. */
static const char *alarmed_by(const char *expression, const char *rules, int n, uint64_t seed, char *name)
{
    AnbAuditOptions options = anb_audit_defaults();
    AnbRandom random;
    StreamingLearner *model = made(8, expression);
    options.alarm = note_alarm;
    options.context = name;
    *name = 0;
    AnbAudit *audit = anb_audit_new(model, NULL, rules, &options, NULL);
    anb_random_seed(&random, seed);
    for (int t = 0; t < n && !*name; t++) {
        double x[8], y = clean_row(&random, x);
        anb_observe(anb_audit_observer(audit), model, x, y, anb_train_one(model, x, y, 1));
    }
    anb_audit_free(audit);
    anb_free(model);
    return name;
}

START_TEST(clean_streams_raise_no_alarm)
{
    static const char *const expressions[] = {
        "scale(moe(linear, rls, mean, last))",
        "scale(moe(linear, linear(rate=0.02), linear(rate=0.05), rls, top_k=2))",
        "scale(moe(rls, rls(lambda=0.99), tree, mean, last, linear, poly(rls), knn(window=200), router=boa))",
        "scale(moe(rls, tree, mean, router=softmax))",
        "scale(moe(rls, tree, mean, poly(rls), router=stack))",
        "scale(moe(rls, tree, mean, poly(rls), router=blend))",
        "auto(budget=5)"};
    char name[100];
    for (uint64_t seed = 1; seed <= 3; seed++)
        ck_assert_msg(!*alarmed_by(expressions[_i], NULL, 6000, seed, name), "%s: %s", expressions[_i], name);
    if (_i == 6) /* where every rule that holds raises one, good states do */
        ck_assert_str_eq(alarmed_by(expressions[_i],
                                    "load_imbalance = 1 :: high_expert_imbalance & increasing_weight_magnitude", 6000,
                                    1, name),
                         "load_imbalance");
}
END_TEST

/* Experts that nobody asks, behind a gate that still grows; and a gate that has learned nothing of experts
 * that differ. */
START_TEST(bad_states_raise_alarms)
{
    char name[100];
    ck_assert_str_eq(alarmed_by("scale(moe(rls, mean, mean, mean, top_k=1, router_lr=0.03, load_balance_rate=0))", NULL,
                                6000, 1, name),
                     "load_imbalance");
    ck_assert_str_eq(
        alarmed_by("scale(moe(rls, mean, mean, mean, mean, mean, mean, mean, last, last, last, last, last, last, "
                   "last, last, top_k=16, router_lr=0))",
                   NULL, 6000, 1, name),
        "underutilized_experts");
}
END_TEST

START_TEST(alarms_of_a_caller_s_rules)
{
    StreamingLearner *model = model_of();
    AnbAuditOptions o = anb_audit_defaults();
    const char *text = "high = ramp(loss, 5, slope=100); low = ramp(loss, -5, slope=100)\n"
                       "a = 1 :: low; b = 1 :: low ! high; c = 1 :: low ! never; d = 1 :: low ! ~high & low";
    o.period = 1;
    o.alarm_steps = 2;
    AnbAudit *audit = anb_audit_new(model, NULL, text, &o, NULL);
    ck_assert_ptr_nonnull(audit);
    for (int t = 0; t < 3; t++)
        off_by(audit, model, 1);
    ck_assert(anb_audit_alarmed(audit, 0) && !anb_audit_alarmed(audit, 1));
    ck_assert(!anb_audit_alarmed(audit, 2) && anb_audit_alarmed(audit, 3));
    for (int t = 0; t < 3; t++)
        off_by(audit, model, 10);
    ck_assert(anb_audit_alarmed(audit, 0) && anb_audit_alarmed(audit, 1));
    ck_assert(!anb_audit_alarmed(audit, 2) && !anb_audit_alarmed(audit, 3));
    anb_audit_free(audit);
    AnbError error;
    ck_assert_ptr_null(anb_audit_new(model, NULL, "1 :: stable_loss ! nothing", NULL, &error));
    ck_assert_uint_eq(error.position, 19);
    ck_assert_ptr_null(anb_audit_new(model, NULL, "1 :: stable_loss !", NULL, &error));
    anb_free(model);
}
END_TEST

START_TEST(history)
{
    StreamingLearner *model = model_of();
    AnbAuditOptions options = anb_audit_defaults();
    options.period = 4;
    options.history = 8;
    AnbAudit *audit = anb_audit_new(model, NULL, NULL, &options, NULL);
    ck_assert_uint_eq(anb_audit_n_rules(audit), 6);
    ck_assert_double_eq(anb_audit_truth(audit, 0).upper, 1);
    ck_assert_double_eq(anb_audit_severity(audit, 0), 0);
    double bad[D] = {INFINITY, 0, 0};
    anb_observe(anb_audit_observer(audit), model, bad, 1, anb_train_one(model, bad, 1, 1));
    feed(model, NULL, audit, 4 * 11 + 3);
    ck_assert_uint_eq(anb_audit_steps(audit), 11);
    ck_assert_uint_eq(anb_audit_history(audit), 8);
    for (size_t back = 0; back < 8; back++) {
        AnbAuditStep step = anb_audit_step(audit, back);
        ck_assert_uint_eq(step.samples, 4 * (11 - back));
        for (size_t i = 0; i < 6; i++) {
            ck_assert_double_ge(step.rule[i].lower, 0);
            ck_assert_double_le(step.rule[i].lower, step.rule[i].upper);
            ck_assert_double_le(step.rule[i].upper, 1);
        }
    }
    AnbTruth newest = anb_audit_truth(audit, 2);
    ck_assert_double_eq(anb_audit_severity(audit, 2), 0.8 * (newest.lower + newest.upper) / 2);
    anb_audit_reset(audit);
    ck_assert_uint_eq(anb_audit_history(audit), 0);
    anb_audit_free(audit);
    anb_free(model);
}
END_TEST

START_TEST(options)
{
    StreamingLearner *model = model_of(), *plain = anb_parse(1, "mean", NULL, NULL);
    AnbAuditOptions o = anb_audit_defaults();
    AnbError error;
    o.period = 0;
    ck_assert_ptr_null(anb_audit_new(model, NULL, NULL, &o, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "period"));
    o = anb_audit_defaults();
    o.window = 1;
    ck_assert_ptr_null(anb_audit_new(model, NULL, NULL, &o, &error));
    o = anb_audit_defaults();
    o.alarm_level = NAN;
    ck_assert_ptr_null(anb_audit_new(model, NULL, NULL, &o, &error));
    ck_assert_ptr_null(anb_audit_new(plain, NULL, NULL, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_UNSUPPORTED);
    AnbAudit *full = anb_audit_new(model, NULL, anb_audit_rules(), NULL, &error);
    ck_assert_msg(full != NULL, "%s", error.message);
    ck_assert_uint_eq(anb_audit_n_rules(full), 6);
    ck_assert_str_eq(anb_audit_rule_name(full, 5), "healthy_specialization");
    anb_audit_free(full);
    AnbAudit *anew = anb_audit_new(model, NULL, "high_routing_confidence = ramp(confidence, 0.6)", NULL, &error);
    ck_assert_uint_eq(anb_audit_n_rules(anew), 6);
    feed(model, NULL, anew, 32);
    double confidence = anb_audit_step(anew, 0).metric[ANB_AUDIT_CONFIDENCE];
    ck_assert_double_eq_tol(anb_audit_predicate(anew, "high_routing_confidence").lower, s(confidence - 0.65), 1e-12);
    anb_audit_free(anew);
    anb_audit_free(NULL);
    anb_free(model);
    anb_free(plain);
}
END_TEST

static Suite *audit_suite(void)
{
    Suite *suite = suite_create("audit");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, parse_errors, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tests, metrics_of_experts);
    tcase_add_test(tests, logic);
    tcase_add_test(tests, alarm);
    tcase_add_loop_test(tests, clean_streams_raise_no_alarm, 0, 7);
    tcase_add_test(tests, bad_states_raise_alarms);
    tcase_add_test(tests, alarms_of_a_caller_s_rules);
    tcase_add_test(tests, history);
    tcase_add_test(tests, options);
    return suite;
}

CHECK_MAIN(audit_suite)
