/* A server: every prediction is one of a published version, however many threads ask while the model learns. */
#include "numbers.h"
#include "suite.h"
#include "zoo.h"
#include <anabranch/interval.h>
#include <anabranch/quantile.h>
#include <anabranch/pending.h>
#include <anabranch/serve.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { READERS = 8, INTERVAL = 16, PROBES = 4 };

START_TEST(a_server_learns_what_a_model_learns)
{
    StreamingLearner *model = zoo_model((size_t)_i, NULL, NULL);
    AnbServer *server = anb_serve_new(model, INTERVAL, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    StreamingLearner *published = anb_clone(model, NULL);
    ZooStream s = zoo_stream(3, true), behind = s;
    for (size_t t = 1; t <= 700; t++) {
        zoo_next(&s);
        double weight = t % 50 == 0 ? 2 : 1;
        ck_assert(same_bits(anb_train_one(model, s.x, s.y, weight), anb_serve_train(server, s.x, s.y, weight)));
        if (t % INTERVAL == 0)
            for (size_t i = t - INTERVAL + 1; i <= t; i++) {
                zoo_next(&behind);
                anb_train_one(published, behind.x, behind.y, i % 50 == 0 ? 2 : 1);
            }
        double rows[2 * ZOO_FEATURES], said[2];
        memcpy(rows, s.x, sizeof s.x);
        memcpy(rows + ZOO_FEATURES, behind.x, sizeof behind.x);
        anb_serve_predict_many(reader, rows, 2, said);
        ck_assert(same_bits(anb_predict(published, s.x), said[0]));
        ck_assert(same_bits(anb_predict(published, behind.x), said[1]));
        ck_assert(same_bits(anb_predict(published, s.x), anb_serve_predict(reader, s.x)));
        ck_assert_uint_eq(anb_serve_reader_version(reader), t / INTERVAL);
    }
    ck_assert(anb_equal(model, anb_serve_model(server)));
    anb_serve_publish(server);
    ck_assert(same_bits(anb_predict(model, s.x), anb_serve_predict(reader, s.x)));
    ck_assert(anb_equal(model, anb_serve_model(server)));
    ck_assert_mem_eq(anb_counters(model), anb_counters(anb_serve_model(server)), 2 * sizeof(uint64_t));
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_free(published);
    anb_free(model);
}
END_TEST

typedef struct Told {
    AnbObserver base;
    uint64_t n;
    double sum;
} Told;

static void told(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    Told *t = (Told *)self;
    ck_assert(model && x);
    t->n++;
    t->sum += y - before;
}

/* Once a sample, although the server learns each on both copies. */
START_TEST(a_server_tells_its_observers_of_each_sample_once)
{
    StreamingLearner *model = zoo_model(0, NULL, NULL), *alone = anb_clone(model, NULL);
    AnbServer *server = anb_serve_new(model, INTERVAL, NULL);
    Told mine = {.base = {told}};
    double sum = 0;
    ZooStream s = zoo_stream(3, true);
    for (int i = 0; i < ANB_SERVE_OBSERVERS_MAX; i++)
        ck_assert_int_eq(anb_serve_attach(server, &mine.base), 0);
    ck_assert_int_eq(anb_serve_attach(server, &mine.base), ANB_E_LIMIT);
    for (int t = 0; t < 5 * INTERVAL; t++) {
        zoo_next(&s);
        anb_serve_train(server, s.x, s.y, 1);
        sum += s.y - anb_train_one(alone, s.x, s.y, 1);
    }
    ck_assert_uint_eq(mine.n, 5 * INTERVAL * ANB_SERVE_OBSERVERS_MAX);
    ck_assert_double_eq_tol(mine.sum, sum * ANB_SERVE_OBSERVERS_MAX, 1e-9 * fabs(sum));
    anb_serve_free(server);
    anb_free(alone);
    anb_free(model);
}
END_TEST

/* ---- many threads ------------------------------------------------------------------------------------------------ */

/* What every version says of every probe, known before the threads start. */
typedef struct Stress {
    AnbServer *server;
    size_t versions;
    double probe[PROBES][ZOO_FEATURES];
    double *expected; /* [version][probe] */
    atomic_bool over;
    atomic_size_t wrong, asked, seen_late;
} Stress;

static void *ask(void *context)
{
    Stress *s = context;
    AnbServeReader *reader = anb_serve_reader_new(s->server, NULL);
    uint64_t last = 0;
    for (size_t n = 0; !atomic_load(&s->over) || n < 10; n++) {
        double f = anb_serve_predict(reader, s->probe[n % PROBES]);
        uint64_t version = anb_serve_reader_version(reader);
        if (version < last || version >= s->versions || !same_bits(f, s->expected[version * PROBES + n % PROBES]))
            atomic_fetch_add(&s->wrong, 1);
        last = version;
        atomic_fetch_add(&s->asked, 1);
        if (n % 8 == 7)
            sched_yield();
        if (n % 1000 == 999) { /* readers come and go */
            anb_serve_reader_free(reader);
            reader = anb_serve_reader_new(s->server, NULL);
        }
    }
    atomic_fetch_add(&s->seen_late, last);
    anb_serve_reader_free(reader);
    return NULL;
}

static void foresee(Stress *s, const StreamingLearner *model)
{
    StreamingLearner *ahead = anb_clone(model, NULL);
    ZooStream stream = zoo_stream(5, false);
    for (size_t v = 0; v < s->versions; v++) {
        for (size_t p = 0; p < PROBES; p++)
            s->expected[v * PROBES + p] = anb_predict(ahead, s->probe[p]);
        zoo_train(ahead, &stream, INTERVAL);
    }
    anb_free(ahead);
}

static void stress(const char *expression, size_t versions)
{
    Stress s = {.versions = versions, .expected = malloc(versions * PROBES * sizeof(double))};
    StreamingLearner *model = anb_parse(ZOO_FEATURES, expression, NULL, NULL);
    ZooStream stream = zoo_stream(4, false);
    pthread_t threads[READERS];
    for (size_t p = 0; p < PROBES; p++) {
        zoo_next(&stream);
        memcpy(s.probe[p], stream.x, sizeof stream.x);
    }
    foresee(&s, model);
    s.server = anb_serve_new(model, INTERVAL, NULL);
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &s), 0);
    stream = zoo_stream(5, false);
    for (size_t t = 0; t < (versions - 1) * INTERVAL; t++) {
        zoo_next(&stream);
        anb_serve_train(s.server, stream.x, stream.y, 1);
        for (size_t before = atomic_load(&s.asked); t % INTERVAL == 3 && atomic_load(&s.asked) == before;)
            sched_yield(); /* somebody asks in every version, also on one processor */
    }
    atomic_store(&s.over, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(atomic_load(&s.wrong), 0);
    ck_assert_uint_gt(atomic_load(&s.asked), 10 * READERS);
    ck_assert_uint_gt(atomic_load(&s.seen_late), 0);
    anb_serve_free(s.server);
    anb_free(model);
    free(s.expected);
}

