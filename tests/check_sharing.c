/* Whether a pool shares a call (src/host/share_choice.h). The times are given by the test, so nothing depends on the
 * clock. */
#include "src/host/share_choice.h"
#include "suite.h"

enum { SAMPLES = 1000 };
static const AnbShareGain small = {.gain = 5000, .wake = 10000}, large = {.gain = 50000, .wake = 10000};

/* One call, whose samples take the time `alone` or the time `shared`; whether it was shared. */
static bool call_of(AnbShareRecords *records, size_t samples, AnbShareGain gain, double alone, double shared)
{
    AnbShareRecord *record = anb_share_record(records, samples, alone, gain);
    ck_assert_ptr_nonnull(record);
    bool is = anb_share_decide(record);
    anb_share_took(record, is ? shared : alone, samples);
    return is;
}

/* How many of `calls` are shared. */
static int shared_of(AnbShareRecords *records, int calls, AnbShareGain gain, double alone, double shared)
{
    int n = 0;
    for (int i = 0; i < calls; i++)
        n += call_of(records, SAMPLES, gain, alone, shared);
    return n;
}

START_TEST(what_gains_nothing_stays_alone)
{
    AnbShareRecords records = {0};
    ck_assert_ptr_null(anb_share_record(&records, SAMPLES, 8, (AnbShareGain){0, 10000}));
    ck_assert_ptr_null(anb_share_record(&records, SAMPLES, 8, (AnbShareGain){-5, 10000}));
}
END_TEST

START_TEST(the_faster_way_goes_on)
{
    AnbShareRecords records = {0};
    ck_assert_int_eq(shared_of(&records, 8, large, 8, 4), 8);
    ck_assert_int_eq(shared_of(&records, 1000, large, 8, 4), 984); /* alone four times after 8, 64, 128, .. calls */
    AnbShareRecords other = {0};
    ck_assert_int_eq(shared_of(&other, 8, small, 8, 4), 0);
    ck_assert_int_eq(shared_of(&other, 4, small, 8, 4), 4);
    ck_assert_int_ge(shared_of(&other, 1000, small, 8, 4), 984);
}
END_TEST

/* After a shared call the first samples take longer: they wait for what the other core has written. The kind of call is
 * the same. */
START_TEST(what_another_core_has_written_is_no_other_kind_of_call)
{
    AnbShareRecords records = {0};
    bool shared = false;
    int n = 0;
    for (int i = 0; i < 1000; i++) {
        AnbShareRecord *record = anb_share_record(&records, SAMPLES, shared ? 40 + 100 * (i % 7 == 0) : 9, large);
        shared = anb_share_decide(record);
        anb_share_took(record, shared ? 13 : 8, SAMPLES);
        n += shared;
    }
    ck_assert_int_le(n, 120); /* 8 calls, then trials of 16 */
    ck_assert_double_le(anb_share_ns(anb_share_record(&records, SAMPLES, 9, large)), 9);
    /* Three calls in turn that take a hundred times as long are another kind of call: the record begins anew. */
    for (int i = 0; i < 3; i++)
        anb_share_took(anb_share_record(&records, SAMPLES, 900, large), 900, SAMPLES);
    ck_assert_double_ge(anb_share_ns(anb_share_record(&records, SAMPLES, 900, large)), 900);
}
END_TEST

/* Threads that wake after ten calls, of 8 us each: sharing is tried until they are there. */
START_TEST(threads_have_time_to_wake)
{
    AnbShareRecords records = {0};
    ck_assert_int_eq(shared_of(&records, 8, small, 8, 10), 0);
    ck_assert_int_eq(shared_of(&records, 10, small, 8, 10), 10);
    ck_assert_int_ge(shared_of(&records, 1000, small, 8, 4), 985);
    AnbShareRecords never = {0};
    ck_assert_int_eq(shared_of(&never, 100, small, 8, 10), 200000 / 10000);
}
END_TEST

/* Sharing that was faster and is not any more, since other programs have the cores, is given up within some calls. */
START_TEST(what_gets_worse_is_looked_at_again)
{
    AnbShareRecords records = {0};
    ck_assert_int_ge(shared_of(&records, 5000, large, 8, 4), 4900);
    ck_assert_int_le(shared_of(&records, 200, large, 8, 12), 25); /* among them a trial of 17 calls */
    ck_assert_int_ge(shared_of(&records, 300, large, 8, 4), 100);
}
END_TEST

START_TEST(what_is_slower_is_given_up)
{
    AnbShareRecords records = {0};
    shared_of(&records, 12, large, 8, 9);
    ck_assert_int_eq(shared_of(&records, 60, large, 8, 9), 0);
    int tried = shared_of(&records, 20000, large, 8, 9);
    ck_assert_msg(tried > 0 && tried <= 250, "%d", tried);
    ck_assert_int_ge(shared_of(&records, 10000, large, 8, 4),
                     4000); /* the shared way, now the faster one, is taken again */
}
END_TEST

/* One call that took long, since another program had the core, does not change the way for long. */
START_TEST(one_slow_call_changes_little)
{
    AnbShareRecords records = {0};
    shared_of(&records, 20, large, 8, 4);
    call_of(&records, SAMPLES, large, 8, 4000);
    ck_assert_int_ge(shared_of(&records, 200, large, 8, 4), 188);
}
END_TEST

/* A way whose calls in a trial were held up, all but one, still wins where it is faster. */
START_TEST(one_quick_call_of_a_trial_is_enough)
{
    AnbShareRecords records = {0};
    ck_assert_int_eq(shared_of(&records, 8, large, 8, 12), 8);
    for (int i = 0; i < 4; i++)
        ck_assert(!call_of(&records, SAMPLES, large, i == 2 ? 8 : 20, 12));
    ck_assert_int_eq(shared_of(&records, 60, large, 8, 12), 0);
}
END_TEST

START_TEST(calls_of_other_sizes_and_costs_are_others)
{
    AnbShareRecords records = {0};
    shared_of(&records, 20, large, 8, 9);
    ck_assert(!call_of(&records, SAMPLES, large, 8, 9));
    ck_assert(call_of(&records, 64 * SAMPLES, large, 8, 4));
    ck_assert(!call_of(&records, SAMPLES, large, 20, 9));
    ck_assert(!call_of(&records, SAMPLES, large, 200, 100)); /* it may have been held up */
    shared_of(&records, 2, large, 200, 100);
    ck_assert(call_of(&records, SAMPLES, large, 200, 100));
    ck_assert(call_of(&records, SAMPLES, large, 201, 100));
    ck_assert(call_of(&records, SIZE_MAX, large, 8, 4) && call_of(&records, 1, large, 8, 4));
}
END_TEST

/* Calls that were to be shared and were done alone, since threads sleep. */
START_TEST(what_is_put_off_tells_nothing)
{
    AnbShareRecords records = {0}, other = {0};
    for (int i = 0; i < 100; i++) {
        AnbShareRecord *record = anb_share_record(&records, SAMPLES, 9, large);
        ck_assert(anb_share_decide(record));
        anb_share_put_off(record);
        ck_assert_double_eq(record->tried[true], 0);
    }
    ck_assert_int_eq(shared_of(&records, 8, large, 8, 4), 8);
    ck_assert_int_eq(shared_of(&records, 4, large, 8, 4), 0); /* a trial */
    ck_assert_int_eq(shared_of(&other, 8, small, 8, 4), 0);
    for (int i = 0; i < 100; i++) {
        AnbShareRecord *record = anb_share_record(&other, SAMPLES, 8, small);
        ck_assert(anb_share_decide(record)); /* the trial waits */
        anb_share_put_off(record);
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
