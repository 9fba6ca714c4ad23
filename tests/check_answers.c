/* Answers that are kept outside the model: what a reader said, of whatever version, is what is scored. */
#include "numbers.h"
#include "suite.h"
#include "zoo.h"
#include <anabranch/answer.h>
#include <anabranch/explain.h>
#include <anabranch/interval.h>
#include <anabranch/pending.h>
#include <anabranch/serve.h>
#include <math.h>

static const char waiting[] = "pending(interval(scale(rls), coverage=[0.8, 0.9]), capacity=400)";
static const char bounded[] = "interval(scale(rls), coverage=[0.8, 0.9])";

/* ---- of a model -------------------------------------------------------------------------------------------------- */

/* An answer that the model itself gave just before changes nothing: both ways to learn leave the same state. */
START_TEST(an_answer_of_now_is_what_the_model_would_say)
{
    static const char *const texts[] = {waiting, bounded, "scale(moe(linear, rls, mean))", "knn(window=50)"};
    StreamingLearner *model = anb_parse(ZOO_FEATURES, texts[_i], NULL, NULL), *other = anb_clone(model, NULL);
    AnbReader *reader = anb_reader_new(model, NULL);
    ZooStream s = zoo_stream(2, _i < 3);
    AnbAnswer answer, after;
    for (int t = 0; t < 300; t++) {
        zoo_next(&s);
        double weight = t % 7 == 3 ? 0 : t % 5 == 2 ? 2 : 1;
        ck_assert_int_eq(anb_answer_with(model, reader, s.x, &answer), 0);
        ck_assert(same_bits(answer.prediction, anb_predict(model, s.x)));
        ck_assert(
            same_bits(anb_train_answered(other, s.x, s.y, weight, &answer), anb_train_one(model, s.x, s.y, weight)));
        ck_assert(anb_equal(model, other));
        ck_assert_uint_eq(anb_n_samples_seen(model), anb_n_samples_seen(other));
        ck_assert_uint_eq(anb_counters(model)->missing_cells, anb_counters(other)->missing_cells);
        if (anb_interval_levels(model, &(const double *){0}) > 0) {
            ck_assert_int_eq(anb_last_answer(other, &after), 0);
            ck_assert_mem_eq(&after, &answer, sizeof answer);
        } else
            ck_assert_int_eq(anb_last_answer(other, &after), ANB_E_UNSUPPORTED);
    }
    anb_reader_free(reader);
    anb_free(other);
    anb_free(model);
}
END_TEST

START_TEST(an_answer_has_its_interval)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, waiting, NULL, NULL);
    AnbReader *reader = anb_reader_new(model, NULL);
    ZooStream s = zoo_stream(3, false);
    AnbAnswer answer;
    double low, high, l, h;
    for (int t = 0; t < 100; t++) {
        zoo_next(&s);
        anb_answer_with(model, reader, s.x, &answer);
        ck_assert_int_eq(anb_answer_interval(model, &answer, .9, &low, &high), 0);
        ck_assert_int_eq(anb_predict_interval(model, s.x, .9, &l, &h), 0);
        ck_assert(same_bits(low, l) && same_bits(high, h));
        anb_train_one(model, s.x, s.y, 1);
    }
    ck_assert(high < HUGE_VAL && low < high);
    ck_assert_int_eq(anb_answer_interval(model, &answer, .5, &low, &high), ANB_E_ARGUMENT);
    anb_reader_free(reader);
    anb_free(model);
}
END_TEST

