#include "suite.h"
#include <anabranch/number.h>
#include <locale.h>
#include <math.h>
#include "src/text/decimal.h"
#include "src/numeric/random.h"
#include <stdio.h>
#include <string.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static AnbRandom random_state;
static uint64_t bits64(void)
{
    uint64_t high = anb_random_bits(&random_state);
    return high << 32 | anb_random_bits(&random_state);
}

/* Reads a text alone, and the same text with other bytes behind it. strtod in the C locale is the oracle. */
static void check_text(const char *text)
{
    char more[4096], *end;
    double value = 0, again = 0, oracle = strtod(text, &end);
    int used = anb_number_parse(text, strlen(text), &value);
    ASSERT_EACH(used == end - text, "%d of %d bytes of %s", used, (int)(end - text), text);
    ASSERT_EACH(bits_of(value) == bits_of(oracle), "%s gives %a, not %a", text, value, oracle);
    static const char *const behind[] = {",12345678", "@source:1", "x", ",1234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof behind / sizeof *behind && strlen(text) < sizeof more - 50; i++) {
        snprintf(more, sizeof more, "%s%s", text, behind[i]);
        ASSERT_EACH(anb_number_parse(more, strlen(more), &again) == used && bits_of(again) == bits_of(value), "%s",
                    more);
    }
}

static const char *const texts[] = {
    "0",
    "-0",
    "+0",
    "0.0",
    "-0.0e5",
    "1",
    "-1",
    "+1",
    "5.",
    ".5",
    "-.5",
    "00012",
    "0.1",
    "0.2",
    "0.3",
    "123456789",
    "12345678",
    "1234567",
    "3.14159265358979323846",
    "1e0",
    "1e22",
    "1e23",
    "1e-22",
    "1e-23",
    "8.5e22",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0000000000000000000000000001",
    "9007199254740991.5",
    "9007199254740994",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "17976931348623158e292",
    "1e308",
    "1e309",
    "1e400",
    "-1e400",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "0e99999999999999999999",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.4703282292062329e-324",
    "2.2250738585072011e-308",
    "2.2250738585072012e-308",
    "2.2250738585072014e-308",
    "2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516529"
    "52390813508791414915891303962110687008643869459464552765720740782062174337998814106326732925355228688137214901"
    "2981122451"
    "45188984905722230728525513315575501591439747639798341180199932396254828901710708185069063066665599493827577257"
    "2015763"
    "06269066333264756530000924588831643303777979186961204949739037782970490505108060994073026293712895895000358379"
    "9967207"
    "25430436028407889577179615094551674824347103070260914462157228988025818254518032570701886087211312807951223342"
    "6288368"
    "62232150377566662250398253433597456888442390026549819838548794829220689472168983109969836584681402285424333066"
    "0339850"
    "88644580400103493397042756718644338377048603786162277173854562306587467901408672332763671875123456789012345678"
    "9012345"
    "678901e-308",
    "6.631236846766476e-316",
    "1e-323",
    "1e-325",
    "179769313486231580793728971405303415079934132710037826936173778980444"
    "96829276475094664901797758720709633028641669288791094655554785194040263065748867150582068190890200070838367627"
    "3854845"
    "817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
    "0.000000000000000000000000000000000000000000000000012345678901234567890123456789",
    "100000000000000000000000000000",
    "1234567890123456789012345678901234567890e-30",
    "0.30000000000000004",
    "2.5e-1",
    "12.5E+3",
    "7e+02",
    "1e-5",
    "4e15",
    "0.500000000000000166533453693773481063544750213623046875",
    "3.518437208883201171875e13",
    "62.5364939768271845828",
    "8.10109172351e-10",
    "1.50000000000000011102230246251565",
    "1.50000000000000033306690738754695",
    "1090544144181609348671888949248"};

START_TEST(hard_and_plain_numbers)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(texts[i]);
}
END_TEST

