/*
 * The contract that every registered type keeps, present and future: one body over the registry, by each type's
 * example, alone and inside a scale, and every router inside a mixture.
 */
#include "carrier.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/host.h>
#include <math.h>
#include "src/host/bytes.h"
#include "src/host/model.h"
#include <stdio.h>
#include <string.h>

enum { D = 6, WARM = 700, AFTER = 1000, TEXT = 600, CASES = 256 };

static char cases[CASES][TEXT];
static int n_cases;

static void add_case(const char *format, const char *example)
{
    if (n_cases == CASES) /* before the tests run: no ck_assert here */
        abort();
    snprintf(cases[n_cases++], TEXT, format, example);
}

static void list_cases(void)
{
    n_cases = 0;
    for (const StreamingLearnerType *const *t = anb_learner_types(); *t; t++) {
        add_case("%s", (*t)->example);
        if (!((*t)->flags & ANB_ROOT_ONLY))
            add_case("scale(%s)", (*t)->example);
    }
    for (const AnbRouterType *const *r = anb_router_types(); *r; r++)
        add_case("scale(moe(linear, rls(warmup=30), mean, linear(normalized=true), router=%s))", (*r)->type.example);
}

static StreamingLearner *make(const char *expression, uint64_t seed)
{
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    options.seed = seed;
    StreamingLearner *model = anb_parse(D, expression, &options, &error);
    ck_assert_msg(model != NULL, "%s: %s", expression, error.message);
    return model;
}

/* A model that has learned the first n samples of the stream. */
static StreamingLearner *trained(const char *expression, Stream *s, int n)
{
    StreamingLearner *model = make(expression, 7);
    double x[D];
    *s = (Stream){12345, D};
    for (int i = 0; i < n; i++) {
        double y = stream_next(s, x);
        anb_train_one(model, x, y, 1);
    }
    return model;
}

static void assert_same_future(StreamingLearner *a, StreamingLearner *b, Stream s, int n, const char *what,
                               const char *expression)
{
    double x[D];
    for (int i = 0; i < n; i++) {
        double y = stream_next(&s, x), fa = anb_train_one(a, x, y, 1), fb = anb_train_one(b, x, y, 1);
        ck_assert_msg(same_bits(fa, fb), "%s: %s differs at sample %d: %.17g, %.17g", expression, what, i, fa, fb);
    }
    ck_assert_msg(anb_equal(a, b), "%s: %s ends unequal", expression, what);
}

static void assert_unchanged(const StreamingLearner *model, const StreamingLearner *before, const char *what,
                             const char *expression)
{
    size_t bytes = anb_state_bytes(model);
    ck_assert_msg(memcmp(anb_block(model), anb_block(before), bytes) == 0, "%s: %s changed the block", expression,
                  what);
}

START_TEST(says_what_predict_said_and_stays_finite)
{
    const char *expression = cases[_i];
    StreamingLearner *model = make(expression, 7);
    Stream s = {99, D};
    double x[D];
    ck_assert_double_eq(anb_predict(model, (double[D]){0}), 0);
    for (int i = 0; i < WARM + AFTER; i++) {
        double y = stream_next(&s, x), said = anb_predict(model, x), f = anb_train_one(model, x, y, 1);
        ck_assert_msg(same_bits(said, f), "%s: sample %d: predict %.17g, train_one %.17g", expression, i, said, f);
        ck_assert_msg(f - f == 0, "%s: sample %d: %g", expression, i, f);
    }
    ck_assert_uint_eq(anb_n_samples_seen(model), WARM + AFTER);
    anb_free(model);
}
END_TEST

START_TEST(predict_and_readers_change_nothing)
{
    const char *expression = cases[_i];
    Stream s;
    StreamingLearner *model = trained(expression, &s, WARM), *copy = anb_clone(model, NULL);
    AnbReader *reader = anb_reader_new(model, NULL);
    double x[D], many[D * 5], out[5];
    for (int i = 0; i < 50; i++) {
        stream_next(&s, x);
        double f = anb_predict(model, x), g = anb_predict_with(copy, reader, x);
        ck_assert_msg(same_bits(f, g), "%s: a reader says %g, not %g", expression, g, f);
        memcpy(many + i % 5 * D, x, sizeof x);
    }
    anb_predict_many(model, many, 5, out);
    ck_assert_double_eq(out[4], anb_predict(model, x));
    assert_unchanged(model, copy, "predict", expression);
    anb_reader_free(reader);
    anb_free(copy);
    anb_free(model);
}
END_TEST

