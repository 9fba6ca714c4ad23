/* train, predict, eval -m and inspect as their users meet them. */
#include "cli.h"

static const char learner[] = "scale(moe(linear, rls(lambda=0.99), mean))";

static void make_data(void)
{
    ck_assert_int_eq(run("$A generate friedman --drift none -n 1500 --seed 1 >all.csv && head -801 all.csv >a.csv && "
                         "{ head -1 all.csv; tail -700 all.csv; } >b.csv"),
                     0);
}

START_TEST(training_in_two_parts_is_training_in_one)
{
    make_data();
    ck_assert_int_eq(run("$A train -l '%s' -o all.anb all.csv", learner), 0);
    ck_assert_int_eq(run("$A train -l '%s' -o part.anb a.csv", learner), 0);
    ck_assert_int_eq(run("$A train -m part.anb -o part.anb b.csv"), 0);
    ck_assert_int_eq(run("cmp all.anb part.anb"), 0);
    ck_assert_int_eq(run("$A inspect --json part.anb"), 0);
    ck_assert_double_eq(json("n"), 1500);
    ck_assert(strstr(out, "\"rows\": \"1500\"") && strstr(out, "\"target\": \"target\"") && strstr(out, learner));
}
END_TEST

START_TEST(threads_change_nothing)
{
    make_data();
    ck_assert_int_eq(run("$A train -l auto -o one.anb a.csv && $A train -l auto --threads 3 -o several.anb a.csv"), 0);
    ck_assert_int_eq(run("cmp one.anb several.anb"), 0);
    ck_assert_int_eq(run("$A eval -m one.anb --predictions one.csv b.csv && "
                         "$A eval -m one.anb --threads 0 --predictions several.csv b.csv && cmp one.csv several.csv"),
                     0);
    ck_assert_int_eq(
        run("$A predict -m one.anb b.csv >one.csv && $A predict -m one.anb --threads 2 b.csv >several.csv && "
            "cmp one.csv several.csv"),
        0);
    ck_assert_int_eq(run("$A train -l auto --threads 2000 -o one.anb a.csv"), 2);
    ck_assert_ptr_nonnull(strstr(err, "--threads"));
}
END_TEST

START_TEST(eval_goes_on_where_training_ended)
{
    make_data();
    ck_assert_int_eq(run("$A train -l '%s' -o a.anb a.csv", learner), 0);
    ck_assert_int_eq(run("$A eval -l '%s' --predictions all.out all.csv", learner), 0);
    ck_assert_int_eq(run("$A eval -m a.anb --json --predictions b.out b.csv"), 0);
    ck_assert_double_eq(json("n"), 700);
    ck_assert_int_eq(run("tail -700 all.out | cut -d, -f2,3 >1; tail -700 b.out | cut -d, -f2,3 | cmp - 1"), 0);
}
END_TEST

/* The k-th number of a line of CSV. */
static double cell(const char *line, int k)
{
    for (; k > 0; k--)
        line = strchr(line, ',') + 1;
    return strtod(line, NULL);
}

START_TEST(explain_adds_up_by_name)
{
    make_data();
    ck_assert_int_eq(run("$A train -l '%s' -o a.anb a.csv && $A predict -m a.anb b.csv >said.csv", learner), 0);
    ck_assert_int_eq(run("$A explain -m a.anb --experts b.csv >why.csv && head -1 why.csv"), 0);
    ck_assert_str_eq(
        out, "prediction,base,error,x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,expert.linear_0,expert.rls_1,expert.mean_2\n");
    ck_assert_int_eq(run("cut -d, -f1 why.csv | cmp - said.csv && tail -1 why.csv"), 0);
    double sum = cell(out, 1);
    for (int j = 0; j < 10; j++)
        sum += cell(out, 3 + j);
    ck_assert_double_eq_tol(sum, cell(out, 0), 1e-9);
    ck_assert_double_gt(fabs(cell(out, 6)), fabs(cell(out, 8))); /* x3 counts, x5 does not */
    ck_assert_int_eq(run("$A explain -m a.anb --background a.csv --top 2 - <b.csv | head -2"), 0);
    ck_assert_int_eq(strncmp(out, "prediction,base,error,column_1,adds_1,column_2,adds_2,rest\n", 59), 0);
    const char *line = strchr(out, '\n') + 1;
    sum = cell(line, 1) + cell(line, 4) + cell(line, 6) + cell(line, 7);
    ck_assert_double_eq_tol(sum, cell(line, 0), 1e-9);
}
END_TEST

