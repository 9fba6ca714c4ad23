/*
 * Mistakes that people make, in every command: what is wrong, where, what to do; status 2 for wrong use, 1 for bad
 * data; and no file is lost.
 */
#include "cli.h"

enum { BAD_DATA = 1, BAD_USE = 2 };

/* A table, a model, records, and what is none of them. */
static void files(void)
{
    enter();
    ck_assert_int_eq(run("$A generate friedman -n 300 --seed 1 -o t.csv && $A train -l 'scale(rls)' -o m.anb t.csv && "
                         "$A eval -l 'moe(mean, last)' --diag r.jsonl t.csv && mkdir folder && : >empty && "
                         "head -c 5000 m.anb | tail -c +20 >binary && printf 'a,b\\n' >header.csv"),
                     0);
}

/* A command line with %s in the place of the file that it reads, and what is said where that is not one of its kind. */
typedef struct Reading {
    const char *line, *empty, *binary;
} Reading;

static const Reading readings[] = {
    {"eval -l mean %s", "the file is empty", "NUL byte"},
    {"train -l mean -o n.anb %s", "the file is empty", "NUL byte"},
    {"predict -m m.anb %s", "the file is empty", "NUL byte"},
    {"explain -m m.anb %s", "the file is empty", "NUL byte"},
    {"compare %s mean last", "the file is empty", "NUL byte"},
    {"inspect %s", "ends after 0 bytes", "not a snapshot"},
    {"predict -m %s t.csv", "ends after 0 bytes", "not a snapshot"},
    {"eval -m %s t.csv", "ends after 0 bytes", "not a snapshot"},
    {"train -m %s -o n.anb t.csv", "ends after 0 bytes", "not a snapshot"},
    {"report %s", "no record; `anabranch eval --diag FILE.jsonl`", "not one of eval --diag"},
    {"top %s", "no record; `anabranch eval --diag FILE.jsonl`", "no record of eval --diag"},
};

static int run_on(const Reading *reading, const char *file)
{
    char line[200];
    snprintf(line, sizeof line, reading->line, file);
    return run("$A %s", line);
}

START_TEST(wrong_file)
{
    const Reading *reading = &readings[_i];
    refused(run_on(reading, "missing"), BAD_USE, "missing");
    ck_assert_msg(strstr(err, "No such file"), "%s", err);
    refused(run_on(reading, "folder"), BAD_USE, "folder");
    ck_assert_msg(strstr(err, "directory") || strstr(err, "not a regular file"), "%s", err);
    refused(run_on(reading, "empty"), BAD_DATA, reading->empty);
    refused(run_on(reading, "binary"), BAD_DATA, reading->binary);
    ck_assert_int_eq(run("test ! -e n.anb"), 0);
}
END_TEST

/* What a run without a row or a score comes to, and why there is none. */
START_TEST(nothing_to_do_is_told)
{
    write_text("h.csv", "a,b,y\n");
    write_text("one.csv", "a,b,y\n1,2,3\n");
    write_text("bad.csv", "a,b,y\n1,2,3,4\n5\n");
    write_text("blind.csv", "a,b,y\n1,2,\n3,4,\n");
    refused(run("$A eval -l mean h.csv"), BAD_DATA, "h.csv: there are no rows below the header; nothing was scored");
    refused(run("$A compare h.csv mean last"), BAD_DATA, "h.csv: there are no rows below the header; nothing was");
    refused(run("cat h.csv | $A compare --json - mean last"), BAD_DATA, "standard input: there are no rows");
    refused(run("$A compare one.csv mean last"), BAD_DATA, "none of 1 rows is scored: 0 without a target");
    refused(run("$A compare blind.csv mean last"), BAD_DATA, "none of 2 rows is scored: 2 without a target");
    refused(run("$A eval -l mean --skip-rows 1 one.csv"), BAD_DATA, "no rows behind those that --skip-rows 1 leaves");
    ck_assert_int_eq(run("$A eval -l mean --on-bad-row skip bad.csv"), BAD_DATA);
    ck_assert_msg(strstr(err, "bad.csv: none of 2 rows can be read (--bad-rows FILE says why"), "%s", err);
    refused(run("$A train -l mean -o h.anb --limit 0 one.csv"), BAD_DATA, "--limit 0 reads no row; nothing was saved");
    ck_assert_int_eq(run("$A eval -l mean --limit 0 one.csv && $A compare --limit 0 one.csv mean last"), 0);
}
END_TEST

