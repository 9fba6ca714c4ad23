#include "src/numeric/adwin.h"
#include "src/numeric/random.h"
#include "suite.h"
#include <math.h>

/* The same algorithm over a plain list: every sum taken anew from the values themselves. */
enum { ROOM = 20000 };
typedef struct Direct {
    double value[ROOM];
    size_t n, size[200], buckets;
} Direct;

static void direct_merge(Direct *d)
{
    for (size_t size = 1; size <= d->n; size *= 2) {
        size_t first = d->buckets, same = 0;
        for (size_t i = d->buckets; i-- > 0;)
            if (d->size[i] == size) {
                first = i;
                same++;
            }
        if (same <= ANB_ADWIN_WIDTH)
            continue;
        d->size[first] *= 2;
        memmove(d->size + first + 1, d->size + first + 2, (d->buckets - first - 2) * sizeof(size_t));
        d->buckets--;
    }
}

static double direct_mean(const double *value, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += value[i];
    return sum / (double)n;
}

static int direct_cut(const Direct *d, double delta)
{
    double mean = direct_mean(d->value, d->n), variance = 0;
    for (size_t i = 0; i < d->n; i++)
        variance += (d->value[i] - mean) * (d->value[i] - mean) / (double)d->n;
    for (size_t i = 0, n0 = 0; i + 1 < d->buckets; i++) {
        n0 += d->size[i];
        double n1 = (double)(d->n - n0), gap = direct_mean(d->value + n0, d->n - n0) - direct_mean(d->value, n0);
        double m = 1 / (1 / (double)n0 + 1 / n1), l = log(2 * log((double)d->n) / delta);
        double bound = sqrt(2 / m * variance * l) + 2 / (3 * m) * l;
        if (fabs(gap) > bound)
            return gap > 0 ? 1 : -1;
    }
    return 0;
}

static int direct_add(Direct *d, double value, double delta, size_t tick)
{
    int change = 0, sign;
    d->value[d->n++] = value;
    d->size[d->buckets++] = 1;
    direct_merge(d);
    while (tick % ANB_ADWIN_PERIOD == 0 && d->n >= 10 && (sign = direct_cut(d, delta)) != 0) {
        change = sign;
        d->n -= d->size[0];
        memmove(d->value, d->value + d->size[0], d->n * sizeof(double));
        memmove(d->size, d->size + 1, --d->buckets * sizeof(size_t));
    }
    return change;
}

static double level(size_t i)
{
    return i < 1500 ? .3 : i < 2500 ? .5 : i < 4500 ? .2 : .2 + .6 * (double)(i - 4500) / 3000;
}

static double mean_of(const AnbAdwin *window)
{
    return window->sum / (double)window->n;
}

START_TEST(equals_a_direct_evaluation)
{
    static Direct direct;
    AnbAdwin window = {0};
    AnbRandom random;
    int rises = 0, falls = 0;
    anb_random_seed(&random, 5);
    memset(&direct, 0, sizeof direct);
    for (size_t i = 0; i < 7500; i++) {
        double value = level(i) + .4 * (anb_random_uniform(&random) - .5);
        int change = anb_adwin_add(&window, value, .01);
        ck_assert_int_eq(change, direct_add(&direct, value, .01, i + 1));
        ck_assert_uint_eq(window.n, direct.n);
        ck_assert_double_eq_tol(mean_of(&window), direct_mean(direct.value, direct.n), 1e-9);
        rises += change > 0;
        falls += change < 0;
    }
    ck_assert_int_ge(rises, 2);
    ck_assert_int_ge(falls, 1);
    ck_assert(anb_adwin_valid(&window));
}
END_TEST

START_TEST(false_alarms_are_rare_and_memory_is_bounded)
{
    AnbAdwin window = {0};
    AnbRandom random;
    int alarms = 0;
    anb_random_seed(&random, 11);
    for (int i = 0; i < 300000; i++)
        alarms += anb_adwin_add(&window, anb_random_uniform(&random) < .3, .002) != 0;
    ck_assert_int_le(alarms, 1);
    ck_assert_uint_gt(window.n, 100000);
    ck_assert_double_eq_tol(mean_of(&window), .3, .01);
    ck_assert(anb_adwin_valid(&window));
}
END_TEST

START_TEST(a_jump_is_found_soon)
{
    AnbAdwin window = {0};
    AnbRandom random;
    anb_random_seed(&random, 3);
    for (int i = 0; i < 5000; i++)
        anb_adwin_add(&window, .2 + .1 * anb_random_uniform(&random), .01);
    int delay = 0;
    while (anb_adwin_add(&window, .4 + .1 * anb_random_uniform(&random), .01) == 0)
        ck_assert_int_lt(++delay, 100);
    ck_assert_uint_lt(window.n, 200);
}
END_TEST

START_TEST(a_constant_never_alarms)
{
    AnbAdwin window = {0};
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(anb_adwin_add(&window, _i == 0 ? 0 : 1, .1), 0);
    ck_assert_uint_eq(window.n, 10000);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("adwin");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, equals_a_direct_evaluation);
    tcase_add_test(tests, false_alarms_are_rare_and_memory_is_bounded);
    tcase_add_test(tests, a_jump_is_found_soon);
    tcase_add_loop_test(tests, a_constant_never_alarms, 0, 2);
    return suite;
}

CHECK_MAIN(suite)