START_TEST(explain_refuses)
{
    make_data();
    ck_assert_int_eq(run("$A train -l rls -o a.anb a.csv"), 0);
    refused(run("$A explain a.csv"), 2, "-m MODEL is missing");
    refused(run("$A explain -m a.anb - <a.csv"), 2, "--background FILE");
    refused(run("$A explain -m a.anb --rows 0 a.csv"), 2, "--rows takes a whole number from 1");
    write_text("bad.csv", "x0,x1,x2,x3,x4,x5,x6,x7,x8,x9\ninf,1,1,1,1,1,1,1,1,1\n");
    refused(run("$A explain -m a.anb bad.csv"), 1, "no row that the model can take");
    ck_assert_int_eq(run("$A explain -m a.anb --background a.csv bad.csv | tail -1"), 0);
    ck_assert_str_eq(out, "nan,,,,,,,,,,,,\n");
}
END_TEST

START_TEST(predict_finds_its_columns_by_name)
{
    write_text("d.csv", "a,b,y\n1,2,3\n2,1,4\n3,3,9\n4,1,6\n0,0,0\n");
    ck_assert_int_eq(run("$A train -l rls -o d.anb d.csv"), 0);
    write_text("one.csv", "a,b\n1,5\n2,6\n");
    write_text("two.csv", "when;b;y;a\nmonday;5;;1\ntuesday;6;x;2\n");
    ck_assert_int_eq(run("$A predict -m d.anb one.csv >1 && $A predict -m d.anb two.csv >2 && cmp 1 2 && cat 1"), 0);
    ck_assert_int_eq(strncmp(out, "prediction\n", 11), 0);
    ck_assert_int_eq(run("grep -c . 1"), 0);
    ck_assert_str_eq(out, "3\n");
    ck_assert_int_eq(run("printf 'b,a\\n5,1\\n' | $A predict -m d.anb - | cmp -n 20 - 1"), 0);
    write_text("gap.csv", "a,b\n1,\ninf,1\n");
    ck_assert_int_eq(run("$A predict -m d.anb gap.csv"), 0);
    ck_assert_str_eq(out, "prediction\nnan\nnan\n");
    write_text("less.csv", "a,c\n1,5\n");
    refused(run("$A predict -m d.anb less.csv"), 1, "\"b\"");
}
END_TEST

/* What is saved can be used: its columns have to be found again. */
/* Rows are predicted in blocks, but one by one where columns are kept: both say the same, and of a damaged file all
 * that stands before the damage. */
START_TEST(blocks_of_rows_are_predicted_as_each)
{
    make_data();
    ck_assert_int_eq(run("$A train -l 'scale(sgbt)' -o a.anb a.csv && $A predict -m a.anb all.csv >many.csv && "
                         "$A predict -m a.anb --keep x1 all.csv | cut -d, -f1 | cmp - many.csv && wc -l <many.csv"),
                     0);
    ck_assert_int_eq(atoi(out), 1501);
    ck_assert_int_ne(run("{ head -301 all.csv; echo 1,2,oops; } | $A predict -m a.anb - >some.csv"), 0);
    ck_assert_int_eq(run("head -301 many.csv | cmp - some.csv"), 0);
}
END_TEST

