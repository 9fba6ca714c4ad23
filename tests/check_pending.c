/* Delayed labels: with no delay nothing changes; with one, what is scored is what was answered. */
#include "made.h"
#include "numbers.h"
#include "stream.h"
#include "src/host/model.h"
#include "src/numeric/fields.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

#define CHILD "interval(scale(moe(linear, rls(lambda=0.95), mean)))"

START_TEST(no_delay_is_train_one)
{
    StreamingLearner *late = made(3, "pending(" CHILD ", capacity=4)"), *plain = made(3, CHILD);
    Stream s = {1, 3};
    double x[3], a[2], b[2];
    for (uint64_t i = 0; i < 3000; i++) {
        double y = stream_next(&s, x), said = anb_predict_pending(late, i * 7, x), weight = i % 500 == 499 ? 1e308 : 1;
        double then = anb_learn_label(late, i * 7, y, weight), f = anb_train_one(plain, x, y, weight);
        ck_assert(memcmp(&said, &f, 8) == 0 && memcmp(&then, &f, 8) == 0);
        anb_predict_interval(late, x, .9, &a[0], &a[1]);
        anb_predict_interval(plain, x, .9, &b[0], &b[1]);
        ck_assert(memcmp(a, b, sizeof a) == 0);
    }
    ck_assert_uint_eq(anb_n_samples_seen(late), 3000);
    ck_assert_uint_eq(anb_n_pending(late), 0);
    anb_free(late);
    anb_free(plain);
}
END_TEST

/* Labels 50 rows late: the model learns each row as it would now, so it ends where a model fed at that time ends. */
START_TEST(a_delay_learns_the_rows_as_they_are_now)
{
    enum { N = 1500, DELAY = 50 };
    StreamingLearner *late = made(3, "pending(scale(moe(linear, rls(lambda=0.95), mean)), capacity=64)");
    StreamingLearner *fed = made(3, "scale(moe(linear, rls(lambda=0.95), mean))");
    static double x[N][3], y[N], said[N];
    Stream s = {2, 3};
    for (int i = 0; i < N; i++) {
        y[i] = stream_next(&s, x[i]);
        said[i] = anb_predict_pending(late, (uint64_t)i, x[i]);
        if (i < DELAY)
            continue;
        ck_assert_double_eq(anb_learn_label(late, (uint64_t)(i - DELAY), y[i - DELAY], 1), said[i - DELAY]);
        anb_train_one(fed, x[i - DELAY], y[i - DELAY], 1);
        ck_assert_double_eq(anb_predict(late, x[i]), anb_predict(fed, x[i]));
    }
    ck_assert_uint_eq(anb_n_pending(late), DELAY);
    anb_free(late);
    anb_free(fed);
}
END_TEST

/* Rows answered before the target jumped are scored by those answers: the interval is wider than that of a model that
 * was shown the same rows at once, and learned the same. */
START_TEST(intervals_score_what_was_answered)
{
    StreamingLearner *late = made(3, "pending(interval(last, coverage=[0.9]), capacity=128)");
    double x[3] = {0}, wide[2], narrow[2];
    Stream s = {3, 3};
    for (int i = 0; i < 300; i++)
        anb_train_one(late, x, stream_uniform(&s), 1);
    for (uint64_t i = 0; i < 100; i++)
        anb_predict_pending(late, i, x);
    anb_train_one(late, x, 1000, 1);
    StreamingLearner *at_once = anb_clone(late, NULL);
    for (uint64_t i = 0; i < 100; i++) {
        double y = 1000 + stream_uniform(&s);
        ck_assert_double_lt(fabs(anb_learn_label(late, i, y, 1)), 2);
        anb_train_one(at_once, x, y, 1);
        ck_assert_double_eq(anb_predict(late, x), anb_predict(at_once, x));
    }
    anb_predict_interval(late, x, .9, &wide[0], &wide[1]);
    anb_predict_interval(at_once, x, .9, &narrow[0], &narrow[1]);
    ck_assert_double_gt(wide[1] - wide[0], 10 * (narrow[1] - narrow[0]));
    anb_free(late);
    anb_free(at_once);
}
END_TEST

