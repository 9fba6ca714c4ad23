/*
 * Real streams, where they are at hand in ../shared/data: every prediction finite, every row learned.
 */
#include "suite.h"
#include "cli/cli.h"
#include "cli/rows.h"
#include <anabranch/anabranch.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

static char folder[1000];

static bool present(void)
{
    const char *root = getenv("ANB_SOURCE_ROOT");
    snprintf(folder, sizeof folder, "%s/../shared/data", root ? root : ".");
    DIR *dir = opendir(folder);
    if (!dir)
        skip_test("no streams in ../shared/data");
    else
        closedir(dir);
    return dir != NULL;
}

typedef struct Outcome {
    uint64_t rows, infinite, restarts;
    bool missing; /* whether a cell was */
} Outcome;

static Outcome learn(const char *path, const char *expression)
{
    Rows rows;
    Outcome outcome = {0};
    ck_assert_int_eq(rows_open(&rows, path, &(RowsOptions){0}), 0);
    StreamingLearner *model = anb_parse(rows.n_features, expression, NULL, NULL);
    double *x = malloc(rows.n_features * sizeof *x), y = 0;
    ck_assert(model && x);
    int status;
    while ((status = rows_next(&rows, x, &y)) == 0) {
        for (size_t i = 0; i < rows.n_features; i++)
            outcome.missing |= isnan(x[i]);
        outcome.infinite += !isfinite(anb_train_one(model, x, y, 1));
    }
    ck_assert_int_eq(status, -1);
    outcome.rows = rows.read;
    outcome.restarts = anb_counters(model)->restarts;
    anb_free(model);
    free(x);
    rows_close(&rows);
    return outcome;
}

/* Runs an expression over every file; returns on how many it restarted. */
static unsigned learn_all(const char *expression, bool takes_missing)
{
    DIR *dir = opendir(folder);
    unsigned files = 0, restarted = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[1400];
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".csv") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        Outcome outcome = learn(path, expression);
        ck_assert_msg(outcome.rows > 1000, "%s: %llu rows", path, (unsigned long long)outcome.rows);
        if (takes_missing || !outcome.missing)
            ck_assert_msg(outcome.infinite == 0, "%s: %llu predictions of %s are not finite", path,
                          (unsigned long long)outcome.infinite, expression);
        restarted += outcome.restarts > 0;
        files++;
    }
    closedir(dir);
    ck_assert_uint_gt(files, 0);
    return restarted;
}

START_TEST(every_prediction_is_finite)
{
    static const char *const expressions[] = {"scale(moe(linear, rls, rls(lambda=0.99), mean, top_k=2))",
                                              "scale(linear)", "scale(rls)", "mean", "last"};
    for (size_t i = 0; present() && i < sizeof expressions / sizeof *expressions; i++)
        ck_assert_uint_eq(learn_all(expressions[i], true), 0);
}
END_TEST

/* On raw features gradient descent with a fixed step overflows: it starts again, which is counted, and stays finite. */
START_TEST(raw_features_restart_it)
{
    if (present())
        ck_assert_uint_ge(learn_all("linear(bounded=false)", false), 8);
    if (present())
        ck_assert_uint_eq(learn_all("linear", false), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("streams");
    TCase *tests = case_of(suite, 120);
    tcase_add_test(tests, every_prediction_is_finite);
    tcase_add_test(tests, raw_features_restart_it);
    return suite;
}

CHECK_MAIN(suite)
