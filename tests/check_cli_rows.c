/* What the program does with a table's rows: weights, late labels, a burn-in, intervals, columns that are passed on. */
#include "cli.h"
#include <math.h>

START_TEST(weights_and_late_labels)
{
    write_text("t.csv", "a,w,y,late\n1,3,4,0\n2,1,8,2\n3,1,6,0\n4,1,1,0\n5,1,2,5\n");
    ck_assert_int_eq(run("$A eval --json -l mean -t y --weight w --ignore late --predictions p.csv t.csv"), 0);
    ck_assert(json("features") == 1);
    ck_assert_int_eq(run("cut -d, -f3 p.csv | tr '\\n' ' '"), 0);
    ck_assert_str_eq(out, "prediction 0 4 5 5.2 4.5 ");
    ck_assert_int_eq(run("$A eval -l mean -t y --label-after late --ignore w --predictions p.csv t.csv"), 0);
    ck_assert(strstr(out, "4 learned") && strstr(out, "1 whose labels come after the end"));
    ck_assert_int_eq(run("cut -d, -f3 p.csv | tr '\\n' ' '"), 0);
    ck_assert_str_eq(out, "prediction 0 4 4 5 4.75 "); /* 8 is learned behind the fourth row, with its 1 */
    ck_assert_int_eq(
        run("$A train -l mean -t y --label-after late --weight w -o m.anb t.csv && $A predict -m m.anb t.csv"), 0);
    ck_assert_str_eq(out, "prediction\n4.5\n4.5\n4.5\n4.5\n4.5\n"); /* (3 * 4 + 8 + 6 + 1) / 6 */
    refused(run("$A eval --json -l mean -t y --weight y t.csv"), 2, "can have one role only");
}
END_TEST

/* A row of weight 0 says nothing: it is predicted, and neither learned nor scored, now or when its label comes. */
START_TEST(rows_of_weight_0)
{
    write_text("t.csv", "a,w,late,y\n1,0,0,90\n1,1,0,4\n2,0,2,80\n3,1,0,8\n4,1,0,5\n5,0,0,70\n");
    write_text("u.csv", "a,w,late,y\n1,1,0,4\n3,1,0,8\n4,1,0,5\n");
    static const char *const options[] = {"--ignore late", "--label-after late",
                                          "--ignore late --burn-in 1 --loss pinball:.9",
                                          "--ignore late --interval 0.9"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        ck_assert_int_eq(run("for f in t u; do $A eval --json -l mean --weight w %s $f.csv | "
                             "tee all.$f | sed -E 's/\"(samples_per_second|seconds|of_weight_0)\": [^,}]*//g; "
                             "s/[tu].csv//' >$f.json; done; cmp t.json u.json && cat all.t",
                             options[i]),
                         0);
        ck_assert(json("n") == 3 && json("of_weight_0") == 3 && json("without_target") == 0);
        ck_assert(json("scored") == (strstr(options[i], "burn-in") ? 2 : 3) && json("labels_after_end") == 0);
    }
    ck_assert_int_eq(
        run("$A eval -l mean --weight w --ignore late --predictions p.csv --diag d.jsonl t.csv && wc -l <p.csv"), 0);
    ck_assert_msg(strstr(out, "3 learned, 0 rejected, 3 of weight 0") && strstr(out, "\n7\n"), "%s", out);
    ck_assert_int_eq(run("grep -c samples d.jsonl"), 0);
    ck_assert_str_eq(out, "3\n");
    ck_assert_int_eq(run("$A compare --json --weight w --ignore late t.csv mean linear >1 && "
                         "$A compare --json --weight w --ignore late u.csv mean linear >2 && cat 1"),
                     0);
    ck_assert(json("n") == 2 && json("of_weight_0") == 3 && json("without_target") == 0);
    ck_assert_int_eq(run("$A compare --weight w --ignore late t.csv mean linear"), 0);
    ck_assert_msg(strstr(out, "the first 1 left out; 3 of weight 0, too\n"), "%s", out);
    ck_assert_int_eq(run("$A train -l mean --weight w --ignore late -o n.anb t.csv"), 0);
    ck_assert_msg(strstr(err, "6 rows in") && strstr(err, "\n3 of weight 0 were not learned\n"), "%s", err);
    write_text("v.csv", "a,w,late,y\n1,0,0,\n1,1,9,4\n2,0,2,80\n3,1,0,8\n4,1,0,\n");
    ck_assert_int_eq(run("$A eval --json -l mean --weight w --label-after late v.csv"), 0);
    ck_assert(json("of_weight_0") == 1 && json("without_target") == 2 && json("labels_after_end") == 1);
    ck_assert_int_eq(run("$A compare --json --weight w --ignore late v.csv mean linear"), 0);
    ck_assert(json("of_weight_0") == 1 && json("without_target") == 2);
    write_text("t.csv", "a,w,y\n1,0,90\n2,0,4\n");
    refused(run("$A train -l mean --weight w -o n.anb t.csv"), 1, "\"y\", and a weight above 0; nothing was saved");
}
END_TEST

