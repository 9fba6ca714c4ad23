/* What the program says of a table that was read, but may have been meant otherwise; and of what was left out. */
#include "cli.h"

/* What the columns may have been meant for is said, and the table is read. */
START_TEST(warnings_are_printed)
{
    static const struct {
        const char *table, *options, *said; /* NULL: nothing */
    } cases[] = {
        {"0.5,u,1.5\n1,v,2\n2,u,3\n", "", "\"0.5\" stands above numbers: --no-header"},
        {"0.5,u,1.5\n1,v,2\n2,u,3\n", "--no-header", NULL},
        {"0.5,u,1.5\n1,v,2\n2,u,3\n", "--header", NULL},
        {"country,2019,2020\nA,1,2\nB,2,3\n", "", NULL},
        {"country,2020,2019\nA,1,2\nB,2,3\n", "", "\"2020\" stands above numbers"},
        {"a,b,y\nu,,1\nv,NA,2\n", "", "all cells missing so far in 1 column (b)"},
        {"a,b,y\nu,,1\nv,NA,2\n", "--category b", NULL},
        {"a,b,y\n1,,1\n2,NA,2\n", "", NULL},
        {"a,b,y\n5 cm,1,1\n-7.5 cm,2,2\n", "", "such as \"5 cm\" are read as names, in 1 column (a); without \"cm\""},
        {"a,b,y\n5%,$1,1\n7%,$2,2\n", "", "such as \"5%\" are read as names, in 2 columns (a,b)"},
        {"a,b,y\n5 cm,1,1\n7 m,2,2\n", "", NULL},
        {"a,b,y\n\xe2\x82\xac 5,1,1\n\xe2\x82\xac 7,2,2\n", "", "without \"\xe2\x82\xac\" they are"},
        {"a,b,y\n\xe2\x88\x92 5,1,1\n\xe2\x88\x92 7,2,2\n", "", NULL}, /* a minus */
        {"a,b,y\n1,1,1\n2,1,2\n#DIV/0!,1,2\n4,1,2\n#DIV/0!,1,3\n", "",
         "are numbers, but \"#DIV/0!\" is not; --missing"},
        {"a,b,y\n1,1,1\n2,1,2\n#DIV/0!,1,2\n4,1,2\n#DIV/0!,1,3\n", "--missing '#DIV/0!'", NULL},
        {"a,b,y\n1,1,1\n2,1,2\nS,1,2\nM,1,2\nL,1,3\n", "", NULL},
        {"a,b,y\n5 cm,1,1\nlong,2,2\n", "", NULL},
        {"a,b,y\nu5,1,1\nu7,2,2\n", "", NULL},
        {"a,b,y\n5-7,1,1\n7-9,2,2\n", "", NULL},
        {"a,b,y\n5 cm,1,1\n7 cm,2,2\n", "--category a", NULL},
    };
    static const char *const warnings[] = {"stands above numbers", "missing so far", "read as names"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("t.csv", cases[i].table);
        ck_assert_msg(run("$A eval --json -l mean %s t.csv", cases[i].options) == 0, "%zu: %s", i, err);
        for (size_t j = 0; j < sizeof warnings / sizeof *warnings; j++)
            ck_assert_msg(cases[i].said || !strstr(err, warnings[j]), "%zu: %s", i, err);
        ck_assert_msg(!cases[i].said || strstr(err, cases[i].said), "%zu: %s", i, err);
    }
}
END_TEST

START_TEST(who_left_a_column_out_is_said)
{
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n");
    write_text("s.txt", "a b");
    refused(run("$A eval -l mean --schema s.txt -t y t.csv"), 2,
            "\"y\" is left out by --schema, which does not name it");
    refused(run("$A eval -l mean --ignore y -t y t.csv"), 2, "\"y\" is left out by --ignore");
    refused(run("$A eval -l mean --schema s.txt --ignore a -t a t.csv"), 2, "\"a\" is left out by --ignore");
}
END_TEST

/* What a model has learned as numbers takes no names. */
START_TEST(kinds_that_a_model_knows_stay)
{
    write_text("t.csv", "a,b,y\n1,u,3\n2,v,4\n3,u,5\n");
    write_text("n.csv", "a,b,y\nx,u,3\n");
    ck_assert_int_eq(run("$A train -l 'scale(rls)' --category b -o m.anb t.csv"), 0);
    refused(run("$A predict -m m.anb --category a n.csv"), 2, "column 1, \"a\": the model has learned it as a number");
    refused(run("$A train -m m.anb --code a -o n.anb n.csv"), 2, "learned it as a number");
    refused(run("$A predict -m m.anb --code b n.csv"), 2, "learned it as a category");
    refused(run("$A predict -m m.anb --category a --number a n.csv"), 2, "learned it as a number");
    ck_assert_int_eq(run("$A predict -m m.anb n.csv"), 1);
    ck_assert_msg(strstr(err, "--missing x, --on-bad-row skip") && !strstr(err, "--category"), "%s", err);
    ck_assert_int_eq(run("$A predict -m m.anb --category b --number a t.csv"), 0);
    ck_assert_int_eq(run("$A train -l 'scale(rls)' --ignore b -o m.anb t.csv"), 0);
    refused(run("$A predict -m m.anb --category a n.csv"), 2, "column 1, \"a\": the model has learned it as a number");
    refused(run("$A predict -m m.anb --category a --number a n.csv"), 2, "said to be of two kinds");
    ck_assert_int_eq(run("$A train -m m.anb --add-columns --category b -o w.anb t.csv"), 0);
}
END_TEST

START_TEST(why_rows_were_left_out_is_said)
{
    write_text("t.csv", "a,b,y\n1,inf,3\n1,2,3\n2,3,inf\n2,-inf,1e400\n");
    ck_assert_int_eq(run("$A eval -l mean t.csv"), 0);
    ck_assert_msg(strstr(out, "1 learned, 3 rejected\n"), "%s", out);
    ck_assert_msg(strstr(out, " rejected: an infinite cell") && strstr(out, " rejected: a target that is not finite"),
                  "%s", out);
    ck_assert(!strstr(out, "a weight"));
    write_text("t.csv", "a,b,y\n1,2,3\n1,2\n");
    ck_assert_int_eq(run("$A eval -l mean t.csv"), 1);
    ck_assert_msg(strstr(err, "--on-bad-row skip leaves it out"), "%s", err);
    ck_assert_int_eq(run("$A eval -l mean --on-bad-row skip t.csv"), 0);
    ck_assert(!strstr(out, "rejected: "));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli_warnings");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, warnings_are_printed);
    tcase_add_test(tests, who_left_a_column_out_is_said);
    tcase_add_test(tests, kinds_that_a_model_knows_stay);
    tcase_add_test(tests, why_rows_were_left_out_is_said);
    return suite;
}

CHECK_MAIN(suite)