START_TEST(a_clone_goes_the_same_way)
{
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *copy = anb_clone(model, NULL);
    ck_assert(anb_equal(model, copy));
    assert_same_future(model, copy, s, AFTER, "a clone", cases[_i]);
    anb_free(model);
    anb_free(copy);
}
END_TEST

START_TEST(a_clone_in_spare_memory_as_well)
{
    Stream s, other;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *spare = anb_clone(model, NULL), *copy;
    double x[D];
    for (other = s; anb_n_samples_seen(spare) < WARM + 40;) {
        double y = stream_next(&other, x);
        anb_train_one(spare, x, 3 - y, 1);
    }
    ck_assert(!anb_equal(model, spare));
    ck_assert_ptr_eq(copy = anb_clone_reusing(model, spare, NULL), spare);
    ck_assert(anb_equal(model, copy));
    assert_same_future(model, copy, s, AFTER, "a clone in a spare's memory", cases[_i]);
    anb_free(copy);
    spare = anb_parse(D, cases[_i], NULL, NULL); /* of another plan: freed */
    ck_assert_ptr_nonnull(copy = anb_clone_reusing(model, spare, NULL));
    ck_assert(anb_equal(model, copy));
    anb_free(model);
    anb_free(copy);
}
END_TEST

START_TEST(saving_changes_nothing)
{
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *copy = anb_clone(model, NULL);
    size_t size = anb_snapshot_size(model, NULL);
    unsigned char *bytes = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, size, NULL), 0);
    assert_unchanged(model, copy, "saving", cases[_i]);
    free(bytes);
    anb_free(model);
    anb_free(copy);
}
END_TEST

START_TEST(the_visited_fields_are_the_whole_state)
{
    AnbError error = {0};
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *other = make(cases[_i], 7);
    Carrier c = carrier(anb_block(model), anb_block(other));
    anb_visit_subtree(&model->plan->nodes[0], anb_block(model), &c.visitor);
    ck_assert_msg(anb_equal(model, other), "%s: fields carried over leave the models unequal", cases[_i]);
    for (size_t i = 0; i < other->plan->n_nodes; i++) {
        const AnbNode *node = &other->plan->nodes[i];
        ck_assert_msg(node->type->fields || node->state_size == 0, "%s cannot be saved", node->type->name);
        int code = anb_validate_own(node, anb_state_of(other, node), &error);
        ck_assert_msg(code == 0, "%s: %s refuses its own state: %s", cases[_i], node->type->name, error.message);
    }
    assert_same_future(model, other, s, AFTER, "a model made of the fields", cases[_i]);
    anb_free(model);
    anb_free(other);
}
END_TEST

START_TEST(weight_0_changes_nothing)
{
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *copy = anb_clone(model, NULL);
    double x[D], y = stream_next(&s, x), said = anb_predict(model, x), f = anb_train_one(model, x, y, 0);
    ck_assert(same_bits(said, f));
    assert_unchanged(model, copy, "weight 0", cases[_i]);
    ck_assert_uint_eq(anb_n_samples_seen(model), WARM);
    anb_free(model);
    anb_free(copy);
}
END_TEST

START_TEST(weights_are_what_the_type_says)
{
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *twice = anb_clone(model, NULL);
    unsigned flags = model->plan->nodes[0].type->flags;
    double x[D], y = stream_next(&s, x);
    anb_train_one(model, x, y, 2);
    if (flags & ANB_WEIGHT_UNIT) {
        assert_unchanged(model, twice, "a weight of 2", cases[_i]);
        ck_assert_uint_ge(anb_counters(model)->weight_skipped, 1);
    } else if (flags & ANB_WEIGHT_EXACT) {
        anb_train_one(twice, x, y, 1);
        anb_train_one(twice, x, y, 1);
        ck_assert_msg(fabs(anb_predict(model, x) - anb_predict(twice, x)) <= 1e-9 * (1 + fabs(y)),
                      "%s: weight 2 is not two samples", cases[_i]);
    } else
        ck_assert_msg(flags & ANB_WEIGHT_SCALED, "%s: no weight class", cases[_i]);
    ck_assert(isfinite(anb_predict(model, x)));
    anb_free(model);
    anb_free(twice);
}
END_TEST

