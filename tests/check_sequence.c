/* Numbered samples: learned once however often they come, and positions that go wherever the model goes. */
#include "blob.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/host.h>
#include <anabranch/pending.h>
#include <anabranch/sequence.h>
#include <anabranch/snapshot.h>
#include "src/numeric/random.h"
#include <math.h>
#include <string.h>

enum { D = 3, SAMPLES = 400 };

typedef struct Sample {
    double x[D], y;
} Sample;

static Sample samples[SAMPLES];

static void make_samples(void)
{
    AnbRandom random;
    anb_random_seed(&random, 3);
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t j = 0; j < D; j++)
            samples[i].x[j] = anb_random_normal(&random);
        samples[i].y = samples[i].x[0] - 2 * samples[i].x[2] + 0.1 * anb_random_normal(&random);
    }
}

static StreamingLearner *make(void)
{
    return anb_parse(D, "scale(moe(linear, rls, mean))", NULL, NULL);
}

static int send(StreamingLearner *model, int source, size_t i, double *before)
{
    return anb_train_seq(model, source, i, samples[i].x, samples[i].y, 1, before);
}

static uint64_t position(const StreamingLearner *model, const char *name)
{
    const AnbSource *source;
    int at = anb_source_find(model, name, strlen(name));
    anb_sources(model, &source);
    return at < 0 ? 0 : source[at].next;
}

/* A sender that goes back up to 20 samples again and again, against one that sends each once. */
START_TEST(a_sample_that_comes_again_changes_nothing)
{
    StreamingLearner *once = make(), *often = make();
    int a = anb_source_add(often, "sender", 6, NULL), b = anb_source_add(once, "sender", 6, NULL);
    AnbRandom random;
    anb_random_seed(&random, 5);
    size_t repeats = 0, next = 0;
    for (size_t i = 0; i < SAMPLES;) {
        double said = 0, wanted = 0;
        if (i < next) {
            repeats++;
            ck_assert_int_eq(send(often, a, i, &said), ANB_SEQ_REPEATED);
            ck_assert(said != said);
        } else {
            ck_assert_int_eq(send(once, b, i, &wanted), ANB_SEQ_LEARNED);
            ck_assert_int_eq(send(often, a, i, &said), ANB_SEQ_LEARNED);
            ck_assert_double_eq(said, wanted);
            next = i + 1;
        }
        ck_assert_uint_eq(position(often, "sender"), next);
        i = anb_random_uniform(&random) < 0.03 && i > 20 ? i - 20 : i + 1;
    }
    ck_assert_uint_gt(repeats, 100);
    ck_assert(anb_equal(once, often));
    ck_assert_uint_eq(anb_n_samples_seen(often), SAMPLES);
    anb_free(once);
    anb_free(often);
}
END_TEST