/* A label that is known at a time is learned before rows of a later time. */
START_TEST(labels_known_at_a_time)
{
    write_text("t.csv", "a,when,known,y\n1,2024-01-01,2024-01-01,4\n2,2024-01-02,2024-01-04,8\n3,2024-01-03,,6\n"
                        "4,2024-01-04,2024-01-05,1\n5,2024-01-05,2024-02-01,2\n6,2024-01-06,2024-01-06,3\n");
    ck_assert_int_eq(run("$A eval -l 'narrow(mean, of=\"y n\")' --label-after known --predictions p.csv t.csv"), 0);
    ck_assert(strstr(out, "5 learned") && strstr(out, "1 whose labels come after the end"));
    ck_assert_int_eq(run("cut -d, -f3 p.csv | tr '\n' ' '"), 0);
    ck_assert_str_eq(out, "prediction 0 4 4 5 6 4.75 "); /* 8 before the fifth row, 1 before the sixth */
    ck_assert_int_eq(run("$A train -l 'narrow(mean, of=\"y n\")' --label-after known --now when -o m.anb t.csv && "
                         "$A eval --json -m m.anb --label-after known t.csv"),
                     0);
    ck_assert(json("features") == 2);
    refused(run("$A eval -l mean --label-after known --ignore when t.csv"), 2, "a feature, a column of times");
    refused(run("$A eval -l mean --label-after known --now a t.csv"), 2, "--now COLUMN");
    refused(run("$A eval -l mean --label-after a --now when t.csv"), 2, "--now goes with");
    write_text("t.csv", "a,late,y\n1,soon,4\n2,later,8\n");
    refused(run("$A eval -l mean --label-after late t.csv"), 1, "a count of rows or a time");
}
END_TEST

START_TEST(the_first_rows_apart)
{
    write_text("t.csv", "a,y\n1,1000\n2,1001\n3,1003\n4,1002\n");
    ck_assert_int_eq(run("$A eval --json -l last t.csv"), 0);
    ck_assert_double_eq_tol(json("mae"), (1000 + 1 + 2 + 1) / 4.0, 1e-9);
    ck_assert_double_eq_tol(json("r2"), 1 - (1 + 4 + 1) / 2.0, 1e-9); /* of the last three */
    ck_assert_int_eq(run("$A eval --json -l last --burn-in 1 t.csv"), 0);
    ck_assert_double_eq_tol(json("mae"), 4 / 3.0, 1e-12);
    ck_assert_double_eq_tol(json("r2"), 1 - (1 + 4 + 1) / 2.0, 1e-12);
    ck_assert(json("n") == 4);
}
END_TEST

START_TEST(intervals_and_kept_columns)
{
    ck_assert_int_eq(
        run("$A generate friedman -n 3000 --seed 3 -o f.csv; sed 's/^/id 7,/; 1s/.*/id,&/; 1s/id 7,//' f.csv "
            "> k.csv; $A train -l 'scale(rls)' --ignore id --interval 0.9 -o m.anb k.csv; "
            "$A predict -m m.anb --interval 0.9 --keep id,x0 k.csv > p.csv; head -1 p.csv; tail -1 p.csv | "
            "cut -d, -f4"),
        0);
    ck_assert_str_eq(out, "prediction,low,high,id,x0\n\"id 7\"\n");
    ck_assert_int_eq(
        run("$A eval --json -l 'scale(rls)' --interval 0.9 --ignore id --predictions i.csv k.csv >/dev/null; "
            "awk -F, 'NR>1000{n++; i+=$2>=$4 && $2<=$5} END{print (i/n > .88 && i/n < .92) ? \"held\" : "
            "i/n}' i.csv"),
        0);
    ck_assert_str_eq(out, "held\n");
    refused(run("$A predict -m m.anb --interval 0.8 f.csv"), 2, "of coverage 0.9, not of 0.8");
    refused(run("$A predict -m m.anb --interval 1 f.csv"), 2, "--interval takes");
    ck_assert_int_eq(
        run("$A eval --json -l 'scale(rls)' --interval 0.9 --predictions q.csv --keep id --ignore id k.csv; "
            "head -1 q.csv"),
        0);
    ck_assert(strstr(out, "\"level\": 0.9") && strstr(out, "row,target,prediction,low,high,id\n"));
    ck_assert_int_eq(run("$A train -l mean -o m.anb f.csv"), 0);
    refused(run("$A predict -m m.anb --interval 0.9 f.csv"), 2, "no intervals");
}
END_TEST

START_TEST(options_for_programs)
{
    if (run("command -v python3") == 0) {
        ck_assert_int_eq(run("$A help --json | python3 -c 'import json,sys; c=json.load(sys.stdin)[\"commands\"]; "
                             "print([k[\"name\"] for k in c if k[\"name\"] in (\"eval\", \"train\")], "
                             "{o[\"argument\"] for k in c for o in k[\"options\"] if o[\"name\"]==\"delimiter\"})'"),
                         0);
        ck_assert_str_eq(out, "['eval', 'train'] {'CHAR'}\n");
    }
}
END_TEST