/* What a model says of the stream whose weights are .5, 1 and 2 in turn, times a factor; into `said`. */
static void say_with_weights(const char *expression, double factor, int n, double *said, double *y)
{
    StreamingLearner *model = make(expression, 7);
    Stream s = {31, D};
    double x[D];
    for (int i = 0; i < n; i++) {
        y[i] = stream_next(&s, x);
        said[i] = anb_train_one(model, x, y[i], factor * (i % 3 == 0 ? .5 : i % 3));
    }
    ck_assert_uint_eq(anb_counters(model)->weight_skipped, 0);
    anb_free(model);
}

/* Root mean square of a - b from sample `from` on. */
static double distance(const double *a, const double *b, int from, int n)
{
    double squares = 0;
    for (int i = from; i < n; i++)
        squares += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(squares / (n - from));
}

/* Whether a learner below holds samples against a prior: there a weight is a number of samples. */
static bool has_prior(const StreamingLearner *model)
{
    bool any = false;
    for (size_t i = 0; i < model->plan->n_nodes; i++) {
        const char *name = model->plan->nodes[i].type->name;
        any |= strcmp(name, "rls") == 0 || strcmp(name, "columns") == 0;
    }
    return any;
}

/* After the first samples a scaled type says the same in every unit of weight. Where an rls or columns are below, their
 * priors count for more samples of small weight: there the errors are compared, with features of one size. */
START_TEST(a_factor_on_all_weights_changes_nothing)
{
    enum { FIRST = 300, N = 1200 };
    static const double factors[] = {0x1p-10, 0x1p10};
    static double y[N], once[N], times[N];
    StreamingLearner *model = make(cases[_i], 7);
    bool scaled = model->plan->nodes[0].type->flags & ANB_WEIGHT_SCALED, prior = has_prior(model);
    anb_free(model);
    if (!scaled || (prior && strncmp(cases[_i], "scale(", 6) != 0))
        return;
    say_with_weights(cases[_i], 1, N, once, y);
    double error = distance(once, y, FIRST, N);
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
        say_with_weights(cases[_i], factors[f], N, times, y);
        double apart = prior ? distance(times, y, FIRST, N) - error : distance(once, times, FIRST, N);
        double most = !prior ? 1e-6 : factors[f] < 1 ? .4 : .02;
        ck_assert_msg(apart <= most * error, "%s: weights times %g: %g apart, of an error of %g", cases[_i], factors[f],
                      apart, error);
    }
}
END_TEST

START_TEST(reset_is_new)
{
    Stream s, start = {4, D};
    StreamingLearner *model = trained(cases[_i], &s, WARM), *new = make(cases[_i], 7);
    anb_reset(model);
    ck_assert_uint_eq(anb_n_samples_seen(model), 0);
    ck_assert_msg(anb_equal(model, new), "%s: reset is not new", cases[_i]);
    assert_same_future(model, new, start, WARM, "a reset model", cases[_i]);
    anb_free(model);
    anb_free(new);
}
END_TEST

START_TEST(the_canonical_expression_makes_the_same_model)
{
    StreamingLearner *model = make(cases[_i], 7), *again = make(anb_expression(model), 7);
    Stream s = {5, D};
    ck_assert_str_eq(anb_expression(model), anb_expression(again));
    assert_same_future(model, again, s, WARM, "the canonical expression's model", cases[_i]);
    anb_free(model);
    anb_free(again);
}
END_TEST

START_TEST(many_is_the_loop)
{
    enum { N = 300 };
    StreamingLearner *loop = make(cases[_i], 7), *many = make(cases[_i], 7);
    Stream s = {6, D};
    static double x[N * D], y[N], a[N], b[N];
    for (int i = 0; i < N; i++)
        y[i] = stream_next(&s, x + i * D);
    for (int i = 0; i < N; i++)
        a[i] = anb_train_one(loop, x + i * D, y[i], 1);
    anb_train_many(many, x, y, NULL, N, b);
    ck_assert_int_eq(memcmp(a, b, sizeof a), 0);
    ck_assert(anb_equal(loop, many));
    anb_free(loop);
    anb_free(many);
}
END_TEST

