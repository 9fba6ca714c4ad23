/* RLS with its factor in floats beside the one in doubles: the recurrence, long unkind streams, extremes, changes of
 * units. */
#include "aligned.h"
#include "isa_here.h"
#include "numbers.h"
#include "src/numeric/rls_single.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <string.h>

enum { MOST = 140 };

static uint64_t seed;

static double uniform(void)
{
    return uniform_of(&seed);
}

/* One of doubles and one of floats that learn the same rows, each from its own errors. */
typedef struct Both {
    AnbRls exact, single;
    double *a, *b, *work_a, *work_b;
    double squares_a, squares_b; /* of errors */
} Both;

static Both both_new(AnbRls rls)
{
    Both s = {.exact = rls, .single = rls};
    s.single.single = true;
    s.a = aligned(anb_rls_state(rls.n)), s.work_a = aligned(anb_rls_scratch(rls.n));
    s.b = aligned(anb_rls_single_state(&rls)), s.work_b = aligned(anb_rls_single_scratch(rls.n));
    anb_rls_init(&s.exact, s.a);
    anb_rls_init(&s.single, s.b);
    return s;
}

static void both_free(Both *s)
{
    free(s->a), free(s->b), free(s->work_a), free(s->work_b);
}

static double learn(const AnbRls *rls, double *state, double *work, const double *x, double y, double lambda,
                    double weight)
{
    double error = y - anb_rls_predict(rls, state, x, work);
    ck_assert(rls->single ? anb_rls_single_update(rls, state, error, lambda, weight, work)
                          : anb_rls_update(rls, state, error, lambda, weight, work));
    return error;
}

static void both_learn(Both *s, const double *x, double y, double lambda, double weight)
{
    double a = learn(&s->exact, s->a, s->work_a, x, y, lambda, weight);
    double b = learn(&s->single, s->b, s->work_b, x, y, lambda, weight);
    s->squares_a += a * a;
    s->squares_b += b * b;
}

/* Weights and P are equal but for the rounding of floats; that of P in units of its largest diagonal entry. */
static void assert_close(const Both *s, double within)
{
    const size_t n = s->exact.n, m = n + s->exact.intercept;
    double largest = 0;
    for (size_t i = 0; i < m; i++)
        largest = fmax(largest, anb_rls_p(&s->exact, s->a, i, i));
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(anb_rls_weights(s->a, n)[i], anb_rls_weights(s->b, n)[i], within);
    ck_assert_double_eq_tol(anb_rls_head(s->a)->w0, anb_rls_head(s->b)->w0, within);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            ck_assert_double_eq_tol(anb_rls_p(&s->exact, s->a, i, j), anb_rls_p(&s->single, s->b, i, j),
                                    within * largest);
}

static double row_of(size_t n, double *x)
{
    double y = 3;
    for (size_t i = 0; i < n; i++) {
        x[i] = uniform();
        y += x[i] * (double)(i % 7) + .1 * uniform();
    }
    return y;
}

static const size_t sizes[] = {9, 10, 14, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 47, 48, 64};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(it_is_the_recurrence)
{
    double x[MOST];
    for (int intercept = 0; intercept < 2; intercept++) {
        Both s = both_new((AnbRls){
            .n = sizes[_i], .intercept = intercept, .delta = 10, .walk = intercept * .01, .level = _i % 3 ? 0 : 30});
        for (int t = 0; t < 400; t++) {
            double y = row_of(sizes[_i], x);
            both_learn(&s, x, y, _i % 2 ? .99 : 1, t % 5 ? 1 : .25);
            if (t < 4)
                assert_close(&s, 1e-4);
        }
        assert_close(&s, 1e-4);
        both_free(&s);
    }
}
END_TEST

/* ---- streams on which P in floats diverges ----------------------------------------------------------------------- */

/* Features of which many follow from others, a constant, a rare one, units from .01 to 100. */
static void unkind_row(int t, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = i < n / 2 ? uniform() : x[i - n / 2] + (i % 3 == 0 ? x[(i + 1) % (n / 2)] : 0);
    x[n - 1] = 1;
    x[n - 2] = t % 5000 == 77;
    for (size_t i = 0; i < n; i += 4)
        x[i] *= i % 8 ? .01 : 100;
}