/* No row in, no answer out. */
START_TEST(no_row_has_no_answer)
{
    ck_assert_int_eq(run("head -1 t.csv >none.csv; $A predict -m m.anb - <none.csv >said"), 0);
    ck_assert_int_eq(run("echo prediction | cmp - said"), 0);
    ck_assert_int_eq(run("$A predict -m m.anb none.csv"), 0);
    ck_assert_msg(strstr(err, "none.csv: there are no rows below the header"), "%s", err);
    ck_assert_int_eq(run("$A explain -m m.anb --background t.csv none.csv"), 0);
    ck_assert_msg(strstr(err, "none.csv: there are no rows below the header"), "%s", err);
    refused(run("$A explain -m m.anb none.csv"), BAD_DATA, "below the header to explain against: --background FILE");
    ck_assert_int_eq(run("sed '2,$s/^[^,]*/inf/' t.csv >inf.csv"), 0);
    refused(run("$A explain -m m.anb inf.csv"), BAD_DATA, "no row that the model can take: of 300");
}
END_TEST

START_TEST(a_header_alone_makes_no_model)
{
    write_text("h.csv", "a,b,y\n");
    refused(run("$A train -l rls -o h.anb h.csv"), BAD_DATA, "there are no rows below the header; nothing was saved");
    ck_assert_int_eq(run("test ! -e h.anb"), 0);
    ck_assert_int_eq(run("head -1 t.csv >none.csv; $A train -m m.anb -o again.anb none.csv && test -e again.anb"), 0);
}
END_TEST

START_TEST(kinds_of_files_mixed_up)
{
    refused(run("$A eval -l mean m.anb"), BAD_DATA, "a saved model of anabranch, not a table: say it by -m");
    refused(run("$A inspect t.csv"), BAD_DATA, "t.csv: this is not a snapshot");
    refused(run("$A report t.csv"), BAD_DATA, "not one of eval --diag");
    refused(run("$A top m.anb"), BAD_DATA, "no record of eval --diag");
    refused(run("$A explain -m m.anb header.csv"), BAD_DATA, "\"x0\" is not the name of a column");
    refused(run("$A predict -m m.anb --interval 0.9 t.csv"), BAD_USE, "no intervals");
    refused(run("$A predict -m m.anb --quantiles t.csv"), BAD_USE, "no quantiles");
}
END_TEST

static const char *const over_inputs[] = {"report r.jsonl -o r.jsonl",
                                          "report r.jsonl -o ./folder/../r.jsonl",
                                          "train -l mean -o t.csv t.csv",
                                          "eval -l mean --predictions t.csv t.csv",
                                          "eval -l mean --diag t.csv t.csv",
                                          "predict -m m.anb --bad-rows m.anb t.csv",
                                          "compare --bad-rows t.csv t.csv mean last"};

START_TEST(outputs_over_inputs)
{
    ck_assert_int_eq(run("cat t.csv m.anb r.jsonl | cksum >before"), 0);
    refused(run("$A %s", over_inputs[_i]), BAD_USE, "it is an input");
    ck_assert_int_eq(run("cat t.csv m.anb r.jsonl | cksum | cmp - before"), 0);
}
END_TEST

static const char *const full[] = {
    "generate friedman -n 5000 -o /dev/full",
    "report r.jsonl -o /dev/full",
    "eval -l mean --predictions /dev/full t.csv",
    "eval -l mean --diag /dev/full t.csv",
    "train -l mean -o /dev/full t.csv",
    "predict -m m.anb t.csv >/dev/full",
    "explain -m m.anb t.csv >/dev/full",
    "compare t.csv mean last >/dev/full",
    "inspect m.anb >/dev/full",
    "learners >/dev/full",
    "eval --help >/dev/full",
    "top r.jsonl >/dev/full",
};

START_TEST(full_disk)
{
    ck_assert_int_eq(run("TMPDIR=.; export TMPDIR; $A %s", full[_i]), BAD_DATA);
    ck_assert_msg(strstr(err, "/dev/full") || strstr(err, "standard output"), "%s", err);
    if (strstr(full[_i], "eval -l"))
        ck_assert_msg(strstr(out, "\nrmse "), "the result is printed all the same: %s", out);
}
END_TEST

/* What was learned goes on elsewhere, for nobody else to read. */
START_TEST(a_model_without_a_place_is_saved_elsewhere)
{
    ck_assert_int_eq(run("$A train -l rls -o whole.anb t.csv"), 0);
    ck_assert_int_eq(run("TMPDIR=.; export TMPDIR; $A train -l rls --save-every 100 -o /dev/full t.csv"), BAD_DATA);
    ck_assert_msg(strstr(err, "/dev/full: what was learned is saved in its place to ./anabranch-"), "%s", err);
    ck_assert_int_eq(run("ls -ld anabranch-* | grep '^drwx------'"), 0);
    ck_assert_int_eq(run("$A train -m anabranch-*/model.anb --skip-rows 100 -o rest.anb t.csv"), 0);
    ck_assert_int_eq(run("cmp rest.anb whole.anb"), 0);
    ck_assert_int_eq(run("TMPDIR=none; export TMPDIR; $A train -l rls -o /dev/full t.csv"), BAD_DATA);
    ck_assert_msg(strstr(err, "/dev/full: what was learned is lost"), "%s", err);
}
END_TEST