START_TEST(unknown_repeated_and_evicted_ids)
{
    StreamingLearner *model = made(3, "pending(linear, capacity=4)");
    const AnbCounters *c = anb_counters(model);
    double x[3] = {1, 2, 3};
    ck_assert(isnan(anb_learn_label(model, 9, 1, 1)));
    ck_assert_uint_eq(c->labels_unknown, 1);
    ck_assert_int_eq(anb_pending_fate(model, 9), ANB_PENDING_UNKNOWN);
    anb_predict_pending(model, 9, x);
    ck_assert_int_eq(anb_pending_fate(model, 9), ANB_PENDING_WAITING);
    ck_assert(isfinite(anb_learn_label(model, 9, 1, 1)));
    ck_assert(isnan(anb_learn_label(model, 9, 1, 1)));
    ck_assert_uint_eq(c->labels_repeated, 1);
    for (uint64_t id = 20; id < 25; id++)
        anb_predict_pending(model, id, x);
    ck_assert_uint_eq(anb_n_pending(model), 4);
    ck_assert(isnan(anb_learn_label(model, 20, 1, 1)));
    ck_assert_uint_eq(c->labels_evicted, 1);
    ck_assert_int_eq(anb_pending_fate(model, 20), ANB_PENDING_EVICTED);
    ck_assert_int_eq(anb_pending_fate(model, 9), ANB_PENDING_LEARNED);
    for (uint64_t id = 30; id < 40; id++)
        anb_predict_pending(model, id, x);
    ck_assert(isnan(anb_learn_label(model, 20, 1, 1))); /* too long ago to be remembered */
    ck_assert_uint_eq(c->labels_unknown, 2);
    ck_assert_uint_eq(anb_n_samples_seen(model), 1);
    anb_free(model);
}
END_TEST

START_TEST(a_wrong_label_leaves_the_row_waiting)
{
    StreamingLearner *model = made(3, "pending(linear)"), *copy;
    double x[3] = {1, 2, 3}, inf[3] = {INFINITY, 0, 0};
    ck_assert(isnan(anb_predict_pending(model, 1, inf)));
    ck_assert_uint_eq(anb_n_pending(model), 0);
    double said = anb_predict_pending(model, 1, x);
    copy = anb_clone(model, NULL);
    ck_assert(isnan(anb_learn_label(model, 1, NAN, 1)));
    ck_assert(isnan(anb_learn_label(model, 1, 1, -1)));
    ck_assert_double_eq(anb_learn_label(model, 1, 1, 0), said);
    ck_assert(anb_equal(model, copy));
    ck_assert_double_eq(anb_learn_label(model, 1, 1, 1), said);
    ck_assert(!anb_equal(model, copy));
    anb_free(model);
    anb_free(copy);
}
END_TEST

START_TEST(an_id_that_comes_again_has_its_newer_row)
{
    StreamingLearner *model = made(3, "pending(linear, capacity=4)"), *plain = made(3, "linear");
    double a[3] = {1, 0, 0}, b[3] = {0, 1, 0};
    for (int i = 0; i < 50; i++) {
        anb_predict_pending(model, 1, a);
        anb_predict_pending(model, 1, b);
        ck_assert_uint_eq(anb_n_pending(model), 1);
        anb_learn_label(model, 1, 5, 1);
        anb_train_one(plain, b, 5, 1);
    }
    ck_assert_double_eq(anb_predict(model, a), anb_predict(plain, a));
    anb_free(model);
    anb_free(plain);
}
END_TEST

/* Random calls against a plain list of what should be waiting. */
START_TEST(the_ring_and_its_index_against_a_list)
{
    enum { C = 8, IDS = 40, STEPS = 20000 };
    StreamingLearner *model = made(3, "pending(mean, capacity=8)");
    uint64_t order[IDS] = {0}, clock = 0; /* when each waiting id was kept, 0: it does not wait */
    uint64_t state = 1;
    double x[3] = {0};
    for (int i = 0; i < STEPS; i++) {
        uint64_t bits = bits_of(&state), id = (bits >> 33) % IDS;
        if (bits >> 63) {
            anb_predict_pending(model, id * 1000003, x);
            order[id] = ++clock;
        } else {
            bool waits = order[id] && clock - order[id] < C;
            ck_assert_int_eq(isfinite(anb_learn_label(model, id * 1000003, 1, 1)), waits);
            order[id] = 0;
        }
        if (i % 1000 == 0) {
            StreamingLearner *copy = anb_clone(model, NULL);
            ck_assert(anb_equal(model, copy));
            anb_free(copy);
        }
    }
    anb_free(model);
}
END_TEST

START_TEST(only_a_pending_root_waits)
{
    AnbError error = {0};
    StreamingLearner *model = made(3, "scale(linear)");
    double x[3] = {0};
    ck_assert(isnan(anb_predict_pending(model, 1, x)));
    ck_assert(isnan(anb_learn_label(model, 1, 1, 1)));
    ck_assert_uint_eq(anb_n_pending(model), 0);
    anb_free(model);
    ck_assert_ptr_null(anb_parse(3, "scale(pending(linear))", NULL, &error));
    ck_assert_ptr_null(anb_parse(3, "pending(pending(linear))", NULL, &error));
}
END_TEST