static void assert_sound(const Both *s)
{
    double most = ANB_RLS_MOST * s->single.delta * (double)(s->single.n + s->single.intercept);
    ck_assert_int_eq(anb_rls_validate(&s->single, s->b, NULL), 0);
    ck_assert_double_le(anb_rls_head(s->b)->trace, 1.03 * most);
    for (size_t i = 0; i < s->single.n; i++)
        ck_assert_double_ge(anb_rls_p(&s->single, s->b, i, i), 0);
}

/* The slopes change sign every 10,000 rows where lambda forgets. Over the second half the squared errors are at
 * most 1.01 of those in doubles. */
START_TEST(it_does_not_diverge)
{
    static const double lambdas[] = {1, .9998, .998, .98};
    enum { N = 24, ROWS = 120000 };
    double x[N], lambda = lambdas[_i % 4];
    Both s = both_new((AnbRls){.n = N, .intercept = true, .delta = 100, .walk = _i < 4 ? 0 : .1});
    seed = 5;
    for (int t = 0; t < ROWS; t++) {
        unkind_row(t, N, x);
        double y = (t / 10000 % 2 && lambda < 1 ? -1 : 1) * (x[1] - 2 * x[2] + x[3]) + .1 * uniform();
        both_learn(&s, x, y, lambda, 1);
        if (t % 10000 == 0)
            assert_sound(&s);
        if (t == ROWS / 2)
            s.squares_a = s.squares_b = 0;
    }
    assert_sound(&s);
    ck_assert_double_le(s.squares_b, 1.01 * s.squares_a);
    both_free(&s);
}
END_TEST

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

/* Cells and targets of 1e-30 to 1e200: finite weights or a start again, and it learns again afterwards. */
START_TEST(extremes_leave_it_finite)
{
    enum { N = 20 };
    static const double units[] = {1, 1e150, 1e-30, 1e9, 1e-9, 1e200, 1e20, 1e-16, 1e35};
    AnbRls rls = {.n = N, .intercept = true, .delta = 100, .single = true};
    double *state = aligned(anb_rls_single_state(&rls)), *work = aligned(anb_rls_single_scratch(N)), x[N], last = 1;
    anb_rls_init(&rls, state);
    for (int t = 0; t < 6000; t++) {
        double y = row_of(N, x), unit = t < 3000 ? units[t / 100 % 9] : 1;
        for (size_t i = 0; i < N; i++)
            x[i] *= i % 3 || t % 2 ? unit : 1;
        y = t < 3000 && t % 50 == 7 ? 1e9 * y : y;
        double error = y - anb_rls_predict(&rls, state, x, work);
        if (!anb_rls_single_update(&rls, state, error, .99, 1, work))
            anb_rls_init(&rls, state);
        ck_assert_int_eq(anb_rls_validate(&rls, state, NULL), 0);
        last = t < 5900 ? 0 : fmax(last, fabs(error));
    }
    ck_assert_double_le(last, 3);
    free(state);
    free(work);
}
END_TEST

START_TEST(a_row_that_floats_cannot_hold_starts_P_again)
{
    enum { N = 12 };
    AnbRls rls = {.n = N, .intercept = true, .delta = 1, .single = true};
    double *state = aligned(anb_rls_single_state(&rls)), *work = aligned(anb_rls_single_scratch(N)), x[N], w[N];
    anb_rls_init(&rls, state);
    for (int t = 0; t < 50; t++) {
        double y = row_of(N, x);
        learn(&rls, state, work, x, y, .99, 1);
    }
    memcpy(w, anb_rls_weights(state, N), sizeof w);
    x[3] = 1e60;
    anb_rls_predict(&rls, state, x, work);
    ck_assert(anb_rls_single_update(&rls, state, 1, .99, 1, work));
    ck_assert_mem_eq(w, anb_rls_weights(state, N), sizeof w);
    ck_assert(anb_rls_head(state)->trace == N + 1 && anb_rls_p(&rls, state, 2, 2) == 1);
    x[3] = 1;
    anb_rls_predict(&rls, state, x, work);
    ck_assert(!anb_rls_single_update(&rls, state, (double)INFINITY, .99, 1, work)); /* weights are not finite */
    free(state);
    free(work);
}
END_TEST

