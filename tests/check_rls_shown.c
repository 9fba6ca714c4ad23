/* What a visitor, a snapshot, a clone and equality see of an RLS, which leaves half of each update for the next one. */
#include "aligned.h"
#include "numbers.h"
#include "src/numeric/rls.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/anabranch.h>

enum { MOST = 40 };

static uint64_t seed;

static double uniform(void)
{
    return uniform_of(&seed);
}

/* ---- visitors ---------------------------------------------------------------------------------------------------- */

typedef struct Buffer {
    AnbVisitor visitor;
    double value[2000];
    size_t used;
    bool reading; /* into the state */
} Buffer;

static void take(AnbVisitor *self, void *data, AnbScalar kind, size_t count)
{
    Buffer *buffer = (Buffer *)self;
    ck_assert(kind == ANB_F64 && buffer->used + count <= 2000);
    if (buffer->reading)
        memcpy(data, buffer->value + buffer->used, count * sizeof(double));
    else
        memcpy(buffer->value + buffer->used, data, count * sizeof(double));
    buffer->used += count;
}

static void take_value(AnbVisitor *self, void *data, const void *value, AnbScalar kind, size_t count)
{
    double copy[MOST];
    (void)data;
    ck_assert_uint_le(count, MOST);
    memcpy(copy, value, count * sizeof *copy);
    take(self, copy, kind, count);
}

/* An RLS of n features with two states of it and what they need. */
typedef struct Pair {
    AnbRls rls;
    size_t size; /* doubles of a state */
    double *one, *other, *before, *scratch;
    Buffer first, second;
} Pair;

static Pair *pair_of(size_t n)
{
    Pair *p = malloc(sizeof *p);
    ck_assert_ptr_nonnull(p);
    *p = (Pair){.rls = {.n = n, .intercept = n % 3 != 0, .delta = 3}, .size = anb_rls_state(n)};
    p->one = aligned(p->size);
    p->other = aligned(p->size);
    p->before = aligned(p->size);
    p->scratch = aligned(anb_rls_scratch(n));
    anb_rls_init(&p->rls, p->one);
    anb_rls_init(&p->rls, p->other);
    return p;
}

static void pair_free(Pair *p)
{
    free(p->one);
    free(p->other);
    free(p->before);
    free(p->scratch);
    free(p);
}

static void learn(const Pair *p, double *state)
{
    double x[MOST], y = uniform();
    for (size_t i = 0; i < p->rls.n; i++)
        x[i] = uniform();
    double f = anb_rls_predict(&p->rls, state, x, p->scratch);
    ck_assert(anb_rls_update(&p->rls, state, y - f, .9, 1, p->scratch));
}

static void learn_both(const Pair *p)
{
    uint64_t before = seed;
    learn(p, p->one);
    seed = before;
    learn(p, p->other);
}

/* What a field visitor and one that only reads see of a state. */
static void show(const Pair *p, double *state, Buffer *buffer, bool only_reads)
{
    buffer->visitor = (AnbVisitor){take, only_reads ? take_value : NULL};
    buffer->used = 0;
    anb_rls_visit(&p->rls, state, &buffer->visitor);
}

START_TEST(fields_make_the_same_state)
{
    for (size_t n = 1; n < 30; n++) {
        Pair *p = pair_of(n);
        for (int t = 0; t < 20; t++)
            learn(p, p->one);
        show(p, p->one, &p->first, false);
        size_t m = n + p->rls.intercept;
        ck_assert_uint_eq(p->first.used, 1 + m + p->rls.intercept + m * (m + 1) / 2 - p->rls.intercept);
        p->first.reading = true;
        show(p, p->other, &p->first, false);
        ck_assert_mem_eq(p->one, p->other, p->size * sizeof *p->one);
        ck_assert_int_eq(anb_rls_validate(&p->rls, p->other, NULL), 0);
        p->other[anb_rls_weights_at(n)] = NAN;
        ck_assert_int_eq(anb_rls_validate(&p->rls, p->other, NULL), ANB_E_STATE);
        pair_free(p);
    }
}
END_TEST

/* Fields that are read into memory which nobody has started, as a tree's free slots are. */
START_TEST(fields_make_a_state_of_zeros_whole)
{
    Pair *p = pair_of(13);
    for (int t = 0; t < 5; t++)
        learn(p, p->one);
    show(p, p->one, &p->first, false);
    memset(p->other, 0, p->size * sizeof *p->other);
    p->first.reading = true;
    show(p, p->other, &p->first, false);
    ck_assert_mem_eq(p->one, p->other, p->size * sizeof *p->one);
    pair_free(p);
}
END_TEST

