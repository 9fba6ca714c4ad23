/* A server among threads and processes: publication by time, fork, saving beside learning, and nobody spins. */
#define _GNU_SOURCE
#include "numbers.h"
#include "suite.h"
#include "zoo.h"
#include <anabranch/serve.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Both forms of sleeping until a word changes. */
#include "src/host/serve.h"
#include "src/host/word_wait.h"
#define ANB_PORTABLE_WAIT
void portable_wait(atomic_uint *word, unsigned seen);
void portable_wake(atomic_uint *word);
#define anb_word_wait portable_wait
#define anb_word_wake portable_wake
#include "src/host/word_wait.c"
#undef anb_word_wait
#undef anb_word_wake

enum { INTERVAL = 16 };
static const char text[] = "scale(moe(linear, rls, mean, last))";

static bool longer(void)
{
    return getenv("ANB_LONG") != NULL;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* ---- sleeping until a word changes ------------------------------------------------------------------------------- */

typedef struct Form {
    void (*wait)(atomic_uint *word, unsigned seen);
    void (*wake)(atomic_uint *word);
    atomic_uint word;
} Form;

enum { THROWS = 5000 };

static void *throw_back(void *context)
{
    Form *f = context;
    for (unsigned i = 0; i < THROWS; i++) {
        f->wait(&f->word, 2 * i);
        atomic_store(&f->word, 2 * i + 2);
        f->wake(&f->word);
    }
    return NULL;
}

START_TEST(no_change_of_a_word_is_missed)
{
    Form form = _i ? (Form){portable_wait, portable_wake, 0} : (Form){anb_word_wait, anb_word_wake, 0};
    pthread_t other;
    ck_assert_int_eq(pthread_create(&other, NULL, throw_back, &form), 0);
    for (unsigned i = 0; i < THROWS; i++) {
        atomic_store(&form.word, 2 * i + 1);
        form.wake(&form.word);
        form.wait(&form.word, 2 * i + 1);
    }
    pthread_join(other, NULL);
    ck_assert_uint_eq(atomic_load(&form.word), 2 * THROWS);
}
END_TEST

typedef struct Slow {
    AnbServer *server;
    atomic_bool inside, over;
} Slow;

static int stay(const StreamingLearner *model, AnbReader *reader, void *context)
{
    Slow *s = context;
    (void)model, (void)reader;
    atomic_store(&s->inside, true);
    pause_ms(300);
    return 0;
}

static void *look_slowly(void *context)
{
    Slow *s = context;
    AnbServeReader *reader = anb_serve_reader_new(s->server, NULL);
    anb_serve_look(reader, stay, s);
    atomic_store(&s->over, true);
    anb_serve_reader_free(reader);
    return NULL;
}

/* Processor time of this thread, in seconds. */
static double busy(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The publisher waits for the reader, and uses no processor for it. */
START_TEST(a_publication_sleeps_until_readers_leave)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    Slow slow = {.server = anb_serve_new(model, INTERVAL, NULL)};
    pthread_t reader;
    ck_assert_int_eq(pthread_create(&reader, NULL, look_slowly, &slow), 0);
    while (!atomic_load(&slow.inside))
        pause_ms(1);
    double before = busy();
    anb_serve_publish(slow.server);
    ck_assert_double_lt(busy() - before, .1);
    pthread_join(reader, NULL);
    ck_assert(atomic_load(&slow.over));
    anb_serve_free(slow.server);
    anb_free(model);
}
END_TEST

/* ---- by time ----------------------------------------------------------------------------------------------------- */

static AnbServer *timed_server(const StreamingLearner *model, double seconds)
{
    AnbServeOptions options = anb_serve_defaults();
    options.interval = ANB_SERVE_INTERVAL_MAX / 64;
    options.seconds = seconds;
    return anb_serve_new_with(model, &options, NULL);
}

START_TEST(what_was_learned_is_seen_in_time)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    AnbServer *server = timed_server(model, .01);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    ZooStream s = zoo_stream(3, false);
    for (int t = 0; t < 20; t++) {
        zoo_next(&s);
        anb_serve_train(server, s.x, s.y, 1);
        anb_train_one(model, s.x, s.y, 1);
        while (anb_serve_unpublished(server) > 0) /* nothing else comes */
            pause_ms(2);
        ck_assert(same_bits(anb_serve_predict(reader, s.x), anb_predict(model, s.x)));
    }
    uint64_t version = anb_serve_version(server);
    ck_assert_uint_ge(version, 20);
    pause_ms(50);
    ck_assert_uint_eq(anb_serve_version(server), version); /* nothing new: nothing is published */
    ck_assert_double_ge(anb_serve_age(server), .04);
    anb_serve_hold(server);
    anb_serve_hold(server);
    anb_serve_train(server, s.x, s.y, 1);
    pause_ms(50);
    ck_assert_uint_eq(anb_serve_unpublished(server), 1);
    anb_serve_release(server);
    anb_serve_release(server);
    anb_serve_reader_free(reader);
    anb_serve_free(server); /* with an event that is not published */
    anb_free(model);
}
END_TEST