START_TEST(other_units_and_less_trust)
{
    enum { N = 21 };
    double x[N], alpha[N], beta[N];
    Both s = both_new((AnbRls){.n = N, .intercept = true, .delta = 10});
    for (int t = 0; t < 600; t++) {
        double y = row_of(N, x);
        both_learn(&s, x, y, .99, 1);
        if (t % 100 == 50)
            for (size_t j = 0; j < N; j++)
                alpha[j] = 1 + .3 * uniform(), beta[j] = uniform();
        if (t % 100 == 50) {
            anb_rls_reframe(&s.exact, s.a, alpha, beta);
            anb_rls_reframe(&s.single, s.b, alpha, beta);
            assert_close(&s, 1e-4);
        }
    }
    anb_rls_refresh(&s.exact, s.a, 3);
    anb_rls_refresh(&s.single, s.b, 3);
    assert_close(&s, 1e-4);
    anb_rls_refresh(&s.single, s.b, 1e9);
    ck_assert_double_eq_tol(anb_rls_head(s.b)->trace, 10 * (N + 1), 1e-3);
    both_free(&s);
}
END_TEST

START_TEST(what_learning_cannot_have_made_is_refused)
{
    AnbRls rls = {.n = 12, .intercept = true, .delta = 1, .single = true};
    double *state = aligned(anb_rls_single_state(&rls));
    AnbRlsFactor s = anb_rls_factor(&rls, state);
    AnbError error = {0};
    anb_rls_init(&rls, state);
    ck_assert_int_eq(anb_rls_validate(&rls, state, &error), 0);
    s.d[3] = -1;
    ck_assert_int_eq(anb_rls_validate(&rls, state, &error), ANB_E_STATE);
    s.d[3] = 1;
    s.u[5] = INFINITY;
    ck_assert_int_eq(anb_rls_validate(&rls, state, &error), ANB_E_STATE);
    s.u[5] = 0;
    s.head->turn = (double)s.panels;
    ck_assert_int_eq(anb_rls_validate(&rls, state, &error), ANB_E_STATE);
    ck_assert_ptr_nonnull(strstr(error.message, "turn"));
    free(state);
}
END_TEST

/* All of the state after 300 updates. */
static uint64_t hash_after(size_t n)
{
    AnbRls rls = {.n = n, .intercept = n % 3 > 0, .delta = 7, .walk = .01, .single = true};
    double *state = aligned(anb_rls_single_state(&rls)), *work = aligned(anb_rls_single_scratch(n)), x[MOST];
    anb_rls_init(&rls, state);
    seed = n;
    for (int t = 0; t < 300; t++) {
        double y = row_of(n, x);
        learn(&rls, state, work, x, y, .998, t % 3 ? 1 : 2);
    }
    uint64_t hash = hash_of(14695981039346656037u, state, anb_rls_single_state(&rls) * sizeof *state);
    free(state);
    free(work);
    return hash;
}

START_TEST(every_instruction_set_gives_the_same_bits)
{
    static const size_t wide[] = {9, 15, 16, 17, 24, 33, 63, 64, 127, 128, 130};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        assert_same_hash(hash_after, wide[i]);
}
END_TEST

/* Few features have no factor: the same predictions in either precision. */
START_TEST(few_features_stay_doubles)
{
    double x[MOST];
    for (size_t n = 8; n <= 9; n++) {
        StreamingLearner *a = anb_parse(n, "rls", NULL, NULL), *b = anb_parse(n, "rls(precision=single)", NULL, NULL);
        bool same = true;
        seed = 3;
        for (int t = 0; t < 100; t++) {
            double y = row_of(n, x);
            same &= anb_train_one(a, x, y, 1) == anb_train_one(b, x, y, 1);
        }
        ck_assert(same == (n == 8));
        anb_free(a);
        anb_free(b);
    }
}
END_TEST

START_TEST(it_takes_half_the_memory)
{
    size_t exact, single;
    ck_assert(anb_parse_bytes(500, "rls", NULL, &exact, NULL) > 0);
    ck_assert(anb_parse_bytes(500, "rls(precision=single)", NULL, &single, NULL) > 0);
    ck_assert_double_le((double)single, .55 * (double)exact);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("rls_single");
    TCase *tests = case_of(suite, 120);
    tcase_add_loop_test(tests, it_is_the_recurrence, 0, SIZES);
    tcase_add_loop_test(tests, it_does_not_diverge, 0, 8);
    tcase_add_test(tests, extremes_leave_it_finite);
    tcase_add_test(tests, a_row_that_floats_cannot_hold_starts_P_again);
    tcase_add_test(tests, other_units_and_less_trust);
    tcase_add_test(tests, what_learning_cannot_have_made_is_refused);
    tcase_add_test(tests, every_instruction_set_gives_the_same_bits);
    tcase_add_test(tests, few_features_stay_doubles);
    tcase_add_test(tests, it_takes_half_the_memory);
    return suite;
}

CHECK_MAIN(suite)