START_TEST(where_a_number_ends)
{
    static const struct {
        const char *text;
        int used;
        double value;
    } cases[] = {{"1e", 1, 1},      {"1e+", 1, 1},
                 {"1e-x", 1, 1},    {"1.5.5", 3, 1.5},
                 {"0x10", 1, 0},    {"12abc", 2, 12},
                 {"1,5", 1, 1},     {"1-", 1, 1},
                 {"5..5", 2, 5},    {"5..5,1234567890123456789012345678901234567890", 2, 5},
                 {"1e5e5", 3, 1e5}, {"3 ", 1, 3}};
    static const char *const refused[] = {
        "",   "-",   "+",   ".",   "-.",  "e5", ".e5",
        " 1", "inf", "nan", "--1", "+-1", "x",  ".,1234567890123456789012345678901234567890"};
    static const char *const tails[] = {"", "e1", "e+12", "e-123", "e", "e+", "E5@s:1", "e-@s:1"};
    static const char many[] = "123456789012345678901234567890123456789012345678901";
    double value = 7;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(anb_number_parse(cases[i].text, strlen(cases[i].text), &value), cases[i].used);
        ck_assert_msg(value == cases[i].value, "%s gives %g", cases[i].text, value);
        value = 7;
        ck_assert_int_eq(anb_number_parse_all(cases[i].text, strlen(cases[i].text), &value), ANB_E_SYNTAX);
        ck_assert(value == 7);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ck_assert_int_eq(anb_number_parse(refused[i], strlen(refused[i]), &value), ANB_E_SYNTAX);
        ck_assert_int_eq(anb_number_parse_all(refused[i], strlen(refused[i]), &value), ANB_E_SYNTAX);
    }
    ck_assert_int_eq(anb_number_parse_all("-2.5e1", 6, &value), ANB_OK);
    ck_assert(value == -25);
    /* numbers that end, or seem to, about where the copy of a short text is cut */
    for (int digits = 1; digits < 45; digits++)
        for (int whole = 1; whole <= digits; whole += 3)
            for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
                char text[120];
                snprintf(text, sizeof text, "%.*s.%.*s%s", whole, many, digits - whole, many + whole, tails[i]);
                check_text(text);
            }
    ck_assert_int_eq(anb_number_parse("123456789", 4, &value), 4);
    ck_assert(value == 1234);
}
END_TEST

/* How many random numbers a test reads: ANB_NUMBERS, or few enough for a quick run. */
static unsigned amount(void)
{
    const char *text = getenv("ANB_NUMBERS");
    return text ? (unsigned)strtoul(text, NULL, 10) : 60000;
}

static double any_double(void)
{
    for (;;) {
        uint64_t bits = bits64();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            return value;
    }
}

/* Doubles over all exponents, with 1 to 25 digits. */
START_TEST(random_doubles)
{
    char text[64];
    anb_random_seed(&random_state, 1);
    for (unsigned i = 0; i < amount(); i++) {
        snprintf(text, sizeof text, "%.*e", (int)(i % 25), any_double());
        check_text(text);
    }
}
END_TEST

/* Numbers as files have them. */
START_TEST(random_cells)
{
    char text[400];
    anb_random_seed(&random_state, 2);
    for (unsigned i = 0; i < amount(); i++) {
        double size = ldexp((double)bits64(), (int)anb_random_below(&random_state, 100) - 90);
        snprintf(text, sizeof text, "%.*f", (int)anb_random_below(&random_state, 12), i % 2 ? size : -size);
        check_text(text);
    }
}
END_TEST

/* Digits at random, long ones too, with a point anywhere and any exponent. */
START_TEST(random_texts)
{
    char text[1100];
    anb_random_seed(&random_state, 3);
    for (unsigned i = 0; i < amount(); i++) {
        size_t n = 1 + anb_random_below(&random_state, i % 100 == 0 ? 1000 : 30), p = 0;
        size_t point = anb_random_below(&random_state, (uint32_t)n + 1);
        for (size_t j = 0; j < n; j++) {
            if (j == point)
                text[p++] = '.';
            text[p++] = (char)('0' + anb_random_below(&random_state, 10));
        }
        text[p] = 0;
        if (i % 3)
            sprintf(text + p, "e%d", (int)anb_random_below(&random_state, 700) - 350);
        check_text(text);
    }
}
END_TEST

/* Exactly between two doubles, and a hair above and below it. */
START_TEST(middles_between_doubles)
{
    char text[1300];
    anb_random_seed(&random_state, 4);
    for (unsigned i = 0; i < amount() / 10; i++) {
        double a = fabs(any_double());
        if (i % 2)
            a = (double)(bits64() >> 11) * ldexp(1, (int)anb_random_below(&random_state, 20) - 10);
        double b = nextafter(a, HUGE_VAL);
        if (b == HUGE_VAL || a == 0)
            continue;
        long double middle = ((long double)a + b) / 2;
        int n = snprintf(text, sizeof text, "%.780Le", middle);
        check_text(text);
        char *last = strchr(text, 'e') - 1;
        *last = '1';
        check_text(text);
        ck_assert_int_lt(n, (int)sizeof text);
    }
}
END_TEST