START_TEST(names_that_are_not_distinct_are_refused)
{
    write_text("d.csv", "a,a,y\n1,2,3\n2,1,4\n");
    refused(run("$A train -l mean -o d.anb d.csv"), 1, "d.csv: \"a\" is the name of several columns");
    write_text("d.csv", "\ny,a,y\n1,2,3\n2,1,4\n");
    refused(run("$A train -l mean -o d.anb d.csv"), 1, "d.csv: \"y\" is the name of several columns");
    ck_assert_int_eq(run("test ! -e d.anb"), 0);
}
END_TEST

/* Names are bytes; JSON is UTF-8 whatever they are. */
START_TEST(names_in_any_encoding)
{
    write_text("d.csv", "caf\xe9,\xc3\xa9t\xc3\xa9,\xed\xa0\x80,\xf0\x9f\x98\x80,\xc0\xaf,y\n1,2,3,4,5,6\n");
    ck_assert_int_eq(run("$A train -l mean -o d.anb d.csv && $A inspect --json d.anb && $A predict -m d.anb d.csv >1"),
                     0);
    ck_assert_ptr_nonnull(strstr(out, "[\"caf\\ufffd\", \"\xc3\xa9t\xc3\xa9\", \"\\ufffd\\ufffd\\ufffd\", "
                                      "\"\xf0\x9f\x98\x80\", \"\\ufffd\\ufffd\"]"));
}
END_TEST

START_TEST(training_finds_its_columns_by_name)
{
    write_text("d.csv", "a,b,y\n1,2,3\n2,1,4\n3,3,9\n");
    write_text("e.csv", "y,extra,b,a\n6,1,1,4\n0,1,0,0\n");
    write_text("f.csv", "a,b,y\n4,1,6\n0,0,0\n");
    ck_assert_int_eq(run("$A train -l rls -o d.anb d.csv && $A train -m d.anb -o e.anb e.csv && "
                         "$A train -m d.anb -o f.anb f.csv && cmp e.anb f.anb"),
                     0);
}
END_TEST

START_TEST(wrong_use_and_bad_data_leave_the_model)
{
    make_data();
    ck_assert_int_eq(run("$A train -l '%s' -o a.anb a.csv && cp a.anb copy.anb", learner), 0);
    write_text("bad.csv", "x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,target\n1,2,3,4,5,6,7,8,9,10,11\n1,2,3,4,5,6,7,8,9,ten,11\n");
    refused(run("$A train -m a.anb -o a.anb bad.csv"), 1, "bad.csv:3");
    refused(run("$A train -o a.anb -l 'nosuch' a.csv"), 2, "nosuch");
    refused(run("$A train -m a.anb a.csv"), 2, "-o");
    refused(run("$A train -m a.anb -l rls -o a.anb a.csv"), 2, "-m");
    refused(run("$A train -m a.anb -o /nowhere/a.anb a.csv"), 2, "cannot write /nowhere/a.anb");
    refused(run("$A train -o . bad.csv"), 2, "cannot write .: Is a directory"); /* before the data are read */
    refused(run("$A eval -m a.anb -t x0 a.csv"), 2, "\"x0\" is a feature of the model");
    refused(run("$A eval -m a.anb --drop x3 a.csv"), 2, "\"x3\" is left out");
    refused(run("$A train -m missing.anb -o a.anb a.csv"), 2, "missing.anb");
    refused(run("$A train -o - a.csv"), 2, "-o wants a file");
    refused(run("sed s/target/y/ a.csv > other.csv; $A eval -m a.anb other.csv"), 1,
            "other.csv: the model's target \"target\"");
    refused(run("$A eval -m a.anb -t nosuch a.csv"), 2, "target \"nosuch\"");
    refused(run("$A predict a.csv"), 2, "-m");
    refused(run("$A eval -m a.anb -l rls a.csv"), 2, "-m");
    ck_assert_int_eq(run("cmp a.anb copy.anb && ls *.tmp"), 2);
}
END_TEST

