/* Options from a TOML file, and names that are nearly right. */
#include "cli.h"

enum { BAD_USE = 2 };

static void table(void)
{
    write_text("t.csv", "a,b,name,y\n1,2,u,3\n2,3,v,5\n3,5,u,8\n4,4,v,8\n5,1,u,6\n6,2,v,8\n");
}

/* The file gives what the options would. */
START_TEST(file_gives_options)
{
    table();
    write_text("e.toml", "target = \"y\"\n\n[eval]\nlearner = \"scale(rls)\"\nignore = [\"name\", \"b\"]\n"
                         "burn-in = 1\njson = true\nmissing-columns = false\n\n[train]\nlearner = 'mean'\n");
    ck_assert_int_eq(run("$A eval -t y -l 'scale(rls)' --ignore name,b --burn-in 1 --json t.csv"), 0);
    double rmse = json("rmse");
    ck_assert_int_eq(run("$A eval -c e.toml t.csv"), 0);
    ck_assert_double_eq(json("rmse"), rmse);
    ck_assert_double_eq(json("features"), 1);
    ck_assert_int_eq(run("$A train -c e.toml -o m.anb t.csv && $A inspect m.anb"), 0);
    ck_assert(strstr(out, "mean"));
}
END_TEST

/* The command line wins over a table, a table over the top. */
START_TEST(nearer_place_wins)
{
    write_text("e.toml", "limit = 1\nignore = [\"a\"]\ninterval = 0.9\n[eval]\nlimit = 2\n");
    ck_assert_int_eq(run("$A eval -c e.toml --print-config | grep -v '^#'"), 0);
    ck_assert_str_eq(out, "[eval]\nlimit = 2\ninterval = \"0.9\"\nignore = [\"a\"]\n");
    ck_assert_int_eq(run("$A eval -c e.toml --limit 3 --drop b --drop c --print-config | grep -v '^#'"), 0);
    ck_assert_str_eq(out, "[eval]\nlimit = 3\ninterval = \"0.9\"\nignore = [\"b\", \"c\"]\n");
}
END_TEST

/* What is printed is read back as the same, whatever the texts hold. */
START_TEST(printed_is_read_back)
{
    ck_assert_int_eq(run("$A eval --print-config -l 'moe(linear, rls)' --comment '\"\\#\t' --target '007' --json "
                         "--drop 'a b,ü' > p.toml && $A eval -c p.toml --print-config | cmp - p.toml"),
                     0);
    ck_assert_int_eq(run("grep -c '^# [a-z-]* *[A-Za-z,.]*: ' p.toml; grep '^target' p.toml"), 0);
    ck_assert(strstr(out, "target = \"007\""));
    ck_assert_int_eq(
        run("for c in compare eval explain generate inspect learners predict report top train; do "
            "$A $c --print-config > c.toml && $A $c -c c.toml --print-config | cmp - c.toml || exit 1; done"),
        0);
}
END_TEST

static const struct {
    const char *file, *words;
} wrong[] = {
    {"[eval]\ntarget = \n", "w.toml:2:10: "},
    {"taget = 'y'\n", "w.toml:1:1: anabranch has no option \"taget\" (did you mean \"target\"?)"},
    {"\n[eval]\n  learnr = 'rls'\n", "w.toml:3:3: eval has no option \"learnr\" (did you mean \"learner\"?)"},
    {"[evla]\n", "w.toml:1:2: anabranch has no command \"evla\" (did you mean \"eval\"?)"},
    {"[train]\ncolour = 1\n", "train has no option \"colour\""},
    {"[eval]\nconfig = 'x.toml'\n", "eval has no option \"config\""},
    {"[eval]\njson = 1\n", "eval takes true or false for \"json\""},
    {"[eval]\nlimit = true\n", "eval takes a text or a number for \"limit\""},
    {"[eval]\nlearner = ['a']\n", "eval takes a text or a number for \"learner\""},
    {"[eval]\nignore = ['a,b']\n", "eval takes a list of texts without commas for \"ignore\""},
    {"[eval]\nlimit = 1\nlimit = 2\n", "w.toml:3"},
    {"limit = -3\n", "--limit"},
    {"limit = 1979-05-27\n", "a text or a number"},
    {"[[eval]]\nlimit = 1\n", "w.toml:1"},
    {"\xff = 1\n", "w.toml:1"},
};

START_TEST(wrong_files)
{
    table();
    write_text("w.toml", wrong[_i].file);
    refused(run("$A eval -c w.toml t.csv"), BAD_USE, wrong[_i].words);
}
END_TEST

START_TEST(no_file)
{
    table();
    refused(run("$A eval -c none.toml t.csv"), BAD_USE, "none.toml");
    refused(run("$A eval -c . t.csv"), BAD_USE, "folder");
    refused(run("$A eval -c"), BAD_USE, "-c");
}
END_TEST

START_TEST(nearest_names)
{
    refused(run("$A evall t.csv"), BAD_USE, "did you mean \"eval\"?");
    refused(run("$A eval --targt y t.csv"), BAD_USE, "did you mean \"target\"?");
    refused(run("$A frobnicate"), BAD_USE, "unknown command \"frobnicate\"; see");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli config");
    TCase *tests = case_of(suite, 120);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, file_gives_options);
    tcase_add_test(tests, nearer_place_wins);
    tcase_add_test(tests, printed_is_read_back);
    tcase_add_loop_test(tests, wrong_files, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, no_file);
    tcase_add_test(tests, nearest_names);
    return suite;
}

CHECK_MAIN(suite)