START_TEST(a_server_refuses_wrong_times)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(2, "mean", NULL, NULL);
    static const double wrong[] = {-1, 1e-9, 1e9, NAN};
    for (size_t i = 0; i < 4; i++) {
        AnbServeOptions options = anb_serve_defaults();
        options.seconds = wrong[i];
        ck_assert_ptr_null(anb_serve_new_with(model, &options, &error));
        ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(error.message, "seconds"));
    }
    AnbServer *usual = anb_serve_new_with(model, NULL, NULL);
    ck_assert_ptr_nonnull(usual);
    anb_serve_free(usual);
    anb_free(model);
}
END_TEST

/* ---- a busy server ----------------------------------------------------------------------------------------------- */

/* Learners and a reader that go on until told; the state is that of the samples in some order. */
typedef struct Busy {
    AnbServer *server;
    atomic_bool over;
    atomic_size_t learned, asked;
} Busy;

static void *learn_on(void *context)
{
    Busy *b = context;
    ZooStream s = zoo_stream(5, false);
    for (size_t t = 0; !atomic_load(&b->over) || t < 1000; t++) {
        zoo_next(&s);
        anb_serve_train(b->server, s.x, s.y, 1);
        atomic_fetch_add(&b->learned, 1);
        if (t % 64 == 63)
            pause_ms(1);
    }
    return NULL;
}

static void *ask_on(void *context)
{
    Busy *b = context;
    AnbServeReader *reader = anb_serve_reader_new(b->server, NULL);
    ZooStream s = zoo_stream(6, false);
    while (!atomic_load(&b->over)) {
        zoo_next(&s);
        if (isnan(anb_serve_predict(reader, s.x)))
            abort();
        if (atomic_fetch_add(&b->asked, 1) % 256 == 255)
            pause_ms(1);
    }
    anb_serve_reader_free(reader);
    return NULL;
}

static void start(Busy *b, pthread_t *threads, size_t learners)
{
    for (size_t i = 0; i <= learners; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, i < learners ? learn_on : ask_on, b), 0);
    while (atomic_load(&b->learned) == 0 || atomic_load(&b->asked) == 0)
        pause_ms(1);
}