/* Who only reads sees the due step made and changes no byte. */
static void compare_shown(Pair *p)
{
    size_t all = p->rls.n + p->rls.intercept;
    memcpy(p->before, p->one, p->size * sizeof *p->one);
    show(p, p->one, &p->first, true);
    ck_assert_int_eq(anb_rls_validate(&p->rls, p->one, NULL), 0);
    ck_assert_mem_eq(p->one, p->before, p->size * sizeof *p->one);
    show(p, p->other, &p->second, false);
    ck_assert_uint_eq(p->first.used, p->second.used);
    /* The trace first, which of few features is not kept: who may write finds the first weight there, which is written
     * again. */
    ck_assert(p->first.value[0] == anb_rls_trace(&p->rls, p->one));
    ck_assert(p->second.value[0] == (p->rls.n > ANB_RLS_FEW ? p->first.value[0] : p->second.value[1]));
    ck_assert_mem_eq(p->first.value + 1, p->second.value + 1, (p->first.used - 1) * sizeof(double));
    for (size_t i = 0; i < all; i++)
        for (size_t j = 0; j < all; j++)
            ck_assert(anb_rls_p(&p->rls, p->one, i, j) == anb_rls_p(&p->rls, p->other, i, j));
}

/* One state is never shown to who makes the due step, the other one after every sample: they stay the same to
 * the bit. */
START_TEST(when_the_due_step_is_made_does_not_matter)
{
    for (size_t n = 1; n < 30; n++) {
        Pair *p = pair_of(n);
        for (int t = 0; t < 25; t++) {
            learn_both(p);
            compare_shown(p);
            if (t % 10 == 9) {
                anb_rls_refresh(&p->rls, p->one, 1.5);
                anb_rls_refresh(&p->rls, p->other, 1.5);
            }
        }
        show(p, p->one, &p->first, false);
        ck_assert_mem_eq(p->one, p->other, p->size * sizeof *p->one);
        pair_free(p);
    }
}
END_TEST

START_TEST(a_restart_leaves_nothing_due)
{
    Pair *p = pair_of(10);
    for (int t = 0; t < 3; t++)
        learn(p, p->one);
    anb_rls_restart(&p->rls, p->one);
    for (size_t i = 0; i < 11; i++)
        for (size_t j = 0; j < 11; j++)
            ck_assert(anb_rls_p(&p->rls, p->one, i, j) == (i == j ? 3 : 0));
    ck_assert(anb_rls_head(p->one)->trace == 33);
    pair_free(p);
}
END_TEST

/* ---- models ------------------------------------------------------------------------------------------------------ */

/* After each sample: what was saved equals what was not, both ways round, and a clone; all say the same of what
 * follows. */
START_TEST(a_model_equals_what_was_saved_of_it)
{
    StreamingLearner *model = anb_parse(11, "rls(lambda=0.9, walk=0.01)", NULL, NULL);
    for (int t = 0; t < 40; t++) {
        double x[11], y = uniform();
        for (size_t i = 0; i < 11; i++)
            y += (double)i * (x[i] = uniform());
        anb_train_one(model, x, y, 1);
        StreamingLearner *saved = reloaded(model, NULL), *clone = anb_clone(model, NULL);
        ck_assert_ptr_nonnull(saved);
        StreamingLearner *twice = reloaded(saved, NULL);
        ck_assert_ptr_nonnull(twice);
        if (t % 2)
            ck_assert(anb_equal(model, saved));
        ck_assert(anb_equal(saved, clone) && anb_equal(clone, twice) && anb_equal(twice, model));
        double f = anb_train_one(model, x, -y, 1), g = anb_predict(model, x);
        ck_assert(!anb_equal(model, twice));
        ck_assert(anb_train_one(saved, x, -y, 1) == f && anb_train_one(clone, x, -y, 1) == f);
        ck_assert(anb_train_one(saved, x, y, 1) == g && anb_train_one(clone, x, y, 1) == g);
        anb_free(saved);
        anb_free(clone);
        anb_free(twice);
    }
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("rls, shown");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, fields_make_the_same_state);
    tcase_add_test(tests, fields_make_a_state_of_zeros_whole);
    tcase_add_test(tests, when_the_due_step_is_made_does_not_matter);
    tcase_add_test(tests, a_restart_leaves_nothing_due);
    tcase_add_test(tests, a_model_equals_what_was_saved_of_it);
    return suite;
}

CHECK_MAIN(suite)