/* A limit of files' sizes is told as a full disk is, where it would end a program by a signal. */
START_TEST(files_that_may_not_grow)
{
    static const char *const commands[] = {"generate friedman -n 5000 -o x.csv", "eval -l mean --diag x.jsonl long.csv",
                                           "eval -l mean --predictions x.csv long.csv",
                                           "train -l 'scale(rls)' -o x.anb long.csv"};
    ck_assert_int_eq(run("$A generate friedman -n 5000 -o long.csv"), 0);
    ck_assert_int_eq(run("ulimit -f 1; $A %s", commands[_i]), BAD_DATA);
    ck_assert_msg(strstr(err, "File too large"), "%s", err);
    ck_assert_msg(!strstr(commands[_i], "train") || strstr(err, "what was learned is lost"), "%s", err);
}
END_TEST

/* A slip in an expression, and the word that was meant; NULL: no word is near. */
static const char *const slips[][2] = {
    {"rsl", "rls"},
    {"ato(budget=5)", "auto"},
    {"scale(rls(lamda=1))", "lambda"},
    {"scale(moe(rls, mean, rouer=linear))", "router"},
    {"scale(moe(rls, mean, router=linar))", "linear"},
    {"moe(rls, mean, topk=1)", "top_k"},
    {"moe(rls, mean, router=blend(memry=5))", NULL},
    {"knn(lambda=1)", NULL},
    {"gradient_boosting", NULL},
};

START_TEST(slips_in_expressions)
{
    char meant[80];
    refused(run("$A eval -l '%s' t.csv", slips[_i][0]), BAD_USE, "at byte");
    snprintf(meant, sizeof meant, "(did you mean \"%s\"?)", slips[_i][1] ? slips[_i][1] : "");
    ck_assert_msg((strstr(err, slips[_i][1] ? meant : "did you mean") != NULL) == (slips[_i][1] != NULL), "%s", err);
}
END_TEST

START_TEST(wrong_words)
{
    refused(run("$A eval -t 99 t.csv"), BAD_USE,
            "\"99\" is not the name of a column, nor a number from 1 to 11; there are x0, x1");
    refused(run("$A eval --limit x t.csv"), BAD_USE, "--limit takes a whole number of at least 0, not \"x\"");
    refused(run("$A generate friedman -n 0"), BAD_USE, "--rows takes a whole number from 1 to");
    refused(run("$A eval"), BAD_USE, "something is missing; usage: anabranch eval");
    refused(run("$A eval t.csv t.csv"), BAD_USE, "too many words; usage: anabranch eval");
    refused(run("$A eval --interval 2 t.csv"), BAD_USE, "--interval takes a coverage like 0.9, not \"2\"");
    refused(run("$A train --interval 0.8, -o n.anb t.csv"), BAD_USE, "not \"0.8,\"");
    refused(run("$A predict t.csv"), BAD_USE, "-m MODEL is missing");
    refused(run("$A train t.csv"), BAD_USE, "-o MODEL is missing");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli mistakes");
    TCase *tests = case_of(suite, 120);
    tcase_add_checked_fixture(tests, files, leave);
    tcase_add_loop_test(tests, wrong_file, 0, sizeof readings / sizeof *readings);
    tcase_add_test(tests, nothing_to_do_is_told);
    tcase_add_test(tests, no_row_has_no_answer);
    tcase_add_test(tests, a_header_alone_makes_no_model);
    tcase_add_test(tests, kinds_of_files_mixed_up);
    tcase_add_loop_test(tests, outputs_over_inputs, 0, sizeof over_inputs / sizeof *over_inputs);
    tcase_add_loop_test(tests, full_disk, 0, sizeof full / sizeof *full);
    tcase_add_test(tests, a_model_without_a_place_is_saved_elsewhere);
    tcase_add_loop_test(tests, files_that_may_not_grow, 0, 4);
    tcase_add_loop_test(tests, slips_in_expressions, 0, sizeof slips / sizeof *slips);
    tcase_add_test(tests, wrong_words);
    return suite;
}

CHECK_MAIN(suite)