static void stop(Busy *b, pthread_t *threads, size_t learners)
{
    atomic_store(&b->over, true);
    for (size_t i = 0; i <= learners; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(threads_take_turns_learning)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    Busy busy = {.server = timed_server(model, .002)};
    AnbServeReader *reader = anb_serve_reader_new(busy.server, NULL);
    pthread_t threads[4];
    start(&busy, threads, 3);
    for (int i = 0; i < 50; i++) { /* the learner's copy stands still while it is held */
        anb_serve_hold(busy.server);
        const StreamingLearner *held = anb_serve_model(busy.server);
        uint64_t seen = anb_n_samples_seen(held);
        pause_ms(1);
        ck_assert_uint_eq(anb_n_samples_seen(held), seen);
        anb_serve_release(busy.server);
    }
    stop(&busy, threads, 3);
    anb_serve_publish(busy.server);
    ck_assert_uint_eq(anb_n_samples_seen(anb_serve_model(busy.server)), atomic_load(&busy.learned));
    anb_serve_reader_free(reader);
    anb_serve_free(busy.server);
    anb_free(model);
}
END_TEST

/* Every file that is written meanwhile is a whole version: the model after so many samples, to the bit. */
START_TEST(versions_are_saved_beside_learning)
{
    char path[] = "/tmp/anabranch-serve-XXXXXX";
    int file = mkstemp(path), rounds = longer() ? 200 : 20;
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    Busy busy = {.server = anb_serve_new(model, INTERVAL, NULL)};
    ZooStream s = zoo_stream(5, false);
    pthread_t threads[2];
    AnbError error = {0};
    ck_assert_int_ge(file, 0);
    close(file);
    start(&busy, threads, 1);
    for (int i = 0; i < rounds; i++) {
        ck_assert_int_eq(anb_serve_save(busy.server, NULL, path, &error), 0);
        StreamingLearner *saved = anb_load(path, NULL, &error);
        ck_assert_msg(saved != NULL, "%s", error.message);
        uint64_t n = anb_n_samples_seen(saved);
        ck_assert_uint_eq(n % INTERVAL, 0);
        zoo_train(model, &s, n - anb_n_samples_seen(model));
        ck_assert(anb_equal(saved, model));
        anb_free(saved);
        pause_ms(2);
    }
    stop(&busy, threads, 1);
    ck_assert_int_eq(anb_serve_save(busy.server, NULL, "/no/such/folder/x", &error), ANB_E_IO);
    unlink(path);
    anb_serve_free(busy.server);
    anb_free(model);
}
END_TEST

/* ---- fork -------------------------------------------------------------------------------------------------------- */

/* In the child; returns the number of the line that is not as it should be. */
static int child_of(AnbServer *server, AnbServeReader *inherited)
{
    ZooStream s = zoo_stream(7, false);
    AnbServeSample sample = anb_serve_sample();
    zoo_next(&s);
    sample.x = s.x;
    alarm(60); /* a child that waits for ever is killed */
    if (!anb_serve_is_child(server))
        return __LINE__;
    double f = anb_serve_predict(inherited, s.x);
    AnbServeReader *reader = anb_serve_reader_new(server, NULL);
    if (!reader || isnan(f) || !same_bits(f, anb_serve_predict(reader, s.x)))
        return __LINE__;
    if (!isnan(anb_serve_train(server, s.x, s.y, 1)) || anb_serve_learn(server, &sample, NULL) != ANB_E_UNSUPPORTED)
        return __LINE__;
    anb_serve_publish(server);
    anb_serve_hold(server);
    StreamingLearner *clone = anb_clone(anb_serve_model(server), NULL);
    anb_serve_release(server);
    if (!clone || !same_bits(anb_predict(clone, s.x), f) || !same_bits(anb_serve_predict(reader, s.x), f))
        return __LINE__;
    AnbServer *own = anb_serve_new(clone, 1, NULL); /* the child's own learns */
    if (!own || anb_serve_is_child(own) || isnan(anb_serve_train(own, s.x, s.y, 1)) || anb_serve_version(own) != 1)
        return __LINE__;
    anb_serve_free(own);
    anb_free(clone);
    anb_serve_reader_free(reader);
    anb_serve_reader_free(inherited);
    anb_serve_free(server);
    return 0;
}

/* Whatever the parent's threads are at when it forks. */
START_TEST(a_child_reads_and_does_not_learn)
{
    int rounds = longer() ? 1000 : 60;
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    Busy busy = {.server = timed_server(model, .001)};
    AnbServeReader *reader = anb_serve_reader_new(busy.server, NULL);
    pthread_t threads[3];
    start(&busy, threads, 2);
    for (int i = 0; i < rounds; i++) {
        int status;
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            _exit(child_of(busy.server, reader) % 256);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with status %x", status);
        ck_assert(!anb_serve_is_child(busy.server));
    }
    stop(&busy, threads, 2);
    anb_serve_publish(busy.server);
    ck_assert_uint_eq(anb_n_samples_seen(anb_serve_model(busy.server)), atomic_load(&busy.learned));
    anb_serve_reader_free(reader);
    anb_serve_free(busy.server);
    anb_free(model);
}
END_TEST

/* ---- whose turn it is -------------------------------------------------------------------------------------------- */

enum { BEFORE = 10, AFTER = 1000 };

static void *hold_once(void *context)
{
    AnbServer *server = context;
    anb_serve_hold(server);
    uint64_t learned = anb_n_samples_seen(anb_serve_model(server));
    anb_serve_hold(server); /* pairs may be nested */
    anb_serve_release(server);
    anb_serve_release(server);
    return (void *)(uintptr_t)learned;
}

/* A thread that learns sample after sample lets in who waits, before its next sample. */
START_TEST(who_waits_has_the_next_turn)
{
    StreamingLearner *model = anb_parse(ZOO_FEATURES, text, NULL, NULL);
    AnbServer *server = anb_serve_new(model, INTERVAL, NULL);
    ZooStream s = zoo_stream(5, false);
    pthread_t waiting;
    void *learned;
    zoo_next(&s);
    for (int t = 0; t < BEFORE; t++)
        anb_serve_train(server, s.x, s.y, 1);
    anb_serve_hold(server);
    ck_assert_int_eq(pthread_create(&waiting, NULL, hold_once, server), 0);
    while (!atomic_load(&server->turns.awaited))
        pause_ms(1);
    anb_serve_release(server);
    for (int t = 0; t < AFTER; t++)
        anb_serve_train(server, s.x, s.y, 1);
    pthread_join(waiting, &learned);
    ck_assert_uint_eq((uintptr_t)learned, BEFORE);
    anb_serve_free(server);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("serve_threads");
    TCase *tests = case_of(suite, 600);
    tcase_add_loop_test(tests, no_change_of_a_word_is_missed, 0, 2);
    tcase_add_test(tests, a_publication_sleeps_until_readers_leave);
    tcase_add_test(tests, what_was_learned_is_seen_in_time);
    tcase_add_test(tests, a_server_refuses_wrong_times);
    tcase_add_test(tests, threads_take_turns_learning);
    tcase_add_test(tests, who_waits_has_the_next_turn);
    tcase_add_test(tests, versions_are_saved_beside_learning);
    tcase_add_test(tests, a_child_reads_and_does_not_learn);
    return suite;
}

CHECK_MAIN(suite)
