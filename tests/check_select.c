/* select: which features get a place, what a child that is prepared learns, and that nothing is lost by it. */
#include "made.h"
#include "numbers.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/type.h>
#include <math.h>
#include <string.h>

enum { REAL = 4, NOISE = 30, D = REAL + NOISE };

/* ---- a child that keeps what it was shown ------------------------------------------------------------------------ */

enum { PLACES = 3, KEPT = 4096 };
typedef struct Log {
    uint64_t n;
    double x[KEPT][PLACES], raw[KEPT][PLACES], y[KEPT];
} Log;

static size_t log_bytes(const AnbNode *self)
{
    (void)self;
    return sizeof(Log);
}

static const AnbField log_fields[] = {{.name = "log", .kind = ANB_U8, .count = log_bytes}, {0}};
static const Log *logs[2];

static double mean_of_log(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Log *log = state;
    (void)row, (void)scratch;
    logs[self->state_offset > self->parent->children[0].state_offset] = log;
    double sum = 0;
    for (uint64_t i = 0; i < log->n; i++)
        sum += log->y[i];
    return log->n > 0 ? sum / (double)log->n : 0;
}

static void log_row(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Log *log = state;
    (void)self, (void)weight, (void)scratch;
    for (size_t k = 0; k < PLACES; k++) {
        log->x[log->n][k] = row->x[k];
        log->raw[log->n][k] = row->raw[k];
    }
    log->y[log->n++] = y;
}

static const StreamingLearnerType logger = {
    .name = "logger",
    .flags = ANB_WEIGHT_SCALED | ANB_READS_X,
    .version = 1,
    .fields = log_fields,
    .predict = mean_of_log,
    .update = log_row,
};

static double cells[KEPT][D], targets[KEPT];

/* Rows of which x_1 counts from the start, x_2 from row `from` on. */
static void draw(int rows, int from)
{
    uint64_t seed = 5;
    for (int n = 0; n < rows; n++) {
        for (size_t j = 0; j < D; j++)
            cells[n][j] = (double)(float)noise(&seed);
        targets[n] = cells[n][1] + (n >= from ? 2 * cells[n][2] : 0) + 0.1 * noise(&seed);
    }
}

/* Both children have learned a row each, in order, the prepared one those that came before as well; the last rows show
 * x_1 and x_2. */
START_TEST(a_child_is_prepared_by_all_rows_in_order)
{
    enum { N = 600 };
    StreamingLearner *model = made_with(D, "select(logger, logger, most=3)", &logger);
    draw(N, 100);
    for (int n = 0; n < N; n++)
        anb_train_one(model, cells[n], targets[n], 1);
    anb_predict(model, cells[0]);
    ck_assert_ptr_nonnull(logs[0]);
    ck_assert_ptr_nonnull(logs[1]);
    const Log *all = logs[0]->n > logs[1]->n ? logs[0] : logs[1];
    ck_assert_uint_eq(logs[0]->n, N);
    for (int n = 0; n < N; n++)
        ck_assert_double_eq(all->y[n], targets[n]);
    const double *last = all->x[N - 1];
    int seen = 0;
    for (int k = 0; k < PLACES; k++)
        seen += last[k] == cells[N - 1][1] || last[k] == cells[N - 1][2];
    ck_assert_int_eq(seen, 2);
    anb_free(model);
}
END_TEST

/* ---- with the library's learners --------------------------------------------------------------------------------- */

typedef double Target(const double *x, int n);

static double line(const double *x, int n)
{
    (void)n;
    return x[0] - 2 * x[1] + x[2] + x[3];
}

static double product(const double *x, int n)
{
    (void)n;
    return 2 * x[0] * x[1] + x[2];
}

static double of_three(const double *x, int n)
{
    (void)n;
    return 12 * x[0] * x[1] * x[2] + x[3];
}

static double late(const double *x, int n)
{
    return x[0] + (n >= 2000 ? 2 * x[1] : 0);
}

/* RMSE on rows from `first` to `end`; features are times `unit`. */
static double error_between(const char *expression, int first, int end, Target *target, double unit)
{
    StreamingLearner *model = made(D, expression);
    uint64_t seed = 3;
    double sum = 0;
    for (int n = 0; n < end; n++) {
        double x[D], given[D];
        for (size_t j = 0; j < D; j++) {
            x[j] = noise(&seed);
            given[j] = unit * x[j];
        }
        double y = target(x, n) + 0.3 * noise(&seed), e = y - anb_train_one(model, given, y, 1);
        sum += n >= first ? e * e : 0;
    }
    anb_free(model);
    return sqrt(sum / (end - first));
}