START_TEST(rejected_samples_leave_every_byte)
{
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *copy = anb_clone(model, NULL);
    double x[D], bad[D], y = stream_next(&s, x);
    memcpy(bad, x, sizeof x);
    bad[D - 1] = -INFINITY;
    ck_assert(isnan(anb_train_one(model, bad, y, 1)));
    ck_assert(isnan(anb_predict(model, bad)));
    ck_assert(isnan(anb_train_one(model, x, NAN, 1)));
    ck_assert(isnan(anb_train_one(model, x, INFINITY, 1)));
    ck_assert(isnan(anb_train_one(model, x, y, -1)));
    ck_assert(isnan(anb_train_one(model, x, y, NAN)));
    ck_assert(isnan(anb_train_one(model, x, y, INFINITY)));
    const AnbCounters *c = anb_counters(model);
    ck_assert_uint_eq(c->rejected_features, 2);
    ck_assert_uint_eq(c->rejected_target, 2);
    ck_assert_uint_eq(c->rejected_weight, 3);
    assert_unchanged(model, copy, "a rejected sample", cases[_i]);
    anb_free(model);
    anb_free(copy);
}
END_TEST

START_TEST(missing_cells_are_taken_or_refused)
{
    Stream s;
    StreamingLearner *model = trained(cases[_i], &s, WARM), *copy = anb_clone(model, NULL);
    double x[D], y = stream_next(&s, x);
    x[1] = x[4] = NAN;
    double f = anb_train_one(model, x, y, 1);
    if (model->plan->takes_missing) {
        ck_assert_msg(isfinite(f) && isfinite(anb_predict(model, x)), "%s", cases[_i]);
        ck_assert_uint_eq(anb_counters(model)->missing_cells, 2);
    } else {
        ck_assert(isnan(f));
        ck_assert_uint_eq(anb_counters(model)->rejected_features, 1);
        assert_unchanged(model, copy, "a refused row", cases[_i]);
    }
    ck_assert(strncmp(cases[_i], "scale(", 6) != 0 || model->plan->takes_missing);
    anb_free(model);
    anb_free(copy);
}
END_TEST

/* Sizes that a careless square or sum would not survive. */
START_TEST(extreme_rows_and_targets_stay_finite)
{
    static const double sizes[] = {1e150, 1e-150, 1e300, 1e-310, 1, 1e12};
    StreamingLearner *model = make(cases[_i], 7);
    Stream s = {8, D};
    double x[D];
    for (int i = 0; i < 600; i++) {
        double y = stream_next(&s, x), size = sizes[i / 20 % 6];
        for (int j = 0; j < D; j++)
            x[j] *= (i + j) % 3 ? 1 : size;
        double f = anb_train_one(model, x, i % 7 ? y : y * (i % 2 ? 1e12 : 1e-12), 1);
        ck_assert_msg(isfinite(f), "%s: sample %d: %g", cases[_i], i, f);
    }
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("contract");
    TCase *tests = case_of(suite, 60);
    list_cases();
    tcase_add_loop_test(tests, says_what_predict_said_and_stays_finite, 0, n_cases);
    tcase_add_loop_test(tests, predict_and_readers_change_nothing, 0, n_cases);
    tcase_add_loop_test(tests, a_clone_goes_the_same_way, 0, n_cases);
    tcase_add_loop_test(tests, a_clone_in_spare_memory_as_well, 0, n_cases);
    tcase_add_loop_test(tests, saving_changes_nothing, 0, n_cases);
    tcase_add_loop_test(tests, the_visited_fields_are_the_whole_state, 0, n_cases);
    tcase_add_loop_test(tests, weight_0_changes_nothing, 0, n_cases);
    tcase_add_loop_test(tests, weights_are_what_the_type_says, 0, n_cases);
    tcase_add_loop_test(tests, a_factor_on_all_weights_changes_nothing, 0, n_cases);
    tcase_add_loop_test(tests, reset_is_new, 0, n_cases);
    tcase_add_loop_test(tests, the_canonical_expression_makes_the_same_model, 0, n_cases);
    tcase_add_loop_test(tests, many_is_the_loop, 0, n_cases);
    tcase_add_loop_test(tests, rejected_samples_leave_every_byte, 0, n_cases);
    tcase_add_loop_test(tests, missing_cells_are_taken_or_refused, 0, n_cases);
    tcase_add_loop_test(tests, extreme_rows_and_targets_stay_finite, 0, n_cases);
    return suite;
}

CHECK_MAIN(suite)
