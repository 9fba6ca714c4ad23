#include "suite.h"
#include "src/text/hash.h"
#include "src/text/time.h"
#include <anabranch/number.h>
#include <anabranch/schema.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Values of the reference implementation's own self test and of `xxhsum -H64`. */
START_TEST(hashes_as_the_reference)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } known[] = {
        {"", 0xef46db3751d8e999},
        {"a", 0xd24ec4f1a98c6e5b},
        {"abc", 0x44bc2cf5ad770999},
        {"Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ck_assert_uint_eq(anb_hash(known[i].text, strlen(known[i].text)), known[i].hash);
    ck_assert(anb_category("abc", 3) == 0x1p52 + (double)(0x44bc2cf5ad770999 >> 12));
}
END_TEST

START_TEST(categories_are_whole_numbers_of_their_own)
{
    for (int i = 0; i < 100000; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "%d", i);
        double code = anb_category(text, (size_t)n);
        ck_assert(code >= 0x1p52 && code < 0x1p53 && floor(code) == code);
    }
}
END_TEST

/* The host's calendar as an oracle. */
static double oracle(int year, int month, int day, int second)
{
    struct tm when = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    setenv("TZ", "UTC0", 1);
    return (double)mktime(&when) + second;
}

static double parsed(const char *text, AnbTimeOrder order)
{
    double seconds = 0;
    ck_assert_msg(anb_time_parse(text, strlen(text), order, &seconds) == 0, "%s was refused", text);
    return seconds;
}

START_TEST(every_day_of_the_calendar)
{
    char text[ANB_CELL_SIZE], again[ANB_CELL_SIZE];
    for (int64_t day = anb_days_of(1, 1, 1); day <= anb_days_of(9999, 12, 31); day++) {
        double again_at = 0;
        if (anb_time_format((double)(day * 86400), text) != 20 ||
            anb_time_parse(text, 20, ANB_TIME_YMD, &again_at) != 0 || again_at != (double)(day * 86400))
            ck_abort_msg("%s is not day %lld", text, (long long)day);
    }
    for (int year = 1900; year < 2300; year += 7)
        for (int month = 1; month <= 12; month++) {
            snprintf(again, sizeof again, "%04d-%02d-%02d 17:30:05", year, month, 28);
            ck_assert(parsed(again, ANB_TIME_YMD) == oracle(year, month, 28, 63005));
        }
}
END_TEST