START_TEST(noise_columns_cost_less)
{
    double wide = error_between("scale(rls)", 100, 400, line, 1),
           narrow = error_between("scale(narrow(rls, of=\"4y *n\"))", 100, 400, line, 1),
           found = error_between("scale(select(rls, rls, most=8))", 100, 400, line, 1);
    ck_assert_double_lt(found, 0.95 * wide);
    ck_assert_double_lt(found, 1.03 * narrow);
}
END_TEST

/* Neither x_0 nor x_1 says anything by itself. */
START_TEST(a_product_is_found)
{
    const char *found = "scale(select(poly(rls), poly(rls), most=6))", *of = "scale(narrow(poly(rls), of=\"4y *n\"))";
    ck_assert_double_lt(error_between(found, 1500, 3000, product, 1), 1.1 * error_between(of, 1500, 3000, product, 1));
}
END_TEST

/* Of x_0, x_1 and x_2 none says anything by itself, nor does a product of two of them. */
START_TEST(a_product_of_three_is_found)
{
    const char *found = "scale(select(knn(window=2000), knn(window=2000), most=4))",
               *of = "scale(narrow(knn(window=2000), of=\"4y *n\"))", *without = "scale(narrow(rls, of=\"4y *n\"))";
    const double found_error = error_between(found, 4000, 5000, of_three, 1);
    ck_assert_double_lt(found_error, 1.1 * error_between(of, 4000, 5000, of_three, 1));
    ck_assert_double_lt(found_error, 0.8 * error_between(without, 4000, 5000, of_three, 1));
}
END_TEST

START_TEST(a_feature_that_counts_late_is_taken_in)
{
    const char *found = "scale(select(rls, rls, most=4))", *of = "scale(narrow(rls, of=\"4y *n\"))";
    ck_assert_double_lt(error_between(found, 5000, 6000, late, 1), 1.1 * error_between(of, 5000, 6000, late, 1));
}
END_TEST

/* Remembered rows follow the scale's changes of unit. */
START_TEST(units_do_not_matter)
{
    const char *found = "scale(select(knn(window=100), knn(window=100), most=4))";
    double one = error_between(found, 200, 1000, product, 1), other = error_between(found, 200, 1000, product, 1e6);
    ck_assert_double_eq_tol(other / one, 1, 0.02);
}
END_TEST

/* Saved while a child is being prepared, and in its trial, it goes on to the bit. */
START_TEST(a_saved_model_goes_on)
{
    StreamingLearner *model = made(D, "scale(select(additive(cells=4), additive(cells=4), most=3))"), *loaded = NULL;
    draw(1000, 50);
    for (int n = 0; n < 1000; n++) {
        if (n % 37 == 0) {
            AnbError error = {0};
            anb_free(loaded);
            loaded = reloaded(model, &error);
            ck_assert_msg(loaded != NULL, "%s", error.message);
        }
        double f = anb_train_one(model, cells[n], targets[n], 1);
        ck_assert_double_eq(anb_train_one(loaded, cells[n], targets[n], 1), f);
    }
    ck_assert(anb_equal(model, loaded));
    anb_free(loaded);
    anb_free(model);
}
END_TEST

START_TEST(missing_cells_are_taken)
{
    StreamingLearner *model = made(D, "scale(select(additive, additive, most=3))");
    draw(600, 0);
    for (int n = 0; n < 600; n++) {
        cells[n][n % D] = NAN;
        ck_assert(isfinite(anb_train_one(model, cells[n], targets[n], 1)));
    }
    ck_assert_uint_eq(anb_counters(model)->rejected_features, 0);
    anb_free(model);
}
END_TEST

START_TEST(what_is_refused)
{
    AnbError error = {0};
    ck_assert_ptr_null(anb_parse(513, "select(rls, rls)", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "select: 513 features, at most 512"));
    ck_assert_ptr_null(anb_parse(30, "select(rls)", NULL, &error));
    ck_assert_ptr_null(anb_parse(30, "select(rls, rls, most=65)", NULL, &error));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("select");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, a_child_is_prepared_by_all_rows_in_order);
    tcase_add_test(tests, noise_columns_cost_less);
    tcase_add_test(tests, a_product_is_found);
    tcase_add_test(tests, a_product_of_three_is_found);
    tcase_add_test(tests, a_feature_that_counts_late_is_taken_in);
    tcase_add_test(tests, units_do_not_matter);
    tcase_add_test(tests, a_saved_model_goes_on);
    tcase_add_test(tests, missing_cells_are_taken);
    tcase_add_test(tests, what_is_refused);
    return suite;
}

CHECK_MAIN(suite)