START_TEST(powers_of_ten_are_near)
{
    for (int e = -340; e <= 350; e++) {
        AnbWide power = anb_decimal_power(e);
        long double value = ldexpl((long double)power, anb_decimal_log2(e) - 127);
        char text[32];
        snprintf(text, sizeof text, "1e%d", e);
        ck_assert(power >> 127);
        ck_assert_double_eq_tol((double)(value / strtold(text, NULL) - 1), 0, 1e-18);
    }
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int significant(const char *text)
{
    int n = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0')) {
            n++;
            zeros = *text == '0' ? zeros + 1 : 0;
        }
    }
    return n - zeros;
}

/* The shortest length by trying: printf's 1 to 17 digits and their neighbours. */
static int shortest_length(double value)
{
    char text[40];
    for (int n = 1; n < 17; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, value);
        char *last = strchr(text, 'e') - 1;
        for (int step = -1; step <= 1; step++) {
            char changed = (char)(*last + step), kept = *last;
            if (changed < '0' || changed > '9')
                continue;
            *last = changed;
            if (strtod(text, NULL) == value)
                return n;
            *last = kept;
        }
    }
    return 17;
}

static void check_round_trip(double value, bool measure)
{
    char text[ANB_NUMBER_SIZE];
    size_t n = anb_number_format(value, text);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_uint_lt(n, ANB_NUMBER_SIZE);
    ck_assert_msg(bits_of(strtod(text, NULL)) == bits_of(value), "%a is written as %s", value, text);
    if (measure)
        ck_assert_msg(significant(text) <= shortest_length(value), "%s is not the shortest for %a", text, value);
}

START_TEST(written_numbers_read_back)
{
    anb_random_seed(&random_state, 5);
    for (unsigned i = 0; i < amount(); i++) {
        check_round_trip(any_double(), i < 20000);
        check_round_trip(anb_random_normal(&random_state), i < 20000);
        check_round_trip((double)(bits64() >> (i % 64)), false);
        check_round_trip(ldexp((double)(bits64() >> 44), -1074), i < 2000);
    }
    for (int e = -1074; e < 1024; e++) {
        check_round_trip(ldexp(1, e), true);
        check_round_trip(nextafter(ldexp(1, e), 0), e > -1074);
    }
    for (int i = 0; i < 20000; i++)
        check_round_trip(i / 1000.0, true);
}
END_TEST

START_TEST(what_numbers_look_like)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {-1.5, "-1.5"},
                 {0.1, "0.1"},
                 {0.001, "0.001"},
                 {0.00001, "0.00001"},
                 {0.000001, "1e-6"},
                 {123456789, "123456789"},
                 {1e15, "1000000000000000"},
                 {1e17, "1e17"},
                 {1e16, "10000000000000000"},
                 {1.5e300, "1.5e300"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e308"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {HUGE_VAL, "inf"},
                 {-HUGE_VAL, "-inf"},
                 {9007199254740992, "9007199254740992"},
                 {2.5, "2.5"},
                 {2e-308, "2e-308"},
                 {100, "100"}};
    char text[ANB_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        anb_number_format(cases[i].value, text);
        ck_assert_str_eq(text, cases[i].text);
    }
    anb_number_format(NAN, text);
    ck_assert_str_eq(text, "nan");
}
END_TEST

/* A decimal comma in the locale changes nothing. Skipped aloud where no such locale is installed. */
START_TEST(the_locale_does_not_matter)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"};
    const char *set = NULL;
    for (size_t i = 0; !set && i < sizeof names / sizeof *names; i++)
        set = setlocale(LC_ALL, names[i]);
    if (!set)
        skip_test("no locale with a decimal comma is installed");
    char text[ANB_NUMBER_SIZE];
    double value = 0;
    ck_assert_int_eq(anb_number_parse_all("2.5e-1", 6, &value), ANB_OK);
    ck_assert(value == 0.25);
    ck_assert_int_eq(anb_number_parse("2,5", 3, &value), 1);
    anb_number_format(0.25, text);
    ck_assert_str_eq(text, "0.25");
    const char *hard = "9007199254740993.00000000000000000000000000000000000001";
    ck_assert_int_eq(anb_number_parse_all(hard, strlen(hard), &value), ANB_OK);
    ck_assert(value == 9007199254740994.0);
    setlocale(LC_ALL, "C");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("number");
    TCase *tests = case_of(suite, 600);
    tcase_add_test(tests, hard_and_plain_numbers);
    tcase_add_test(tests, where_a_number_ends);
    tcase_add_test(tests, random_doubles);
    tcase_add_test(tests, random_cells);
    tcase_add_test(tests, random_texts);
    tcase_add_test(tests, middles_between_doubles);
    tcase_add_test(tests, powers_of_ten_are_near);
    tcase_add_test(tests, written_numbers_read_back);
    tcase_add_test(tests, what_numbers_look_like);
    tcase_add_test(tests, the_locale_does_not_matter);
    return suite;
}

CHECK_MAIN(suite)
