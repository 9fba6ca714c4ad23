/*
 * The program as its users meet it: run by a shell in a folder of its own, what it prints and how it ends.
 */
#include "cli.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char line_data[] = "a,b,y\n1,2,3\n2,1,3\n3,3,6\n4,1,5\n0,0,0\n";

START_TEST(help_and_version)
{
    ck_assert_int_eq(run("$A --help"), 0);
    ck_assert(strstr(out, "eval") && strstr(out, "generate") && strstr(out, "learners"));
    ck_assert_int_eq(run("$A --version"), 0);
    ck_assert_int_eq(strncmp(out, "anabranch ", 10), 0);
    ck_assert_int_eq(run("$A help eval > a; $A eval --help > b; cmp a b"), 0);
    ck_assert_int_eq(run("$A eval --help"), 0);
    ck_assert(strstr(out, "--predictions OUT.csv") && strstr(out, "rls") && strstr(out, "-t, --target COLUMN"));
    ck_assert_int_eq(run("$A learners -h"), 0);
}
END_TEST

START_TEST(wrong_use)
{
    write_text("d.csv", line_data);
    refused(run("$A"), 2, "which command");
    refused(run("$A bake"), 2, "\"bake\"");
    refused(run("$A eval"), 2, "usage: anabranch eval");
    refused(run("$A eval d.csv d.csv"), 2, "usage");
    refused(run("$A eval --colour d.csv"), 2, "--colour");
    refused(run("$A eval d.csv -l"), 2, "needs a value");
    refused(run("$A eval -zq d.csv"), 2, "unknown option -z;");
    refused(run("$A eval --json=1 d.csv"), 2, "--json takes no value");
    refused(run("$A eval -l mean --rules d.csv d.csv"), 2, "--diag");
    refused(run("$A eval -l mean --diag-every 2 d.csv"), 2, "--diag");
    refused(run("$A eval -l mean --diag x.jsonl --rules d.csv d.csv"), 2, "no mixture");
    refused(run("$A eval -l 'moe(last, mean)' --diag x.jsonl --rules d.csv d.csv"), 2, "byte");
    ck_assert_int_eq(run("test ! -e x.jsonl"), 0);
    refused(run("$A eval --limit 3x d.csv"), 2, "--limit");
    refused(run("$A eval --limit -3 d.csv"), 2, "--limit");
    refused(run("$A eval --every 0 d.csv"), 2, "--every");
    refused(run("$A eval --seed 99999999999999999999999 d.csv"), 2, "--seed");
    refused(run("$A eval -l 'rls(lambda=2)' d.csv"), 2, "lambda");
    refused(run("$A eval -l 'rls(' d.csv"), 2, "at byte");
    refused(run("$A eval -l 'oracle' d.csv"), 2, "oracle");
    refused(run("$A eval -t z d.csv"), 2, "\"z\" is not the name of a column");
    refused(run("$A eval --drop a,z d.csv"), 2, "\"z\"");
    refused(run("$A eval --drop y -t y d.csv"), 2, "left out");
    refused(run("$A eval nothing.csv"), 2, "nothing.csv");
    refused(run("$A eval ."), 2, "directory");
    refused(run("$A learners ols"), 2, "ols");
    refused(run("$A learners 'rls(delta=0)'"), 2, "delta");
    refused(run("$A generate mackey"), 2, "mackey");
    refused(run("$A generate friedman --drift up"), 2, "up");
    refused(run("$A generate friedman -n 0"), 2, "--rows");
    refused(run("$A eval d.csv --predictions no/such/folder.csv"), 2, "no/such/folder.csv");
    refused(run("$A generate friedman -o no/such/folder.csv"), 2, "no/such/folder.csv");
}
END_TEST