/* By their texts, which the model's file keeps, and a model that goes on with it. */
START_TEST(categories_by_name)
{
    static const char *const city[] = {"\"Bonn, \\ Rhein\"", "Ulm", ""};
    static const int y[] = {10, -5, 1};
    FILE *file = fopen("t.csv", "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "when,city,a,y\n");
    for (int i = 0; i < 600; i++)
        fprintf(file, "2024-01-%02dT0%d:00,%s,%d,%d\n", 1 + i % 28, i % 2, city[i % 3], i % 7, y[i % 3]);
    fclose(file);
    ck_assert_msg(run("$A train -l linear -o m.anb t.csv") == 0, "%s", err);
    ck_assert_int_eq(run("$A inspect m.anb --categories 9"), 0);
    ck_assert_msg(strstr(out, "  Bonn, \\ Rhein                           200       10.000       10.000 "), "%s", out);
    ck_assert_msg(strstr(out, "  Ulm                                     200      -5.0000      -5.0000 "), "%s", out);
    ck_assert_msg(strstr(out, "  (missing) ") && strstr(out, "  Thu 00:00 "), "%s", out);
    ck_assert_msg(run("$A train -m m.anb -o m.anb --limit 1 t.csv && $A inspect --json m.anb --categories 1") == 0,
                  "%s", err);
    ck_assert_msg(strstr(out, "\"column\": \"city\", \"hours\": false, \"top\": [{\"name\": \"Bonn, \\\\ Rhein\""),
                  "%s", out);
    ck_assert_msg(run("$A eval -l 'scale(mlp(hidden=3))' --diag d.jsonl t.csv && tail -n 1 d.jsonl") == 0, "%s", err);
    ck_assert_msg(strstr(out, "\"features\": [\"a\", \"when=hour-sine\", "), "%s", out);
    ck_assert_msg(strstr(out, "\"city=effect\", \"when=hour-of-week-mean\""), "%s", out);
    ck_assert_msg(strstr(out, "{\"name\": \"Ulm\", "), "%s", out);
    ck_assert_int_eq(
        run("printf 'a,y\\n1,2\\n3,4\\n' > n.csv; $A train -l linear -o n.anb n.csv; $A inspect n.anb --categories 3"),
        0);
    ck_assert_msg(strstr(out, "has no categories"), "%s", out);
    refused(run("$A inspect n.anb --categories 0"), 2, "categories");
}
END_TEST

/* A file of Latin-1 is read, and once told of: in its header, or in a category of any row. */
START_TEST(names_that_are_not_utf8)
{
    write_text("u.csv", "caf\xc3\xa9,b,y\nK\xc3\xb6ln,1,1\nUlm,2,2\n");
    ck_assert_int_eq(run("cat u.csv u.csv | sed 4d > t.csv; $A train -l 'scale(rls)' -o u.anb t.csv"), 0);
    ck_assert_msg(!strstr(err, "UTF-8"), "%s", err);
    ck_assert_int_eq(run("iconv -f utf-8 -t latin1 u.csv > l.csv; $A eval -l mean l.csv"), 0);
    ck_assert_msg(strstr(err, "column 1: \"caf\xe9\" is not UTF-8") && strstr(err, "iconv -f windows-1252"), "%s", err);
    ck_assert_ptr_null(strstr(strstr(err, "UTF-8") + 5, "is not UTF-8"));
    ck_assert_int_eq(run("sed 's/caf[^,]*/a/' t.csv > a.csv; $A train -l mean -o m.anb a.csv; "
                         "iconv -f utf-8 -t latin1 a.csv > l.csv; $A predict -m m.anb l.csv"),
                     0);
    ck_assert_msg(strstr(err, "l.csv:2: column 1: \"K\xf6ln\" is not UTF-8: in a file"), "%s", err);
}
END_TEST

/* A link is followed, to a file that is there or not, and a file that is replaced keeps its permissions. */
START_TEST(outputs_behind_links)
{
    write_text("t.csv", "a,y\n1,4\n2,8\n");
    ck_assert_int_eq(run("mkdir there; echo old >there/p.csv; chmod 600 there/p.csv; ln -s there/p.csv p.csv; "
                         "ln -s there/q.csv q.csv; for f in p q; do $A eval -l mean --predictions $f.csv t.csv; "
                         "test -L $f.csv || exit 1; done >/dev/null; "
                         "stat -c %%a there/p.csv; tail -n 1 there/p.csv there/q.csv; ls there"),
                     0);
    ck_assert_str_eq(out, "600\n==> there/p.csv <==\n2,8,4\n\n==> there/q.csv <==\n2,8,4\np.csv\nq.csv\n");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli_rows");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, weights_and_late_labels);
    tcase_add_test(tests, rows_of_weight_0);
    tcase_add_test(tests, labels_known_at_a_time);
    tcase_add_test(tests, the_first_rows_apart);
    tcase_add_test(tests, intervals_and_kept_columns);
    tcase_add_test(tests, options_for_programs);
    tcase_add_test(tests, categories_by_name);
    tcase_add_test(tests, names_that_are_not_utf8);
    tcase_add_test(tests, outputs_behind_links);
    return suite;
}

CHECK_MAIN(suite)