START_TEST(what_no_model_says_is_refused)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, waiting, NULL, NULL), *before;
    AnbReader *reader = anb_reader_new(model, NULL);
    ZooStream s = zoo_stream(4, false);
    AnbAnswer answer, wrong[4];
    zoo_train(model, &s, 50);
    zoo_next(&s);
    anb_answer_with(model, reader, s.x, &answer);
    for (int i = 0; i < 4; i++)
        wrong[i] = answer;
    wrong[0].prediction = NAN;
    wrong[1].sigma = -1;
    wrong[2].limit[1] = NAN;
    wrong[3].asked[0] = INFINITY;
    before = anb_clone(model, NULL);
    for (int i = 0; i < 4; i++) {
        ck_assert_double_nan(anb_train_answered(model, s.x, s.y, 1, &wrong[i]));
        ck_assert_double_nan(anb_keep_answered(model, 1, s.x, &wrong[i]));
    }
    ck_assert_double_nan(anb_train_answered(model, s.x, NAN, 1, &answer));
    ck_assert_double_nan(anb_train_answered(model, s.x, 1, -1, &answer));
    ck_assert(anb_equal(model, before));
    ck_assert_uint_eq(anb_counters(model)->rejected_target, 1);
    ck_assert_uint_eq(anb_counters(model)->rejected_weight, 1);
    s.x[2] = INFINITY;
    ck_assert_int_eq(anb_answer_with(model, reader, s.x, &answer), ANB_E_INPUT);
    anb_reader_free(reader);
    anb_free(before);
    anb_free(model);
}
END_TEST

/* ---- through a server -------------------------------------------------------------------------------------------- */

/* A level that wanders: what a version said 300 samples ago is far worse than what the learner's copy says. */
typedef struct Wander {
    AnbRandom random;
    double level, x[ZOO_FEATURES], y;
} Wander;

static void wander_next(Wander *w)
{
    for (int j = 0; j < ZOO_FEATURES; j++)
        w->x[j] = anb_random_uniform(&w->random);
    w->level += anb_random_uniform(&w->random) - .5;
    w->y = w->level + w->x[0] + .1 * anb_random_uniform(&w->random);
}

typedef struct Judged {
    size_t asked, held;
} Judged;

