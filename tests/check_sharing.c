/* Whether a pool shares a call (src/host/ways.h). The times are given by the test, so nothing depends on the clock. */
#include "src/host/ways.h"
#include "suite.h"

enum { SAMPLES = 1000 };
static const AnbWaysGain small = {.gain = 5000, .wake = 10000}, large = {.gain = 50000, .wake = 10000};

/* One call, whose samples take the time `alone` or the time `shared`; whether it was shared. */
static bool call_of(AnbWays *ways, size_t samples, AnbWaysGain gain, double alone, double shared)
{
    AnbWay *way = anb_ways_of(ways, samples, alone, gain);
    ck_assert_ptr_nonnull(way);
    bool is = anb_way_shared(way);
    anb_way_took(way, is ? shared : alone, samples);
    return is;
}

/* How many of `calls` are shared. */
static int shared_of(AnbWays *ways, int calls, AnbWaysGain gain, double alone, double shared)
{
    int n = 0;
    for (int i = 0; i < calls; i++)
        n += call_of(ways, SAMPLES, gain, alone, shared);
    return n;
}

START_TEST(what_gains_nothing_stays_alone)
{
    AnbWays ways = {0};
    ck_assert_ptr_null(anb_ways_of(&ways, SAMPLES, 8, (AnbWaysGain){0, 10000}));
    ck_assert_ptr_null(anb_ways_of(&ways, SAMPLES, 8, (AnbWaysGain){-5, 10000}));
}
END_TEST

START_TEST(the_faster_way_goes_on)
{
    AnbWays ways = {0};
    ck_assert_int_eq(shared_of(&ways, 8, large, 8, 4), 8);
    ck_assert_int_eq(shared_of(&ways, 1000, large, 8, 4), 984); /* alone four times after 8, 64, 128, .. calls */
    AnbWays other = {0};
    ck_assert_int_eq(shared_of(&other, 8, small, 8, 4), 0);
    ck_assert_int_eq(shared_of(&other, 4, small, 8, 4), 4);
    ck_assert_int_ge(shared_of(&other, 1000, small, 8, 4), 984);
}
END_TEST

/* After a shared call the first samples take longer: they wait for what the other core has written. The kind of call is the same. */
START_TEST(what_another_core_has_written_is_no_other_kind_of_call)
{
    AnbWays ways = {0};
    bool shared = false;
    int n = 0;
    for (int i = 0; i < 1000; i++) {
        AnbWay *way = anb_ways_of(&ways, SAMPLES, shared ? 40 + 100 * (i % 7 == 0) : 9, large);
        shared = anb_way_shared(way);
        anb_way_took(way, shared ? 13 : 8, SAMPLES);
        n += shared;
    }
    ck_assert_int_le(n, 120); /* 8 calls, then trials of 16 */
    ck_assert_double_le(anb_way_ns(anb_ways_of(&ways, SAMPLES, 9, large)), 9);
    /* Three calls in turn that take a hundred times as long are another kind of call: the record begins anew. */
    for (int i = 0; i < 3; i++)
        anb_way_took(anb_ways_of(&ways, SAMPLES, 900, large), 900, SAMPLES);
    ck_assert_double_ge(anb_way_ns(anb_ways_of(&ways, SAMPLES, 900, large)), 900);
}
END_TEST

/* Threads that wake after ten calls, of 8 us each: sharing is tried until they are there. */
START_TEST(threads_have_time_to_wake)
{
    AnbWays ways = {0};
    ck_assert_int_eq(shared_of(&ways, 8, small, 8, 10), 0);
    ck_assert_int_eq(shared_of(&ways, 10, small, 8, 10), 10);
    ck_assert_int_ge(shared_of(&ways, 1000, small, 8, 4), 985);
    AnbWays never = {0};
    ck_assert_int_eq(shared_of(&never, 100, small, 8, 10), 200000 / 10000);
}
END_TEST

/* Sharing that was faster and is not any more, since other programs have the cores, is given up within some calls. */
START_TEST(what_gets_worse_is_looked_at_again)
{
    AnbWays ways = {0};
    ck_assert_int_ge(shared_of(&ways, 5000, large, 8, 4), 4900);
    ck_assert_int_le(shared_of(&ways, 200, large, 8, 12), 25); /* among them a trial of 17 calls */
    ck_assert_int_ge(shared_of(&ways, 300, large, 8, 4), 100);
}
END_TEST