/* The mean's prequential errors, by hand: it says 0, 3, 3, 4, 4.25 to 3, 3, 6, 5, 0. */
START_TEST(figures_by_hand)
{
    write_text("d.csv", line_data);
    ck_assert_int_eq(run("$A eval --json -l mean d.csv"), 0);
    double sse = 9 + 0 + 9 + 1 + 4.25 * 4.25, mean = 14.0 / 4, sst = 9 + 36 + 25 - 4 * mean * mean;
    ck_assert(strstr(out, "{\"learner\": \"mean\", \"stream\": \"d.csv\", \"n\": 5, \"features\": 2, ") == out);
    ck_assert_double_eq_tol(json("mae"), (3 + 0 + 3 + 1 + 4.25) / 5, 1e-12);
    ck_assert_double_eq_tol(json("rmse"), sqrt(sse / 5), 1e-12);
    ck_assert_double_eq_tol(json("r2"), 1 - (sse - 9) / sst, 1e-12); /* the first answer apart */
    ck_assert_double_eq_tol(json("rmse_second_half"), sqrt((9 + 1 + 4.25 * 4.25) / 3), 1e-12);
    ck_assert(json("rejected") == 0 && json("samples_per_second") > 0 && json("state_bytes") > 0 &&
              json("seconds") >= 0);
    ck_assert_ptr_eq(strchr(out, '\n'), out + strlen(out) - 1);
    /* seconds of learning, not of what writes a record a sample */
    ck_assert_int_eq(
        run("$A generate friedman -n 2000 -o f.csv && $A eval --json -l 'moe(last, mean)' --diag d.jsonl f.csv"), 0);
    ck_assert_msg(3 * json("n") / json("samples_per_second") < json("seconds"), "%s", out);
    ck_assert_int_eq(run("$A eval --json -l last --limit 2 d.csv"), 0);
    ck_assert(json("n") == 2 && isnan(json("r2")));
    ck_assert_int_eq(run("$A eval --json -l last --limit 0 d.csv"), 0);
    ck_assert(json("n") == 0 && isnan(json("mae")) && isnan(json("rmse")) && isnan(json("samples_per_second")));
}
END_TEST

START_TEST(targets_and_dropped_columns)
{
    write_text("d.csv", "y;when;a\n1;monday;5\n2;tuesday;6\n3;sunday;7\n");
    refused(run("$A eval --json -l mean -t when d.csv"), 1,
            "d.csv:2: column 2, \"when\": \"monday\" is not a number, and the target has to be one");
    ck_assert_int_eq(run("$A eval --json -l mean -t y --drop when d.csv"), 0);
    ck_assert(json("n") == 3 && json("features") == 1);
    ck_assert_double_eq_tol(json("mae"), (1 + 1 + 1.5) / 3, 1e-12);
    ck_assert_int_eq(run("$A eval --json -l mean --drop when,y d.csv"), 1);
    write_text("twice.csv", "a,a,y\n1,2,3\n");
    refused(run("$A eval -l mean -t a twice.csv"), 2, "several columns");
    ck_assert_int_eq(run("$A eval --json -l mean twice.csv"), 0);
}
END_TEST

