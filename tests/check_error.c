#include "suite.h"
#include <anabranch/type.h>
#include <string.h>

START_TEST(every_code_has_its_text)
{
    static const int codes[] = {
#define CODE(name, number, text) number,
        ANB_ERRORS(CODE)
#undef CODE
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(anb_error_text(codes[i]), anb_error_text(codes[j]));
    ck_assert_str_eq(anb_error_text(-9999), "an unknown error code");
}
END_TEST

START_TEST(a_message_is_bounded)
{
    char text[1000];
    AnbError error = {0};
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    ck_assert_int_eq(anb_fail(&error, ANB_E_SYNTAX, "%s", text), ANB_E_SYNTAX);
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
    ck_assert_int_eq(error.code, ANB_E_SYNTAX);
    ck_assert_int_eq(anb_fail(NULL, ANB_E_SYNTAX, "%s", text), ANB_E_SYNTAX);
}
END_TEST

START_TEST(a_message_is_one_line_of_whole_characters)
{
    AnbError error = {0};
    anb_fail(&error, ANB_E_INPUT, "\"%.3s\" \xf6 \xe2\x82\xac a\nb", "\xc3\xa4\xc3\xa4");
    ck_assert_str_eq(error.message, "\"\xc3\xa4?\" ? \xe2\x82\xac a?b");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, every_code_has_its_text);
    tcase_add_test(tests, a_message_is_bounded);
    tcase_add_test(tests, a_message_is_one_line_of_whole_characters);
    return suite;
}

CHECK_MAIN(suite)