static const struct {
    const char *text;
    AnbTimeOrder order;
    const char *same;
} forms[] = {
    {"2013-01-05", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"2013/1/5", ANB_TIME_DMY, "2013-01-05T00:00:00Z"},
    {"2013.01.05", ANB_TIME_MDY, "2013-01-05T00:00:00Z"},
    {"20130105", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"2013-07", ANB_TIME_YMD, "2013-07-01T00:00:00Z"},
    {"2013", ANB_TIME_YMD, "2013-01-01T00:00:00Z"},
    {"2013 17:30", ANB_TIME_YMD, NULL},
    {"5 Jan 2013", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"Jan 5, 2013", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"Sept-2013", ANB_TIME_YMD, "2013-09-01T00:00:00Z"},
    {"december 2013", ANB_TIME_YMD, "2013-12-01T00:00:00Z"},
    {"05-Jan-2013 5:30 pm", ANB_TIME_YMD, "2013-01-05T17:30:00Z"},
    {"2/10/2012 9:00", ANB_TIME_DMY, "2012-10-02T09:00:00Z"},
    {"2/10/2012 9:00", ANB_TIME_MDY, "2012-02-10T09:00:00Z"},
    {"2/10/2012 9:00", ANB_TIME_YMD, NULL},
    {"5/1/13 17:30", ANB_TIME_MDY, "2013-05-01T17:30:00Z"},
    {"05/01/13", ANB_TIME_DMY, "2013-01-05T00:00:00Z"},
    {"05-JAN-68", ANB_TIME_YMD, "2068-01-05T00:00:00Z"},
    {"05-Jan-69", ANB_TIME_YMD, "1969-01-05T00:00:00Z"},
    {"5 Jan 00", ANB_TIME_YMD, "2000-01-05T00:00:00Z"},
    {"Sat, 05 Jan 2013 17:30:05 GMT", ANB_TIME_YMD, "2013-01-05T17:30:05Z"},
    {"Saturday, January 5, 2013", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"SAT 2013-01-05", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"2013-01-05 17:30:05 utc", ANB_TIME_YMD, "2013-01-05T17:30:05Z"},
    {"2013-01-05 17:30:05.25UTC", ANB_TIME_YMD, "2013-01-05T17:30:05.25Z"},
    {"2013-01-05 17:30 UTC+1", ANB_TIME_YMD, NULL},
    {"2013-01-05 17:30 CET", ANB_TIME_YMD, NULL},
    {"Sat", ANB_TIME_YMD, NULL},
    {"Sat,", ANB_TIME_YMD, NULL},
    {"Sat-2013", ANB_TIME_YMD, NULL},
    {"Satur 5 Jan 2013", ANB_TIME_YMD, NULL},
    {"05/01/13", ANB_TIME_YMD, NULL},
    {"05-01-13", ANB_TIME_DMY, NULL},
    {"05.01.13", ANB_TIME_DMY, NULL},
    {"5/1/3", ANB_TIME_DMY, NULL},
    {"5/1/013", ANB_TIME_DMY, NULL},
    {"Jan 5, 13", ANB_TIME_YMD, NULL},
    {"02.10.2012", ANB_TIME_DMY, "2012-10-02T00:00:00Z"},
    {"2013-01-05T17:30", ANB_TIME_YMD, "2013-01-05T17:30:00Z"},
    {"2013-01-05 17:30:05", ANB_TIME_YMD, "2013-01-05T17:30:05Z"},
    {"20130105T173005", ANB_TIME_YMD, "2013-01-05T17:30:05Z"},
    {"2013-01-05T17:30:05.25", ANB_TIME_YMD, "2013-01-05T17:30:05.25Z"},
    {"1969-12-31T23:59:59.75Z", ANB_TIME_YMD, "1969-12-31T23:59:59.75Z"},
    {"2013-01-05T17:30+01:00", ANB_TIME_YMD, "2013-01-05T16:30:00Z"},
    {"2013-01-05T17:30 -0530", ANB_TIME_YMD, "2013-01-05T23:00:00Z"},
    {"2013-01-05T17:30+01", ANB_TIME_YMD, "2013-01-05T16:30:00Z"},
    {"2013-01-05T12:00 AM", ANB_TIME_YMD, "2013-01-05T00:00:00Z"},
    {"2013-01-05T12 PM", ANB_TIME_YMD, "2013-01-05T12:00:00Z"},
    {"2013-01-05T24:00", ANB_TIME_YMD, "2013-01-06T00:00:00Z"},
    {"2016-12-31T23:59:60Z", ANB_TIME_YMD, "2017-01-01T00:00:00Z"},
    {"1357407000", ANB_TIME_YMD, "2013-01-05T17:30:00Z"},
    {"1357407000.5", ANB_TIME_YMD, "2013-01-05T17:30:00.5Z"},
    {"-1", ANB_TIME_YMD, "1969-12-31T23:59:59Z"},
    {"2012-02-29", ANB_TIME_YMD, "2012-02-29T00:00:00Z"},
    {"2013-02-29", ANB_TIME_YMD, NULL},
    {"1900-02-29", ANB_TIME_YMD, NULL},
    {"2013-13-01", ANB_TIME_YMD, NULL},
    {"2013-00-01", ANB_TIME_YMD, NULL},
    {"2013-01-32", ANB_TIME_YMD, NULL},
    {"2013-01-05x", ANB_TIME_YMD, NULL},
    {"2013-01-05T", ANB_TIME_YMD, NULL},
    {"2013-01-05T25:00", ANB_TIME_YMD, NULL},
    {"2013-01-05T24:01", ANB_TIME_YMD, NULL},
    {"2013-01-05T17:60", ANB_TIME_YMD, NULL},
    {"2013-01-05T17:30:05.", ANB_TIME_YMD, NULL},
    {"2013-01-05T17:30 Europe/Berlin", ANB_TIME_YMD, NULL},
    {"2013-01-05T13:00 PM", ANB_TIME_YMD, NULL},
    {"2013-01-05T17", ANB_TIME_YMD, NULL},
    {"2013-01-05T17:30+1", ANB_TIME_YMD, NULL},
    {"0000-01-01", ANB_TIME_YMD, NULL},
    {"13", ANB_TIME_YMD, NULL},
    {"", ANB_TIME_YMD, NULL},
    {"Jan", ANB_TIME_YMD, NULL},
    {"J 2013", ANB_TIME_YMD, NULL},
    {"17:30", ANB_TIME_YMD, NULL},
};