/* One file in many clothes gives one result. */
START_TEST(dialects)
{
    static const char zipped[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\xd0\xa9\xe4\x32\xd4\x31\xe2\x32\xd2\x31\xe1"
        "\x32\xd6\x31\xe3\x02\x00\x5d\x3d\x5d\x9d\x10\x00\x00\x00";
    static const struct {
        const char *name, *text;
    } files[] = {{"plain", "x,y\n1,2\n2,4\n3,6\n"},
                 {"crlf", "x,y\r\n1,2\r\n2,4\r\n3,6\r\n"},
                 {"no line end", "x,y\n1,2\n2,4\n3,6"},
                 {"semicolon", "x;y\n1;2\n2;4\n3;6\n"},
                 {"tab", "x\ty\n1\t2\n2\t4\n3\t6\n"},
                 {"mark", "\xef\xbb\xbfx,y\n1,2\n2,4\n3,6\n"},
                 {"quotes", "\"x\",\"y\"\n\"1\",2\n2,\"4\"\n\"3\",\"6\"\n"},
                 {"mark and quotes", "\xef\xbb\xbf\"x\",y\r\n1,2\r\n2,\"4\"\r\n3,6\r\n"},
                 {"line end in quotes", "\"x\n1\",\"y \"\"deep\"\"; or so\"\n1,2\n2,4\n3,6\n"},
                 {"blank lines", "\n\nx,y\n\n1,2\n2,4\n\n3,6\n\n"},
                 {"blanks", "x,y\n 1,2\n2 , 4\n3,6\t\n"},
                 {"forms", "x,y\n+1,2.\n2e0,.4E+1\n0003,60e-1\n"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_text("d.csv", files[i].text);
        ck_assert_msg(run("$A eval --json -l mean d.csv") == 0, "%s: %s", files[i].name, err);
        ck_assert_msg(json("n") == 3 && fabs(json("mae") - (2 + 2 + 3) / 3.0) < 1e-12, "%s: %s", files[i].name, out);
    }
    if (run("gzip -c d.csv > d.csv.gz") == 0) {
        ck_assert_msg(run("$A eval --json -l mean d.csv.gz") == 0, "gzip: %s", err);
        ck_assert(json("n") == 3);
        ck_assert_int_eq(run("$A eval --json -l mean - < d.csv.gz"), 0);
        ck_assert(json("n") == 3 && strstr(out, "\"stream\": \"-\""));
        ck_assert_int_eq(run("{ cat d.csv.gz; printf '5,6\\n7,8\\n' | gzip -c; head -c 3000 /dev/zero; } > two.gz"), 0);
        ck_assert_msg(run("$A eval --json -l mean two.gz") == 0, "%s", err);
        ck_assert(json("n") == 5);
        refused(run("{ cat d.csv.gz; echo 5,6; } > more.gz; $A eval --json -l mean more.gz"), 1,
                "more.gz: something else is behind");
        ck_assert_int_eq(run("head -c 30 d.csv.gz > cut.gz"), 0);
        refused(run("$A eval --json -l mean cut.gz"), 1, "cut.gz");
    }
    write_bytes("odd.gz", zipped, sizeof zipped - 1 - 8); /* without its checksum and size */
    refused(run("$A eval --json -l mean odd.gz"), 1, "odd.gz");
    ck_assert_int_eq(run("$A eval --json -l mean - < d.csv"), 0);
    ck_assert_int_eq(run("cat d.csv | $A eval --json -l mean -"), 0);
    ck_assert(json("n") == 3);
}
END_TEST

START_TEST(bad_data_says_where)
{
    static const struct {
        const char *text, *words;
    } files[] = {{"", "empty"},
                 {"\n\n", "empty"},
                 {"y\n1\n", "no feature column"},
                 {"a,y\n1,2\n1,2,3\n", "d.csv:3: column 3: the row has 3 cells, the header has 2"},
                 {"a,y\n1,2\n1\n", "d.csv:3: column 2: the row has 1 cells, the header has 2"},
                 {"a,y\n1,2\n1,2\nx,2\n", "d.csv:4: column 1, \"a\": \"x\" is not a number"},
                 {"a,y\n1,2\n1,2\n1,z\n", "d.csv:4: column 2, \"y\": \"z\" is not a number"},
                 {"a,y\n1,2\n1,2\n0x10,2\n", "\"0x10\" is not a number"},
                 {"a,y\r1,2\r", "d.csv:1: column 2: a carriage return"},
                 {"\n\ny\n1\n", "d.csv: no feature column"},
                 {"a;y\n1;2\n1.5;2\n1,5;2\n", "\"1,5\" is not a number"},
                 {"a,y\n1,2\n1,2\n1 5,2\n", "\"1 5\" is not a number"},
                 {"a,y\n1,2\n1,2\n1e,2\n", "\"1e\" is not a number"},
                 {"a,y\n1,2\n\"1,2\n3,4\n", "d.csv:3: column 1: a quote is never closed"},
                 {"a,y\n1,2\n\"1\"2,3\n", "d.csv:3: column 1: text behind the closing quote"},
                 {"\"a\nb\",y\n1,2\n1,2\n1,\x01\n", "d.csv:5: column 2, \"y\": \"?\" is not a number"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_text("d.csv", files[i].text);
        refused(run("$A eval --json -l mean d.csv"), 1, files[i].words);
    }
    write_bytes("d.csv", "a,y\n1,2\n1,\0\n", 12);
    refused(run("$A eval --json -l mean d.csv"), 1, "d.csv:3: a NUL byte");
    write_bytes("d.csv", "a\0,\0y\0\n\0", 8);
    refused(run("$A eval --json -l mean d.csv"), 1, "NUL");
}
END_TEST

/* A quote inside a cell that did not begin with one is text. */
START_TEST(inches)
{
    write_text("d.csv", "part,x,y\n5\" pipe,1,2\n\"a \"\"6\"\"\nlong, \" ,2,4\n7\",3,6\n");
    ck_assert_int_eq(run("$A eval --json -l mean --drop part d.csv"), 0); /* blanks behind a quote do not count */
    write_text("d.csv", "part,x,y\n5\" pipe,1,2\n\"a \"\"6\"\"\nlong, \",2,4\n7\",3,6\n");
    ck_assert_int_eq(run("$A eval --json -l mean --drop part d.csv"), 0);
    ck_assert(json("n") == 3 && json("features") == 1);
    write_text("d.csv", "part,x,y\n5\" pipe,1,2\n7\",3,6\nz,4,w\n");
    refused(run("$A eval --json -l mean --drop part d.csv"), 1, "d.csv:4: column 3");
}
END_TEST

/* Missing cells, infinite ones, empty targets: what is learned, rejected, and only predicted. */
START_TEST(missing_and_infinite_cells)
{
    write_text("d.csv", "a,y\n1,1\n,2\nna,3\nNaN,4\ninf,5\n1e400,6\n-Infinity,7\n3,\n4,8\n5,inf\n");
    ck_assert_int_eq(run("$A eval --json -l 'scale(mean)' --predictions p.csv d.csv"), 0);
    ck_assert(json("n") == 5 && json("rejected") == 4);
    read_text("p.csv", out, sizeof out);
    ck_assert_str_eq(
        out, "row,target,prediction\n1,1,0\n2,2,1\n3,3,1.5\n4,4,2\n5,5,\n6,6,\n7,7,\n8,,2.5\n9,8,2.5\n10,inf,\n");
    ck_assert_int_eq(run("$A eval --json -l linear d.csv"), 0);
    ck_assert(json("n") == 2 && json("rejected") == 7);
}
END_TEST

START_TEST(very_wide_and_very_long)
{
    FILE *file = fopen("wide.csv", "w");
    for (int i = 0; i <= 100000; i++)
        fprintf(file, "c%d%s", i, i < 100000 ? "," : "\n");
    for (int row = 0; row < 3; row++)
        for (int i = 0; i <= 100000; i++)
            fprintf(file, "%d%s", (i + row) % 7, i < 100000 ? "," : "\n");
    fclose(file);
    ck_assert_msg(run("$A eval --json -l mean wide.csv") == 0, "%s", err);
    ck_assert(json("n") == 3 && json("features") == 100000);
    file = fopen("long.csv", "w");
    fprintf(file, "a,y\n1,2\n%*s1.5,2\n1.%0*d5,4\n", 3000000, "", 3000000, 0);
    fclose(file);
    ck_assert_msg(run("$A eval --json -l mean long.csv") == 0, "%s", err);
    ck_assert(json("n") == 3);
}
END_TEST

/* The same bytes of predictions whatever the locale says about commas. */
START_TEST(locales)
{
    ck_assert_int_eq(run("$A generate friedman -n 500 -o f.csv"), 0);
    ck_assert_int_eq(run("$A eval -l 'scale(rls(lambda=0.99))' --predictions a.csv f.csv"), 0);
    ck_assert_int_eq(run("LC_ALL=de_DE.UTF-8 $A eval -l 'scale(rls(lambda=0.99))' --predictions b.csv f.csv"), 0);
    ck_assert_int_eq(run("cmp a.csv b.csv"), 0);
    ck_assert_int_eq(run("LC_ALL=de_DE.UTF-8 $A generate friedman -n 500 | cmp - f.csv"), 0);
}
END_TEST

START_TEST(tables_for_people)
{
    ck_assert_int_eq(run("$A generate friedman -n 1000 -o f.csv"), 0);
    ck_assert_int_eq(run("$A eval -l 'scale(moe(linear, rls, name=\"\"))' f.csv"), 2);
    ck_assert_int_eq(run("$A eval -l 'scale(moe(linear, rls))' f.csv"), 0);
    ck_assert(strstr(out, "\n         100 ") && strstr(out, "\n         800 ") && strstr(out, "\n       1,000 "));
    ck_assert(strstr(out, "linear_0") && strstr(out, "utilization"));
    ck_assert_int_eq(run("$A eval --every 300 -l mean f.csv"), 0);
    ck_assert(strstr(out, "\n         300 ") && strstr(out, "\n         900 ") && !strstr(out, "\n         100 "));
    ck_assert_int_eq(run("$A eval --json --every 300 -l mean f.csv"), 0);
    ck_assert(out[0] == '{' && strstr(err, "\n         900 "));
}
END_TEST

START_TEST(learners_from_their_tables)
{
    ck_assert_int_eq(run("$A learners"), 0);
    ck_assert(strstr(out, "\nrls ") && strstr(out, "\nscale ") && strstr(out, "router"));
    ck_assert_int_eq(run("$A learners rls"), 0);
    ck_assert(strstr(out, "lambda") && strstr(out, "0.999") && strstr(out, "> 0, <= 1"));
    ck_assert_int_eq(run("$A learners --features 3 'scale( rls( lambda = 0.9990 ) )'"), 0);
    ck_assert(strstr(out, "scale(rls)\n"));
    ck_assert_int_eq(run("$A learners --json --features 12 'knn(window=1000)'"), 0);
    double by_defaults = json("state_bytes");
    ck_assert_int_eq(run("$A learners --json --features 12 knn"), 0);
    ck_assert(json("state_bytes") == by_defaults && json("example_state_bytes") < by_defaults);
    ck_assert_int_eq(run("$A learners --features 12 poly"), 0);
    ck_assert(strstr(out, "as in the example") && !strstr(out, "by its defaults"));
    ck_assert_int_eq(run("$A learners auto --features 12"), 0);
    ck_assert(strstr(out, "auto(budget=5) at 12 features") && strstr(out, "auto(budget=100) at 12 features"));
    ck_assert(strstr(out, "guard(scale(refine(moe("));
    ck_assert_int_eq(run("$A learners --json"), 0);
    ck_assert(out[0] == '[' && strstr(out, "\"name\": \"rls\"") && strstr(out, "\"min_allowed\": false"));
    ck_assert_int_eq(run("$A learners --json --features 20 'scale(rls)'"), 0);
    double bytes = json("state_bytes");
    ck_assert_int_eq(run("$A learners --json --features 10 'scale(rls)'"), 0);
    ck_assert(json("state_bytes") < bytes && json("features") == 10);
    if (run("command -v python3") == 0)
        ck_assert_int_eq(run("$A learners --json | python3 -c 'import json,sys; json.load(sys.stdin)'"), 0);
}
END_TEST

/* What is written appears whole or not at all. */
START_TEST(no_half_written_files)
{
    write_text("bad.csv", "a,y\n1,2\n2,3\nx,4\n");
    write_text("p.csv", "old");
    refused(run("$A eval -l mean --predictions p.csv --json bad.csv"), 1, "bad.csv:4");
    ck_assert_int_eq(run("cat p.csv; ls"), 0);
    ck_assert(strncmp(out, "old", 3) == 0 && !strstr(out, "p.csv."));
    ck_assert_int_eq(run("$A generate friedman -n 10 > /dev/full"), 1);
    ck_assert_int_eq(run("$A generate friedman -n 100000 > /dev/full"), 1);
    ck_assert_msg(strstr(err, "cannot write standard output: No space"), "%s", err);
    ck_assert_int_eq(run("$A learners > /dev/full"), 1);
    ck_assert_int_eq(run("$A generate friedman -n 100 -o /dev/full"), 1);
    ck_assert_int_eq(run("$A generate friedman -n 100 -o /dev/null"), 0);
    ck_assert_int_eq(run("test -c /dev/full -a -c /dev/null"), 0);
    /* interrupted while it waits for more rows */
    ck_assert_int_eq(run("mkfifo rows; $A eval -l mean --predictions q.csv rows & p=$!; exec 3> rows; "
                         "printf 'a,y\\n1,2\\n' >&3; await 'grep -q ^1,2,0 q.csv.*'; kill -TERM $p; wait $p; ls"),
                     0);
    ck_assert(strstr(out, "q.csv") && !strstr(out, "q.csv.")); /* whole: the rows so far */
    read_text("q.csv", out, sizeof out);
    ck_assert_str_eq(out, "row,target,prediction\n1,2,0\n");
    /* nobody reads its table any more */
    ck_assert_int_eq(run("$A generate friedman -n 5000 -o f.csv; $A eval -l mean --every 1 --predictions r.csv f.csv | "
                         "head -n 1; ls"),
                     0);
    ck_assert(strstr(out, "f.csv") && !strstr(out, "r.csv"));
    ck_assert_int_eq(run("umask 027; $A generate friedman -n 10 -o g.csv; stat -c %%a g.csv"), 0);
    ck_assert_int_eq(strncmp(out, "640", 3), 0);
}
END_TEST

/* The generator: its moments as the formula has them, its changes where they should be, its seed. */
START_TEST(generated_streams)
{
    ck_assert_int_eq(run("$A generate friedman -n 20000 --seed 1 | head -n 1"), 0);
    ck_assert_str_eq(out, "x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,target\n");
    ck_assert_int_eq(
        run("for k in none gra gsg lea; do $A generate friedman --drift $k -n 20000 --seed 7 -o $k.csv; done; "
            "$A generate friedman --seed 8 -n 20000 -o other.csv; wc -l < none.csv"),
        0);
    ck_assert_int_eq(atoi(out), 20001);
    ck_assert_int_eq(run("cmp -s none.csv other.csv"), 1);
    ck_assert_int_eq(
        run("head -n 7001 none.csv > a; head -n 7001 gra.csv > b; cmp a b && head -n 7001 gsg.csv | cmp - a"), 0);
    ck_assert_int_eq(run("head -n 5001 lea.csv > a; head -n 5001 none.csv | cmp - a"), 0);
    ck_assert_int_eq(run("tail -n 5000 none.csv > a; tail -n 5000 gra.csv | cmp - a"), 0);
    ck_assert_int_eq(run("$A eval --json -l mean none.csv"), 0);
    /* sd of the truth 4.87 (Friedman 1991: signal to noise 4.8 to 1), with noise 4.97 */
    ck_assert_double_eq_tol(json("rmse"), 4.98, 0.08);
    static const struct {
        const char *kind;
        int changed, of;
    } kinds[] = {{"gra", 7500, 8500}, {"gsg", 11500, 13000}, {"lea", 300, 3000}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(run("cut -d, -f11 none.csv > a; cut -d, -f11 %s.csv | paste -d, a - | "
                             "awk -F, '$1 != $2' | wc -l",
                             kinds[i].kind),
                         0);
        ck_assert_msg(atoi(out) >= kinds[i].changed && atoi(out) <= kinds[i].of, "%s: %s", kinds[i].kind, out);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, help_and_version);
    tcase_add_test(tests, wrong_use);
    tcase_add_test(tests, figures_by_hand);
    tcase_add_test(tests, targets_and_dropped_columns);
    tcase_add_test(tests, dialects);
    tcase_add_test(tests, bad_data_says_where);
    tcase_add_test(tests, inches);
    tcase_add_test(tests, missing_and_infinite_cells);
    tcase_add_test(tests, very_wide_and_very_long);
    tcase_add_test(tests, locales);
    tcase_add_test(tests, tables_for_people);
    tcase_add_test(tests, learners_from_their_tables);
    tcase_add_test(tests, no_half_written_files);
    tcase_add_test(tests, generated_streams);
    return suite;
}

CHECK_MAIN(suite)