/* Predicts every row by a reader and learns it at once, or, `late`, by its label 10 rows later. */
static Judged judge(bool answered, bool late, size_t n)
{
    enum { LATE = 10, APART = 300 };
    StreamingLearner *model = anb_parse(ZOO_FEATURES, late ? waiting : bounded, NULL, NULL);
    AnbServer *server = anb_serve_new(model, APART, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    Wander w = {0};
    Judged judged = {0};
    double targets[LATE];
    anb_random_seed(&w.random, 5);
    for (size_t t = 0; t < n; t++) {
        AnbAnswer answer;
        AnbServeSample sample = anb_serve_sample();
        double low, high, said;
        wander_next(&w);
        anb_serve_answer(reader, w.x, &answer);
        anb_answer_interval(model, &answer, .9, &low, &high);
        judged.asked += t > n / 4;
        judged.held += t > n / 4 && w.y >= low && w.y <= high;
        sample.x = late ? NULL : w.x;
        sample.y = late ? targets[t % LATE] : w.y;
        sample.id = t - LATE;
        sample.answer = answered ? &answer : NULL;
        if (late && answered)
            ck_assert(same_bits(anb_serve_keep(server, t, w.x, &answer), answer.prediction));
        else if (late)
            anb_serve_predict_pending(server, t, w.x);
        if (!late || t >= LATE)
            ck_assert_int_eq(anb_serve_learn(server, &sample, &said), ANB_SEQ_LEARNED);
        if (answered && !late)
            ck_assert(same_bits(said, answer.prediction));
        targets[t % LATE] = w.y;
    }
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_free(model);
    return judged;
}

static double share(Judged judged)
{
    return (double)judged.held / (double)judged.asked;
}

/* What the readers answered holds as often as it says; judged by the learner's own copy it does not. */
START_TEST(intervals_of_readers_are_judged_by_what_they_answered)
{
    bool late = _i == 1;
    double answered = share(judge(true, late, 20000)), own = share(judge(false, late, 20000));
    ck_assert_double_eq_tol(answered, .9, .03);
    ck_assert_double_lt(own, answered - .1);
}
END_TEST

/* The server is a model that is told the readers' answers, and its observers are told them as well. */
typedef struct Told {
    AnbObserver base;
    double sum;
} Told;

static void told(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    (void)model, (void)x;
    ((Told *)self)->sum += fabs(y - before);
}

START_TEST(a_server_learns_answers_as_a_model_does)
{
    enum { APART = 16 };
    static const char *const texts[] = {waiting, "scale(moe(linear, rls, mean))"};
    StreamingLearner *model = anb_parse(ZOO_FEATURES, texts[_i], NULL, NULL), *published = anb_clone(model, NULL);
    AnbReader *own = anb_reader_new(model, NULL);
    AnbServer *server = anb_serve_new(model, APART, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    Told mine = {.base = {told}};
    double sum = 0;
    ZooStream s = zoo_stream(8, false);
    ck_assert_int_eq(anb_serve_attach(server, &mine.base), 0);
    for (int t = 1; t <= 500; t++) {
        AnbAnswer answer, same;
        AnbServeSample sample = anb_serve_sample();
        zoo_next(&s);
        ck_assert_int_eq(anb_serve_answer(reader, s.x, &answer), 0);
        anb_answer_with(published, own, s.x, &same);
        ck_assert_mem_eq(&answer, &same, sizeof same);
        sample.x = s.x;
        sample.y = s.y;
        sample.answer = &answer;
        ck_assert_int_eq(anb_serve_learn(server, &sample, NULL), ANB_SEQ_LEARNED);
        anb_train_answered(model, s.x, s.y, 1, &answer);
        sum += fabs(s.y - answer.prediction);
        ck_assert(anb_equal(model, anb_serve_model(server)));
        if (t % APART == 0) {
            anb_free(published);
            published = anb_clone(model, NULL);
        }
    }
    ck_assert_double_eq_tol(mine.sum, sum, 1e-9 * sum);
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_reader_free(own);
    anb_free(published);
    anb_free(model);
}
END_TEST

/* ---- numbered ---------------------------------------------------------------------------------------------------- */

static AnbServeSample numbered(const ZooStream *s, const char *source, uint64_t n)
{
    AnbServeSample sample = anb_serve_sample();
    sample.x = s->x;
    sample.y = s->y;
    sample.source = source;
    sample.source_bytes = strlen(source);
    sample.number = n;
    return sample;
}

START_TEST(numbered_samples_are_learned_once)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, "scale(rls)", NULL, NULL);
    AnbServer *server = anb_serve_new(model, 7, NULL);
    ZooStream s = zoo_stream(9, false);
    for (uint64_t n = 0; n < 200; n++) {
        const char *name = n % 3 ? "a" : "b";
        double before, same;
        zoo_next(&s);
        AnbServeSample sample = numbered(&s, name, n);
        ck_assert_int_eq(anb_serve_learn(server, &sample, &before), ANB_SEQ_LEARNED);
        int source = anb_source_add(model, name, 1, NULL);
        ck_assert_int_eq(anb_train_seq(model, source, n, s.x, s.y, 1, &same), ANB_SEQ_LEARNED);
        ck_assert(same_bits(before, same));
        ck_assert_int_eq(anb_serve_learn(server, &sample, &before), ANB_SEQ_REPEATED);
        ck_assert_double_nan(before);
        ck_assert(anb_equal(model, anb_serve_model(server)));
    }
    for (int i = 0; i < 2; i++) { /* both copies */
        StreamingLearner *clone = (anb_serve_publish(server), anb_serve_clone(server, NULL));
        ck_assert(anb_equal(model, clone));
        anb_free(clone);
    }
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

START_TEST(a_source_is_added_with_its_first_learned_sample)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, waiting, NULL, NULL);
    AnbServer *server = anb_serve_new(model, 3, NULL);
    ZooStream s = zoo_stream(10, false);
    zoo_next(&s);
    AnbServeSample sample = numbered(&s, "a", 1), late = numbered(&s, "b", 1);
    sample.y = NAN;
    late.x = NULL;
    late.id = 77;
    for (int i = 0; i < 4; i++) { /* over a publication */
        ck_assert_int_eq(anb_serve_learn(server, &sample, NULL), ANB_E_INPUT);
        ck_assert_int_eq(anb_serve_learn(server, &late, NULL), ANB_E_INPUT);
    }
    ck_assert_uint_eq(anb_sources(anb_serve_model(server), NULL), 0);
    anb_serve_predict_pending(server, 77, s.x);
    ck_assert_int_eq(anb_serve_learn(server, &late, NULL), ANB_SEQ_LEARNED);
    ck_assert_int_eq(anb_serve_learn(server, &late, NULL), ANB_SEQ_REPEATED);
    for (int i = 1; i < ANB_SOURCES_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "s%d", i);
        AnbServeSample one = numbered(&s, name, 5);
        ck_assert_int_eq(anb_serve_learn(server, &one, NULL), ANB_SEQ_LEARNED);
    }
    sample.y = 1;
    ck_assert_int_eq(anb_serve_learn(server, &sample, NULL), ANB_E_LIMIT);
    sample.source_bytes = 0;
    ck_assert_int_eq(anb_serve_learn(server, &sample, NULL), ANB_E_ARGUMENT);
    sample.source_bytes = ANB_SOURCE_SIZE;
    ck_assert_int_eq(anb_serve_learn(server, &sample, NULL), ANB_E_ARGUMENT);
    sample.size = 0;
    ck_assert_int_eq(anb_serve_learn(server, &sample, NULL), ANB_E_ARGUMENT);
    ck_assert_uint_eq(anb_sources(anb_serve_model(server), NULL), ANB_SOURCES_MAX);
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