START_TEST(what_is_slower_is_given_up)
{
    AnbWays ways = {0};
    shared_of(&ways, 12, large, 8, 9);
    ck_assert_int_eq(shared_of(&ways, 60, large, 8, 9), 0);
    int tried = shared_of(&ways, 20000, large, 8, 9);
    ck_assert_msg(tried > 0 && tried <= 250, "%d", tried);
    ck_assert_int_ge(shared_of(&ways, 10000, large, 8, 4),
                     4000); /* the shared way, now the faster one, is taken again */
}
END_TEST

/* One call that took long, since another program had the core, does not change the way for long. */
START_TEST(one_slow_call_changes_little)
{
    AnbWays ways = {0};
    shared_of(&ways, 20, large, 8, 4);
    call_of(&ways, SAMPLES, large, 8, 4000);
    ck_assert_int_ge(shared_of(&ways, 200, large, 8, 4), 188);
}
END_TEST

/* A way whose calls in a trial were held up, all but one, still wins where it is faster. */
START_TEST(one_quick_call_of_a_trial_is_enough)
{
    AnbWays ways = {0};
    ck_assert_int_eq(shared_of(&ways, 8, large, 8, 12), 8);
    for (int i = 0; i < 4; i++)
        ck_assert(!call_of(&ways, SAMPLES, large, i == 2 ? 8 : 20, 12));
    ck_assert_int_eq(shared_of(&ways, 60, large, 8, 12), 0);
}
END_TEST

START_TEST(calls_of_other_sizes_and_costs_are_others)
{
    AnbWays ways = {0};
    shared_of(&ways, 20, large, 8, 9);
    ck_assert(!call_of(&ways, SAMPLES, large, 8, 9));
    ck_assert(call_of(&ways, 64 * SAMPLES, large, 8, 4));
    ck_assert(!call_of(&ways, SAMPLES, large, 20, 9));
    ck_assert(!call_of(&ways, SAMPLES, large, 200, 100)); /* it may have been held up */
    shared_of(&ways, 2, large, 200, 100);
    ck_assert(call_of(&ways, SAMPLES, large, 200, 100));
    ck_assert(call_of(&ways, SAMPLES, large, 201, 100));
    ck_assert(call_of(&ways, SIZE_MAX, large, 8, 4) && call_of(&ways, 1, large, 8, 4));
}
END_TEST

/* Calls that were to be shared and were done alone, since threads sleep. */
START_TEST(what_is_put_off_tells_nothing)
{
    AnbWays ways = {0}, other = {0};
    for (int i = 0; i < 100; i++) {
        AnbWay *way = anb_ways_of(&ways, SAMPLES, 9, large);
        ck_assert(anb_way_shared(way));
        anb_way_put_off(way);
        ck_assert_double_eq(way->tried[true], 0);
    }
    ck_assert_int_eq(shared_of(&ways, 8, large, 8, 4), 8);
    ck_assert_int_eq(shared_of(&ways, 4, large, 8, 4), 0); /* a trial */
    ck_assert_int_eq(shared_of(&other, 8, small, 8, 4), 0);
    for (int i = 0; i < 100; i++) {
        AnbWay *way = anb_ways_of(&other, SAMPLES, 8, small);
        ck_assert(anb_way_shared(way)); /* the trial waits */
        anb_way_put_off(way);
    }
    ck_assert_int_eq(shared_of(&other, 4, small, 8, 4), 4);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("sharing");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, what_is_put_off_tells_nothing);
    tcase_add_test(tests, what_gains_nothing_stays_alone);
    tcase_add_test(tests, the_faster_way_goes_on);
    tcase_add_test(tests, what_another_core_has_written_is_no_other_kind_of_call);
    tcase_add_test(tests, threads_have_time_to_wake);
    tcase_add_test(tests, what_gets_worse_is_looked_at_again);
    tcase_add_test(tests, what_is_slower_is_given_up);
    tcase_add_test(tests, one_slow_call_changes_little);
    tcase_add_test(tests, one_quick_call_of_a_trial_is_enough);
    tcase_add_test(tests, calls_of_other_sizes_and_costs_are_others);
    return suite;
}

CHECK_MAIN(suite)