START_TEST(eight_readers_see_whole_versions_only)
{
    static const char *const expressions[] = {"scale(moe(linear, rls, mean, last))", "rls",
                                              "scale(moe(rls, mean, last, router=blend))"};
    const char *longer = getenv("ANB_LONG");
    stress(expressions[_i], longer ? 20000 : 1000);
}
END_TEST

START_TEST(every_type_is_read_without_being_written)
{
    char text[ZOO_TEXT];
    stress(zoo_expression((size_t)_i, text), 60);
}
END_TEST

/* Rows that wait, labels and samples mixed, against a model that has the same without a server; the reader's intervals
 * are those of the published version. */
START_TEST(intervals_and_delayed_labels_are_served)
{
    static const char text[] = "pending(interval(scale(rls), coverage=[0.8, 0.95]), capacity=40)";
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    AnbServer *server = anb_serve_new(model, INTERVAL, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    ZooStream s = zoo_stream(7, false);
    double targets[600], low[2], high[2];
    size_t finite = 0;
    for (uint64_t t = 0; t < 600; t++) {
        zoo_next(&s);
        targets[t] = s.y;
        ck_assert(same_bits(anb_predict_pending(model, t, s.x), anb_serve_predict_pending(server, t, s.x)));
        if (t % 3 == 0)
            ck_assert(same_bits(anb_train_one(model, s.x, s.y, 1), anb_serve_train(server, s.x, s.y, 1)));
        if (t >= 25)
            ck_assert(same_bits(anb_learn_label(model, t - 25, targets[t - 25], 2),
                                anb_serve_learn_label(server, t - 25, targets[t - 25], 2)));
        ck_assert(anb_equal(model, anb_serve_model(server)));
        anb_serve_publish(server);
        for (int i = 0; i < 2; i++) {
            double coverage = i ? .95 : .8, l, h;
            ck_assert_int_eq(anb_serve_predict_interval(reader, s.x, coverage, &low[i], &high[i]), 0);
            ck_assert_int_eq(anb_predict_interval(model, s.x, coverage, &l, &h), 0);
            ck_assert(same_bits(l, low[i]) && same_bits(h, high[i]));
        }
        finite += high[1] < HUGE_VAL && low[1] < low[0] && high[0] < high[1];
    }
    ck_assert_uint_gt(finite, 400);
    ck_assert(anb_serve_learn_label(server, 12345, 1, 1) != anb_serve_learn_label(server, 12345, 1, 1)); /* ANB_NAN */
    ck_assert_int_eq(anb_serve_predict_interval(reader, s.x, .5, &low[0], &high[0]), ANB_E_ARGUMENT);
    ck_assert_uint_eq(anb_n_pending(anb_serve_model(server)), 25);
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

START_TEST(quantiles_are_those_of_the_published_version)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, "quantile(scale(rls), levels=[0.1, 0.5, 0.9])", NULL, NULL);
    AnbServer *server = anb_serve_new(model, 1 << 20, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    ZooStream s = zoo_stream(8, false);
    double old[3], served[3], now[3];
    for (int t = 0; t < 400; t++) {
        zoo_next(&s);
        anb_serve_train(server, s.x, s.y, 1);
    }
    anb_serve_publish(server);
    ck_assert_int_eq(anb_predict_quantiles(model, s.x, old), 0);
    AnbReader *plain = anb_reader_new(anb_serve_model(server), NULL);
    ck_assert_int_eq(anb_predict_quantiles_with(anb_serve_model(server), plain, s.x, now), 0);
    anb_reader_free(plain);
    ck_assert_int_eq(anb_serve_predict_quantiles(reader, s.x, served), 0);
    ck_assert_mem_eq(served, now, sizeof now);
    ck_assert_mem_ne(served, old, sizeof old);
    s.x[0] = INFINITY;
    ck_assert_int_eq(anb_serve_predict_quantiles(reader, s.x, served), ANB_E_INPUT);
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

START_TEST(a_server_refuses_what_it_cannot)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(2, "mean", NULL, NULL);
    ck_assert_ptr_null(anb_serve_new(model, 0, &error));
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    ck_assert_ptr_null(anb_serve_new(model, (size_t)ANB_SERVE_INTERVAL_MAX + 1, &error));
    anb_serve_free(NULL);
    anb_serve_reader_free(NULL);
    anb_free(model);
}
END_TEST

START_TEST(a_refused_row_is_counted_by_its_reader)
{
    StreamingLearner *model = anb_parse(2, "linear", NULL, NULL);
    AnbServer *server = anb_serve_new(model, 1, NULL);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    double x[] = {1, INFINITY};
    ck_assert_double_nan(anb_serve_predict(reader, x));
    ck_assert_double_nan(anb_serve_train(server, x, 1, 1));
    ck_assert_uint_eq(anb_serve_reader_counters(reader)->rejected_features, 1);
    ck_assert_uint_eq(anb_counters(anb_serve_model(server))->rejected_features, 1);
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("serve");
    TCase *tests = case_of(suite, 240);
    int animals = (int)zoo_count();
    tcase_add_loop_test(tests, a_server_learns_what_a_model_learns, 0, animals);
    tcase_add_test(tests, a_server_tells_its_observers_of_each_sample_once);
    tcase_add_loop_test(tests, eight_readers_see_whole_versions_only, 0, 3);
    tcase_add_loop_test(tests, every_type_is_read_without_being_written, 0, animals);
    tcase_add_test(tests, intervals_and_delayed_labels_are_served);
    tcase_add_test(tests, quantiles_are_those_of_the_published_version);
    tcase_add_test(tests, a_server_refuses_what_it_cannot);
    tcase_add_test(tests, a_refused_row_is_counted_by_its_reader);
    return suite;
}

CHECK_MAIN(suite)