/* ---- layout 2: whole answers, fates of 8 bytes, an index of 4 ---------------------------------------------------- */

typedef struct Bytes {
    AnbVisitor visitor;
    unsigned char at[20000];
    size_t size;
    size_t levels;
} Bytes;

static void put(Bytes *b, const void *data, size_t size)
{
    ck_assert_uint_le(b->size + size, sizeof b->at);
    memcpy(b->at + b->size, data, size);
    b->size += size;
}

static void put_row(Bytes *b, const double *row, size_t count)
{
    AnbAnswer answer = {.prediction = row[0], .sigma = row[1], .scored = row[2]};
    memcpy(answer.limit, row + 3, b->levels * sizeof *row);
    memcpy(answer.asked, row + 3 + b->levels, b->levels * sizeof *row);
    put(b, &answer, sizeof answer);
    put(b, row + 3 + 2 * b->levels, (count - 3 - 2 * b->levels) * sizeof *row);
}

/* Writes what the layout before would have written. */
static void as_layout_2(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Bytes *b = (Bytes *)visitor;
    if (strcmp(visitor->name, "row") == 0) {
        put_row(b, data, count);
        return;
    }
    bool wider = kind == ANB_U8 || kind == ANB_U16;
    for (size_t i = 0; wider && i < count; i++) {
        uint64_t value = kind == ANB_U8 ? ((uint8_t *)data)[i] : ((uint16_t *)data)[i];
        put(b, &value, kind == ANB_U8 ? 8 : 4);
    }
    if (!wider)
        put(b, data, count * 8);
}

START_TEST(rows_of_the_layout_before_wait_on)
{
    const uint16_t one = 1;
    static Bytes bytes = {.visitor = {.field = as_layout_2}, .levels = 3};
    StreamingLearner *model = made(3, "pending(" CHILD ", capacity=20)"), *other;
    const AnbNode *root = &model->plan->nodes[0];
    Stream s = {4, 3};
    double x[3];
    for (uint64_t i = 0; i < 60; i++) {
        double y = stream_next(&s, x);
        anb_predict_pending(model, i, x);
        if (i % 3)
            anb_learn_label(model, i, y, 1);
    }
    other = anb_clone(model, NULL);
    memset(anb_block(other), 0, root->state_size);
    anb_visit_own(root, anb_block(model), &bytes.visitor);
    if (*(const unsigned char *)&one == 1) { /* the bytes above are this machine's */
        ck_assert_int_eq(root->type->upgrade(root, 2, bytes.at, bytes.size, anb_block(other)), 0);
        ck_assert(anb_equal(model, other));
        for (uint64_t i = 42; i < 60; i += 3)
            ck_assert_double_eq(anb_learn_label(model, i, 1, 1), anb_learn_label(other, i, 1, 1));
        ck_assert(anb_equal(model, other));
        ck_assert_int_eq(root->type->upgrade(root, 2, bytes.at, bytes.size - 1, anb_block(other)), ANB_E_STATE);
    }
    anb_free(model);
    anb_free(other);
}
END_TEST

/* A whole number below 2^64 is itself, any other text is hashed. */
START_TEST(rows_are_named_by_texts)
{
    ck_assert_uint_eq(anb_label_id("0", 1), 0);
    ck_assert_uint_eq(anb_label_id("4711xyz", 4), 4711);
    ck_assert_uint_eq(anb_label_id("18446744073709551615", 20), UINT64_MAX);
    static const char *const others[] = {"order-7", "-1", "1.5", " 7", "18446744073709551616", "99999999999999999999"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_uint_eq(anb_label_id(others[i], strlen(others[i])),
                          (uint64_t)anb_category(others[i], strlen(others[i])));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("pending");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, rows_are_named_by_texts);
    tcase_add_test(tests, no_delay_is_train_one);
    tcase_add_test(tests, a_delay_learns_the_rows_as_they_are_now);
    tcase_add_test(tests, intervals_score_what_was_answered);
    tcase_add_test(tests, unknown_repeated_and_evicted_ids);
    tcase_add_test(tests, a_wrong_label_leaves_the_row_waiting);
    tcase_add_test(tests, an_id_that_comes_again_has_its_newer_row);
    tcase_add_test(tests, the_ring_and_its_index_against_a_list);
    tcase_add_test(tests, only_a_pending_root_waits);
    tcase_add_test(tests, rows_of_the_layout_before_wait_on);
    return suite;
}

CHECK_MAIN(suite)
