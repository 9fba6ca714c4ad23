/* One main for every Check program: the file defines `suite()` and ends with CHECK_MAIN. */
#ifndef ANB_TESTS_SUITE_H
#define ANB_TESTS_SUITE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Seconds after which what another thread or process has to do will not be done: far more than one waits for a core on
 * a busy machine. */
enum { PATIENCE = 120 };

/* Runs a suite; the exit status says whether all passed. */
#define CHECK_MAIN(make_suite)                                                                                         \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        SRunner *runner = srunner_create(make_suite());                                                                \
        srunner_run_all(runner, CK_ENV);                                                                               \
        int failed = srunner_ntests_failed(runner);                                                                    \
        srunner_free(runner);                                                                                          \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                                                   \
    }

/* Says that the test that calls it, once, does not run here: tools/check counts the line as skipped and not
 * as passed. */
static inline void skip_test(const char *why)
{
    printf("skipped: %s\n", why);
    fflush(stdout);
}

/* ck_assert_msg for loops over millions of rows. Check itself writes some 50 bytes into a temporary file for each
 * assertion, also for one that holds. */
#define ASSERT_EACH(condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)

/* A suite of one case; the tests follow by tcase_add_test. `timeout`: seconds for each on an idle machine; a busy one
 * gets ten times that. */
static inline TCase *case_of(Suite *suite, double timeout)
{
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 10 * timeout);
    suite_add_tcase(suite, tests);
    return tests;
}

#endif