START_TEST(inspect_tells_the_whole_from_the_damaged)
{
    make_data();
    ck_assert_int_eq(run("$A train -l '%s' -o a.anb a.csv && $A inspect a.anb", learner), 0);
    ck_assert(strstr(out, learner) && strstr(out, "x0, x1") && strstr(out, "800"));
    refused(run("head -c 900 a.anb >cut.anb; $A inspect cut.anb"), 1, "cut.anb");
    refused(run("{ cat a.anb; echo; } >long.anb; $A inspect long.anb"), 1, "long.anb");
    refused(run("{ head -c 700 a.anb; printf X; tail -c +702 a.anb; } >hurt.anb; $A inspect --json hurt.anb"), 1,
            "checksum");
    refused(run("$A inspect a.csv"), 1, "a.csv");
    refused(run("$A inspect missing.anb"), 2, "missing.anb");
}
END_TEST

/* A pipe that stays open: the program waits for more when the signal comes. */
static void interrupt_with(const char *name)
{
    ck_assert_int_eq(
        run("rm -f i.anb; mkfifo p; $A train -l '%s' -o i.anb --save-every 800 p & pid=$!; exec 3>p; cat a.csv >&3; "
            "printf '1,2,3' >&3; "
            "await 'test -e i.anb'; rm i.anb; kill -%s $pid; wait $pid; status=$?; rm p; exit $status",
            learner, name),
        0);
    ck_assert_msg(strncmp(err, "interrupted after 800 rows", 26) == 0, "%s",
                  err); /* and nothing of the row that was cut */
    ck_assert_int_eq(run("$A train -l '%s' -o a.anb a.csv && cmp a.anb i.anb", learner), 0);
}

START_TEST(an_interrupt_saves)
{
    make_data();
    interrupt_with("INT");
    interrupt_with("TERM");
}
END_TEST

START_TEST(saving_on_the_way)
{
    make_data();
    ck_assert_int_eq(run("head -601 a.csv >600.csv; $A train -l '%s' -o 600.anb 600.csv", learner), 0);
    ck_assert_int_eq(
        run("{ cat a.csv; echo oops; } >bad.csv; $A train -l '%s' -o way.anb --save-every 300 bad.csv", learner), 1);
    ck_assert_int_eq(run("cmp 600.anb way.anb"), 0);
}
END_TEST

/* Rows whose labels are late when the model is saved are read again by a run that goes on; not where later rows have
 * been learned, which would be learned twice. */
START_TEST(labels_that_wait_when_saved)
{
    make_data();
    ck_assert_int_eq(run("awk -F, '{ print (NR == 1 ? \"late\" : 5) FS $0 }' a.csv >l.csv; head -401 l.csv >400.csv; "
                         "t() { $A train --label-after late \"$@\"; }; t -l '%s' -o l.anb l.csv; "
                         "t -l '%s' --save-every 200 -o p.anb 400.csv; $A inspect p.anb | grep 'rows ='; "
                         "t -m p.anb --skip-rows 395 -o p.anb l.csv; cmp l.anb p.anb",
                         learner, learner),
                     0);
    ck_assert_ptr_nonnull(strstr(out, "rows = 395\n"));
    ck_assert_int_eq(run("awk -F, '{ print (NR == 1 ? \"late\" : 5 * (NR %% 2)) FS $0 }' a.csv >l.csv; "
                         "head -401 l.csv >400.csv; $A train --label-after late -l '%s' -o p.anb 400.csv; "
                         "$A inspect p.anb | grep 'rows ='",
                         learner),
                     0);
    ck_assert_ptr_nonnull(strstr(out, "rows = 400\n"));
}
END_TEST