typedef struct Looked {
    const double *x;
    uint64_t samples;
    AnbMixture mixture;
    double p[4];
} Looked;

static int look(const StreamingLearner *model, AnbReader *reader, void *context)
{
    Looked *l = context;
    l->samples = anb_n_samples_seen(model);
    int code = anb_mixture_with(model, reader, l->x, &l->mixture);
    if (!code)
        memcpy(l->p, l->mixture.probability, l->mixture.k * sizeof *l->p);
    return code;
}

START_TEST(a_reader_sees_gate_experts_and_explanations)
{
    StreamingLearner *model =
        anb_parse(ZOO_FEATURES, "scale(moe(linear, rls, mean, last, router=softmax))", NULL, NULL);
    AnbServer *server = anb_serve_new(model, 1, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    AnbExplainer *explainer = anb_explainer_new(model, NULL, NULL);
    AnbExplanation why, same;
    ZooStream s = zoo_stream(11, false);
    double p[4], q[4], f[4], g[4], phi[ZOO_FEATURES];
    for (int t = 0; t < 200; t++) {
        zoo_next(&s);
        anb_serve_train(server, s.x, s.y, 1);
        anb_train_one(model, s.x, s.y, 1);
        anb_explainer_keep(explainer, s.x);
    }
    zoo_next(&s);
    ck_assert_int_eq(anb_serve_routing(reader, s.x, p), anb_routing_probabilities(model, s.x, q));
    ck_assert_int_eq(anb_serve_experts(reader, s.x, f), anb_expert_predictions(model, s.x, g));
    ck_assert_mem_eq(p, q, sizeof p);
    ck_assert_mem_eq(f, g, sizeof f);
    ck_assert(same_bits(anb_serve_disagreement(reader, s.x), anb_expert_disagreement(model, s.x)));
    Looked looked = {.x = s.x};
    ck_assert_int_eq(anb_serve_look(reader, look, &looked), 0);
    ck_assert_uint_eq(looked.samples, 200);
    ck_assert_mem_eq(looked.p, p, sizeof p);
    ck_assert_double_nan(looked.mixture.error);
    ck_assert_int_eq(anb_explain(explainer, model, s.x, &why), 0);
    memcpy(phi, why.phi, sizeof phi);
    ck_assert_int_eq(anb_explain_served(explainer, reader, s.x, &same), 0);
    ck_assert_mem_eq(same.phi, phi, sizeof phi);
    s.x[0] = INFINITY;
    ck_assert_int_eq(anb_serve_routing(reader, s.x, p), ANB_E_INPUT);
    ck_assert_double_nan(anb_serve_disagreement(reader, s.x));
    anb_explainer_free(explainer);
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("answers");
    TCase *tests = case_of(suite, 120);
    tcase_add_loop_test(tests, an_answer_of_now_is_what_the_model_would_say, 0, 4);
    tcase_add_test(tests, an_answer_has_its_interval);
    tcase_add_test(tests, what_no_model_says_is_refused);
    tcase_add_loop_test(tests, intervals_of_readers_are_judged_by_what_they_answered, 0, 2);
    tcase_add_loop_test(tests, a_server_learns_answers_as_a_model_does, 0, 2);
    tcase_add_test(tests, numbered_samples_are_learned_once);
    tcase_add_test(tests, a_source_is_added_with_its_first_learned_sample);
    tcase_add_test(tests, a_reader_sees_gate_experts_and_explanations);
    return suite;
}

CHECK_MAIN(suite)