START_TEST(every_form)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char out[ANB_CELL_SIZE];
        double seconds;
        /* Its own allocation: a byte read behind the end is seen by the sanitizer. */
        size_t n = strlen(forms[i].text);
        char *exact = memcpy(malloc(n + 1), forms[i].text, n);
        int code = anb_time_parse(exact, n, forms[i].order, &seconds);
        free(exact);
        ck_assert_msg(code == (forms[i].same ? 0 : ANB_E_SYNTAX), "\"%s\": %d", forms[i].text, code);
        if (!forms[i].same)
            continue;
        anb_time_format(seconds, out);
        ck_assert_str_eq(out, forms[i].same);
    }
}
END_TEST

START_TEST(fractions_are_the_nearest_double)
{
    for (int i = 0; i < 20000; i++) {
        char text[64], out[ANB_CELL_SIZE], *end;
        int64_t whole = (int64_t)i * 1237 - 12000000;
        int nano = (int)((int64_t)i * 7919 * 1009 % 1000000000);
        anb_time_format((double)whole, out);
        snprintf(text, sizeof text, "%.19s.%09d", out, nano);
        /* The same instant as a decimal number, read by the C library. */
        int64_t sum = whole * 1000000000 + nano, size = sum < 0 ? -sum : sum;
        snprintf(out, sizeof out, "%s%lld.%09lld", sum < 0 ? "-" : "", (long long)(size / 1000000000),
                 (long long)(size % 1000000000));
        ck_assert_msg(parsed(text, ANB_TIME_YMD) == strtod(out, &end), "%s is not %s", text, out);
    }
}
END_TEST

START_TEST(printed_times_read_back)
{
    double out_of_range[] = {1e12, -1e12, INFINITY};
    char text[ANB_CELL_SIZE];
    for (int i = 0; i < 100000; i++) {
        double seconds = (double)((int64_t)i * 1234567 - 50000000000) + i / 512.0;
        ck_assert_uint_eq(anb_time_format(seconds, text), strlen(text));
        ck_assert_msg(parsed(text, ANB_TIME_YMD) == seconds, "%s is not %.17g", text, seconds);
    }
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(anb_time_format(out_of_range[i], text), strlen(text));
}
END_TEST

static Suite *suite_of(void)
{
    Suite *suite = suite_create("time");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, hashes_as_the_reference);
    tcase_add_test(tests, categories_are_whole_numbers_of_their_own);
    tcase_add_test(tests, every_day_of_the_calendar);
    tcase_add_test(tests, every_form);
    tcase_add_test(tests, fractions_are_the_nearest_double);
    tcase_add_test(tests, printed_times_read_back);
    return suite;
}
CHECK_MAIN(suite_of)