/* A log that is sent again from places before its end, against one that is read once. */
START_TEST(a_log_is_learned_once)
{
    char text[8000];
    int n = snprintf(text, sizeof text, "offset,a,y\n");
    for (int i = 0; i < 300; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%d,%d,%d\n", 3 * i + 5, i * i % 17, i * i % 17 + i % 5);
    write_text("log.csv", text);
    ck_assert_int_eq(run("$A train -l 'scale(rls)' --cursor offset -o once.anb log.csv"), 0);
    ck_assert_int_eq(run("head -101 log.csv >1.csv; (head -1 log.csv; sed -n 52,202p log.csv) >2.csv"), 0);
    ck_assert_int_eq(run("$A train -l 'scale(rls)' --cursor offset -o m.anb 1.csv"), 0);
    ck_assert_int_eq(run("$A train -m m.anb --cursor offset -o m.anb 2.csv"), 0);
    ck_assert_msg(strstr(err, "50 rows were learned before"), "%s", err);
    ck_assert_int_eq(run("$A train -m m.anb --cursor offset -o m.anb log.csv && cmp m.anb once.anb"), 0);
    ck_assert_int_eq(run("$A train -m m.anb --cursor offset -o m.anb log.csv && cmp m.anb once.anb"), 0);
    ck_assert_int_eq(run("$A inspect m.anb"), 0);
    ck_assert_ptr_nonnull(strstr(out, "offset learned up to 902"));
    ck_assert_int_eq(run("sed 's/^8,/8.5,/' log.csv >bad.csv; $A train -l rls --cursor offset -o n.anb bad.csv"), 1);
    ck_assert_ptr_nonnull(strstr(err, "whole"));
    ck_assert_int_eq(run("$A train -l rls --cursor offset --label-after a -o n.anb log.csv"), 2);
    ck_assert_int_eq(run("$A train -l rls --cursor nothing -o n.anb log.csv"), 2);
}
END_TEST

/* A folder that takes no new file: told before the rows are learned, and where a service starts. */
START_TEST(a_folder_that_cannot_be_written)
{
    const char *nobody = geteuid() ? "" : "setpriv --reuid=65534 --regid=65534 --clear-groups ";
    write_text("t.csv", "a,y\n1,2\n3,4\n5,6\n");
    ck_assert_int_eq(run("mkdir ro && $A train -l rls -o ro/m.anb t.csv && ln -s ro/m.anb l.anb && mkdir w && "
                         "chmod -R a+rX . && chmod 555 ro && chmod 777 w"),
                     0);
    if (run("%s$A inspect ro/m.anb", nobody)) {
        skip_test("nobody may run the program here");
        return;
    }
    refused(run("%s$A train -m ro/m.anb -o ro/m.anb t.csv", nobody), 2, "cannot write ro/m.anb: Perm");
    refused(run("%s$A train -m ro/m.anb -o l.anb missing.csv", nobody), 2, "cannot write l.anb: Permission");
    ck_assert_int_eq(run("%s$A train -m ro/m.anb -o w/m.anb t.csv", nobody), 0);
    if (run("$A serve --help") == 0) {
        ck_assert_int_eq(run("%stimeout 5 $A serve --address 192.0.2.1 ro/m.anb", nobody), 1);
        ck_assert_msg(strstr(err, "ro/m.anb: what is learned cannot be saved there: Permission"), "%s", err);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli models");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, training_in_two_parts_is_training_in_one);
    tcase_add_test(tests, threads_change_nothing);
    tcase_add_test(tests, eval_goes_on_where_training_ended);
    tcase_add_test(tests, explain_adds_up_by_name);
    tcase_add_test(tests, explain_refuses);
    tcase_add_test(tests, predict_finds_its_columns_by_name);
    tcase_add_test(tests, blocks_of_rows_are_predicted_as_each);
    tcase_add_test(tests, names_that_are_not_distinct_are_refused);
    tcase_add_test(tests, names_in_any_encoding);
    tcase_add_test(tests, training_finds_its_columns_by_name);
    tcase_add_test(tests, wrong_use_and_bad_data_leave_the_model);
    tcase_add_test(tests, inspect_tells_the_whole_from_the_damaged);
    tcase_add_test(tests, an_interrupt_saves);
    tcase_add_test(tests, saving_on_the_way);
    tcase_add_test(tests, labels_that_wait_when_saved);
    tcase_add_test(tests, a_log_is_learned_once);
    tcase_add_test(tests, a_folder_that_cannot_be_written);
    return suite;
}

CHECK_MAIN(suite)