START_TEST(sources_do_not_know_of_each_other)
{
    StreamingLearner *model = make();
    int a = anb_source_add(model, "a", 1, NULL), b = anb_source_add(model, "ab", 2, NULL);
    ck_assert_int_ne(a, b);
    ck_assert_int_eq(anb_source_add(model, "a", 1, NULL), a);
    ck_assert_int_eq(send(model, a, 7, NULL), ANB_SEQ_LEARNED);
    ck_assert_int_eq(send(model, b, 0, NULL), ANB_SEQ_LEARNED);
    ck_assert_int_eq(send(model, b, 0, NULL), ANB_SEQ_REPEATED);
    ck_assert_int_eq(send(model, b, 7, NULL), ANB_SEQ_LEARNED);
    ck_assert_int_eq(send(model, a, 6, NULL), ANB_SEQ_REPEATED);
    ck_assert(anb_source_take(model, a, UINT64_MAX - 1));
    ck_assert(!anb_source_take(model, a, UINT64_MAX - 1) && !anb_source_take(model, b, 7));
    ck_assert_int_eq(anb_train_seq(model, a, UINT64_MAX, samples[0].x, 1, 1, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(send(model, 2, 9, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(send(model, -1, 9, NULL), ANB_E_ARGUMENT);
    ck_assert_uint_eq(anb_n_samples_seen(model), 3);
    anb_free(model);
}
END_TEST

START_TEST(a_rejected_sample_leaves_the_position)
{
    StreamingLearner *model = make();
    double bad[D] = {1, HUGE_VAL, 2}, before = 0;
    int a = anb_source_add(model, "a", 1, NULL);
    ck_assert_int_eq(anb_train_seq(model, a, 4, bad, 1, 1, &before), ANB_E_INPUT);
    ck_assert(before != before);
    ck_assert_int_eq(anb_train_seq(model, a, 4, samples[0].x, ANB_NAN, 1, NULL), ANB_E_INPUT);
    ck_assert_int_eq(anb_train_seq(model, a, 4, samples[0].x, 1, -1, NULL), ANB_E_INPUT);
    ck_assert_uint_eq(position(model, "a"), 0);
    ck_assert_int_eq(anb_train_seq(model, a, 4, samples[0].x, 1, 0, NULL), ANB_SEQ_LEARNED);
    ck_assert_uint_eq(position(model, "a"), 5);
    ck_assert_uint_eq(anb_n_samples_seen(model), 0);
    anb_free(model);
}
END_TEST

START_TEST(names_and_their_number_are_bounded)
{
    StreamingLearner *model = make();
    AnbError error = {0};
    char name[ANB_SOURCE_SIZE + 1];
    size_t before = anb_total_bytes(model);
    memset(name, 'n', sizeof name);
    ck_assert_int_eq(anb_source_add(model, "", 0, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_source_add(model, "a\0b", 3, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_source_add(model, NULL, 3, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_source_add(model, name, ANB_SOURCE_SIZE, &error), ANB_E_ARGUMENT);
    ck_assert_uint_eq(anb_total_bytes(model), before);
    for (int i = 0; i < ANB_SOURCES_MAX; i++) {
        snprintf(name, sizeof name, "%055d", i);
        ck_assert_int_eq(anb_source_add(model, name, 55, &error), i);
    }
    ck_assert_int_eq(anb_source_add(model, "more", 4, &error), ANB_E_LIMIT);
    ck_assert_int_eq(anb_source_add(model, name, 55, &error), ANB_SOURCES_MAX - 1);
    ck_assert_uint_eq(anb_sources(model, NULL), ANB_SOURCES_MAX);
    ck_assert_uint_ge(anb_total_bytes(model), before + ANB_SOURCES_MAX * sizeof(AnbSource));
    anb_reset(model);
    ck_assert_uint_eq(anb_sources(model, NULL), 0);
    ck_assert_uint_eq(anb_total_bytes(model), before);
    anb_free(model);
}
END_TEST

/* Names of one kind: partitions, numbers, beginnings of each other, and long ones that end alike. */
static int name_of(char *name, int kind, int i)
{
    static const char *const forms[] = {"readings/%d", "%d", "%0*d", "%d of a source with a name that goes on and on"};
    return kind == 2 ? snprintf(name, ANB_SOURCE_SIZE, forms[kind], i % 55 + 1, i / 55)
                     : snprintf(name, ANB_SOURCE_SIZE, forms[kind], i);
}

/* Each that was added at its index, and no other. */
static void check_names(const StreamingLearner *model, int kind, int added)
{
    char name[ANB_SOURCE_SIZE] = {0};
    for (int i = 0; i < ANB_SOURCES_MAX; i++) {
        size_t n = (size_t)name_of(name, kind, i);
        ck_assert_int_eq(anb_source_find(model, name, n), i < added ? i : ANB_E_UNKNOWN);
        ck_assert_int_eq(anb_source_find(model, name, n - 1 > 0 && kind == 3 ? n - 1 : 0), ANB_E_UNKNOWN);
        ck_assert_int_eq(anb_source_find(model, name, n + 1), ANB_E_UNKNOWN);
    }
}

START_TEST(sources_are_found_by_name)
{
    for (int kind = 0; kind < 4; kind++) {
        StreamingLearner *model = make();
        char name[ANB_SOURCE_SIZE];
        for (int i = 0; i < ANB_SOURCES_MAX; i++) {
            check_names(model, kind, i);
            ck_assert_int_eq(anb_source_add(model, name, (size_t)name_of(name, kind, i), NULL), i);
            ck_assert(anb_source_take(model, i, (uint64_t)i + 7));
        }
        StreamingLearner *copy = anb_clone(model, NULL);
        check_names(model, kind, ANB_SOURCES_MAX);
        check_names(copy, kind, ANB_SOURCES_MAX);
        ck_assert(anb_equal(model, copy));
        anb_free(copy);
        anb_free(model);
    }
}
END_TEST

START_TEST(a_model_at_its_limit_takes_no_source)
{
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    StreamingLearner *model = make();
    options.max_bytes = anb_total_bytes(model);
    anb_free(model);
    model = anb_parse(D, "scale(moe(linear, rls, mean))", &options, &error);
    ck_assert_ptr_nonnull(model);
    ck_assert_int_eq(anb_source_add(model, "a", 1, &error), ANB_E_LIMIT);
    ck_assert_uint_eq(anb_sources(model, NULL), 0);
    anb_free(model);
}
END_TEST

static StreamingLearner *through_bytes(const StreamingLearner *model)
{
    AnbError error = {0};
    StreamingLearner *again = reloaded(model, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    ck_assert_uint_eq(anb_snapshot_size(again, NULL), anb_snapshot_size(model, NULL));
    return again;
}

START_TEST(copies_and_snapshots_hold_the_positions)
{
    StreamingLearner *model = make(), *other = make();
    int a = anb_source_add(model, "a", 1, NULL), b = anb_source_add(model, "b", 1, NULL);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(send(model, i % 2 ? a : b, i, NULL), ANB_SEQ_LEARNED);
    StreamingLearner *copy = anb_clone(model, NULL), *again = through_bytes(model);
    ck_assert(anb_equal(model, copy) && anb_equal(model, again));
    ck_assert_uint_eq(position(again, "a"), 100);
    ck_assert_uint_eq(position(again, "b"), 99);
    ck_assert_int_eq(send(again, anb_source_find(again, "a", 1), 99, NULL), ANB_SEQ_REPEATED);
    ck_assert(anb_equal(model, again));
    ck_assert(anb_source_take(copy, a, 100));
    ck_assert(!anb_equal(model, copy));
    ck_assert_uint_eq(position(model, "a"), 100);
    /* In another order of the sources; and one that has brought nothing yet. */
    int b2 = anb_source_add(other, "b", 1, NULL), a2 = anb_source_add(other, "a", 1, NULL);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(send(other, i % 2 ? a2 : b2, i, NULL), ANB_SEQ_LEARNED);
    anb_source_add(other, "new", 3, NULL);
    ck_assert(anb_equal(model, other));
    anb_free(model);
    anb_free(other);
    anb_free(copy);
    anb_free(again);
}
END_TEST

START_TEST(without_sources_a_snapshot_is_as_before)
{
    StreamingLearner *model = make();
    size_t plain = anb_snapshot_size(model, NULL);
    ck_assert_int_eq(anb_source_add(model, "a", 1, NULL), 0);
    ck_assert_uint_eq(anb_snapshot_size(model, NULL), plain + 4 + 4 + 2 + 8);
    anb_reset(model);
    ck_assert_uint_eq(anb_snapshot_size(model, NULL), plain);
    anb_free(model);
}
END_TEST

START_TEST(a_damaged_list_of_sources_is_refused)
{
    StreamingLearner *model = make();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(anb_source_add(model, &"abc"[i], 1, NULL), i);
    Blob blob = save(model, NULL);
    for (size_t end = blob.size - 4, at = end - 3 * 14 - 4; at < end; at++)
        for (int bit = 0; bit < 8; bit++) {
            AnbError error = {0};
            blob.bytes[at] ^= (unsigned char)(1 << bit);
            repair(&blob);
            StreamingLearner *again = anb_load_memory(blob.bytes, blob.size, NULL, &error);
            ck_assert(again ? anb_sources(again, NULL) == 3 : error.code < 0);
            anb_free(again);
            blob.bytes[at] ^= (unsigned char)(1 << bit);
        }
    free(blob.bytes);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("sequence");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, make_samples, NULL);
    tcase_add_test(tests, a_sample_that_comes_again_changes_nothing);
    tcase_add_test(tests, sources_do_not_know_of_each_other);
    tcase_add_test(tests, a_rejected_sample_leaves_the_position);
    tcase_add_test(tests, names_and_their_number_are_bounded);
    tcase_add_test(tests, sources_are_found_by_name);
    tcase_add_test(tests, a_model_at_its_limit_takes_no_source);
    tcase_add_test(tests, copies_and_snapshots_hold_the_positions);
    tcase_add_test(tests, without_sources_a_snapshot_is_as_before);
    tcase_add_test(tests, a_damaged_list_of_sources_is_refused);
    return suite;
}

CHECK_MAIN(suite)
