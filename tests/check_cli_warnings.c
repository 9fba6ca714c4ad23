/* What the program says of a table that was read, but may have been meant otherwise; and of what was left out. */
#include "cli.h"

/* Tables that are read, and what is said on standard error of what their columns may have been meant for. */
static const struct {
    const char *table, *options, *said; /* NULL: nothing */
} warned[] = {
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
    {"a,b,y\n1,1,1\n2,1,2\n#DIV/0!,1,2\n4,1,2\n#DIV/0!,1,3\n", "", "are numbers, but \"#DIV/0!\" is not; --missing"},
    {"a,b,y\n1,1,1\n2,1,2\n#DIV/0!,1,2\n4,1,2\n#DIV/0!,1,3\n", "--missing '#DIV/0!'", NULL},
    {"a,b,y\n1,1,1\n2,1,2\nS,1,2\nM,1,2\nL,1,3\n", "", NULL},
    {"a,b,y\n5 cm,1,1\nlong,2,2\n", "", NULL},
    {"a,b,y\nu5,1,1\nu7,2,2\n", "", NULL},
    {"a,b,y\n5-7,1,1\n7-9,2,2\n", "", NULL},
    {"a,b,y\n5 cm,1,1\n7 cm,2,2\n", "--category a", NULL},
    {"a;b;y\n1,5;2;3\n2,5;3;4\n", "", "delimiter \";\"; decimal comma"},
    {"a;b;y\n$1,234;1;1\n$7;2;2\n", "", "without \"$\" and with --decimal , or --thousands , they are"},
    {"a,b,y\n1 234,1,1\n1 235,2,2\n", "", "such as \"1 234\" are read as names, in 1 column (a); with --thousands ' '"},
    {"a,b,y\n1 234,1,1\n12 35,2,2\n", "", NULL},
    {"when,b,y\n17:30,1,1\n8:05,2,2\n", "", "\"17:30\" look like times, but are read as names, in 1 column (when)"},
    {"a,b,y\n1:10,1,1\n16:09,2,2\n", "", NULL}, /* ratios */
    {"a,b,y\n2013-01-05,1,1\n17:30,2,2\n2013-01-06,2,2\n", "", "such as \"17:30\" look like times"},
    {"when,b,y\n17:3,1,1\n8:5,2,2\n", "", NULL},
    {"a,b,y\n2013-01-05 17:30 CET,1,1\n2013-01-05T17:30Z,2,2\n", "", "\"2013-01-05 17:30 CET\" look like times"},
    {"a,b,y\n2013-01-05T17:30+01:00[Europe/Paris],1,1\n", "", "look like times"},
    {"a,b,y\n05/Jan/2013:17:30:00 +0000,1,1\n", "", "look like times"},
    {"a,b,y\n2013-W05-3,1,1\n", "", "look like times"},
    {"a,b,y\n2013Q1,1,1\n2013Q4,2,2\n", "", "\"2013Q1\" look like times"},
    {"a,b,y\nQ1 2013,1,1\n", "", "look like times"},
    {"a,b,y\n2013-Q4,1,1\n", "", "look like times"},
    {"a,b,y\n05.01.13,1,1\n13.01.13 17:30,2,2\n", "", "\"05.01.13\" look like times"},
    {"a,b,y\n05-01-13,1,1\n", "", "look like times"},
    {"a,b,y\n05-01-13,1,1\n", "", "--category says that they are names"},
    {"a,b,y\n20-11-09,1,1\n11-20-09,2,2\n", "", NULL}, /* codes: dates of two orders */
    {"a,b,y\n20-11-09,1,1\n20-11-08,2,2\n", "--category a", NULL},
    {"a,b,y\n1001-12,1,1\n3120-05,2,2\n2013-05,1,1\n", "",
     "\"1001-12\" are dates, but most of the column not of the years"},
    {"a,b,y\n03-05-0123,1,1\n13-05-7123,2,2\n", "", "in 1 column (a); --time says that they are times"},
    {"a,b,y\n1001-12,1,1\n3120-05,2,2\n2013-05,1,1\n", "--time a", NULL},
    {"a,b,y\n1001-12,1,1\n3120-05,2,2\n2013-05,1,1\n", "--category a", NULL},
    {"a,b,y\n2013-05-01,1,1\n9999-12-31,2,2\n9999-12-31,2,2\n", "", NULL}, /* 9999: without an end */
    {"a,b,y\n2013-05-01,1,1\n1001-12-01,2,2\n3120-05-01,2,2\n", "", "such as \"1001-12-01\" are dates"},
    {"a,b,y\n01067,12e3,1\n10115,11e4,2\n80331,22e5,2\n", "", "in 2 columns (a,b)"},
    {"a,b,y\n01067,1,1\n10115,2,2\n80331,2,2\n", "",
     "cells such as \"01067\" look like codes, but are read as amounts, in 1 column (a); --code says"},
    {"a,b,y\n+49301234567,1,1\n+4930123456,2,2\n0301234567,2,2\n", "", "such as \"+49301234567\" look like codes"},
    {"a,b,y\n123e4,1,1\n12345,2,2\n90210,2,2\n", "", "such as \"123e4\" look like codes"},
    {"a,b,y\n01067,1,1\n10115,2,2\n80331,2,2\n", "--number a", NULL},
    {"zip,b,y\n01067,1,1\n10115,2,2\n80331,2,2\n", "", NULL}, /* a code by its name */
    {"time,b,y\n0930,1,1\n1745,2,2\n2331,2,2\n", "", NULL},
    {"a,b,y\n01,1,1\n02,2,2\n12,2,2\n", "", NULL},
    {"a,b,y\n0.50,1,1\n1.25,2,2\n0.75,2,2\n", "", NULL},
    {"a,b,y\n+5,1,1\n+6,2,2\n+7,2,2\n", "", NULL},
    {"a,b,y\n1e+05,1,1\n2e+05,2,2\n3e+07,2,2\n", "", NULL},
    {"a,b,y\n007,1,1\n1234,2,2\n12,2,2\n", "", NULL},
    {"a,b,y\n5. Januar 2013,1,1\n6 ao\xc3\xbbt 2013 17:30,2,2\n", "", "\"5. Januar 2013\" look like times"},
    {"a,b,y\n2013Q5,1,1\nQ1 1234,2,2\n", "", NULL},
    {"a,b,y\n31.13.32,1,1\n05.01.13,2,2\n", "", NULL},
    {"a,b,y\n1.2.13,1,1\n1.3.0,2,2\n", "", NULL}, /* versions */
    {"a,b,y\n5 rooms 2013 or so,1,1\n6 x 2013,2,2\n", "", NULL},
    {"a,b,y\n3 Series 2015,1,1\n5 Series 2013,2,2\n", "", NULL}, /* cars */
    {"a,b,y\n2013-01-05 late,1,1\nnever,2,2\n", "", NULL},
    {"a,b,y\n2013-01-05 room 1,1,1\n2013-01-06 room 2,2,2\n", "", NULL},
    {"a,b,y\n1 May 2013 x,1,1\n2 May 2013 x,2,2\n", "", NULL},
    {"a,b,y\n1234-W11,1,1\n1235-W12,2,2\n", "", NULL},
    {"a,b,y\n2013-W54,1,1\n2013-W99,2,2\n", "", NULL},
    {"a,b,y\n13/05/2013,1,1\n05/13/2013,2,2\n14/05/2013,2,2\n", "", "dates, but not all in one order of day"},
    {"a,b,y\n2013,1,1\n2014,1,1\nn.d.,1,1\n2014,1,1\nn.d.,1,1\n", "", "most of its cells are numbers"},
    {"a,b,y\n12340101,1,1\n10000101,2,2\n99991231,2,2\n", "", NULL},
    {"a,b,y\n20200101,1,1\n20200101,2,2\n", "", NULL},
    {"volume,b,y\n1357407000,1,1\n1957407060,2,2\n1057407060,2,2\n", "", NULL},
    {"a,b,y\n20130105,1,1\n20130106,2,2\n", "", "numbers such as 20130106 may be dates; --time a reads them"},
    {"a,b,y\n20130105,1,1\n20131306,2,2\n", "", NULL},
    {"a,b,y\n2013,1,1\n2014,2,2\n", "", NULL},
    {"a,b,y\n20130105,1,1\n20130106,2,2\n", "--number a", NULL},
    {"sent_at,b,y\n1357407000,1,1\n1357407060,2,2\n", "", "may be seconds since 1970; --time sent_at reads"},
    {"ts,b,y\n1357407000000,1,1\n1357407060000,2,2\n", "", "may be milliseconds since 1970; once they are divided"},
    {"a,b,y\n1357407000000,1,1\n1357407060000,2,2\n", "--time a", "beyond the year 5000: divide milliseconds"},
    {"a,b,y\n1357407000,1,1\n1357407060,2,2\n", "--time a", NULL},
    {"a,b,y\n2024-02-28,1,1\n2024-02-29,2,2\n2023-02-29,2,2\n", "",
     "most of its cells are times, but \"2023-02-29\" is not; --missing says words for missing cells, --time a"},
    {"a,b,y\n2024-02-28,1,1\nsoon,2,2\nlate,2,2\n", "", NULL},
    {"a;b;y\n999;1;1\n1.250;2;2\n12.345;1;1\n7.500;1;1\n", "", "\"a\": in all numbers with a point three digits"},
    {"a;b;y\n1;2;1.250\n2;2;20.500\n1;2;3.000\n2;2;12\n", "", "\"y\": in all numbers with a point three digits"},
    {"a;b;y\n0.999;1;1\n1.250;2;2\n12.345;1;1\n7.500;1;1\n", "", NULL},
    {"a;b;y\n1.250;2;2\n12.345;1;1\n7.500;1;1\n", "", NULL},
    {"a;b;y\n999;1;1\n1.25;2;2\n12.345;1;1\n7.500;1;1\n8.100;1;1\n", "", NULL},
    {"a;b;y\n999;1;1\n1.250;2;2\n12.345;1;1\n7.500;1;1\n", "--thousands . --decimal ,", NULL},
    {"a;b;y\n999;1;1\n1.250;2;2\n12.345;1;1\n7.500;1;1\n", "--decimal .", NULL},
    {"a;b;y\n999;1;1\n1.250;2;2\n12.345;1;1\n7.500;1;1\n", "--number a", NULL},
    {"rain,b,y\n0,1,1\n0,2,2\n1.016,1,1\n2.032,1,1\n12.950,1,1\n", "", NULL},
    {"km,b,y\n3,1,1\n1.609,1,1\n16.093,1,1\n4.828,1,1\n", "", NULL},
    {"a;b;y\n1'234;1;1\n1,234,567;2;2\n", "", NULL},
    {"a;b;y\n5 kg;1;1\n1,234 kg;2;2\n", "", "without \"kg\" and with --decimal , or --thousands , they"},
    {"a;b;y\n5 kg;1;1\n1,234,567 kg;2;2\n", "", "without \"kg\" and with --thousands , they"},
    {"a;b;y\n1'234 kg;1;1\n1,234,567 kg;2;2\n", "", NULL},
};

START_TEST(warnings_are_printed)
{
    static const char *const warnings[] = {"stands above numbers", "missing so far", "read as names",
                                           "reads them as",        "since 1970",     "with a point"};
    for (size_t i = 0; i < sizeof warned / sizeof *warned; i++) {
        write_text("t.csv", warned[i].table);
        ck_assert_msg(run("$A eval --json -l mean %s t.csv", warned[i].options) == 0, "%zu: %s", i, err);
        for (size_t j = 0; j < sizeof warnings / sizeof *warnings; j++)
            ck_assert_msg(warned[i].said || !strstr(err, warnings[j]), "%zu: %s", i, err);
        ck_assert_msg(!warned[i].said || strstr(err, warned[i].said), "%zu: %s", i, err);
    }
}
END_TEST

/* A cell that is not of its column's kind, and how it would be. */
START_TEST(what_would_make_a_cell_right_is_said)
{
    static const struct {
        const char *table, *said;
    } cases[] = {
        {"a,y\n1,5-\n", "\"5-\" is not a number (with its minus in front it is one)"},
        {"a;y\n1;\xe2\x88\x92"
         "1.234,5\n",
         "1.234,5\" is not a number (with - for its minus sign it is one)"},
        {"a,y\n1,5 EUR\n", "\"5 EUR\" is not a number (without \"EUR\" it is one), and the target"},
        {"a;y\n1;$9,043.26\n", "(without \"$\" and with --thousands , it is one)"},
        {"a,y\n1,9'043.26\n", "(with --thousands \"'\" it is one)"},
        {"a,y\n1,9 043\n", "(with --thousands ' ' it is one)"},
        {"a;y\n1;9 043,5\n2;7,5\n", "(with --decimal , --thousands ' ' it is one)"},
        {"a\ty\n1\t9,043\n", "(with --decimal , or --thousands , it is one)"},
        {"a\ty\n2,000\t9\n1,000,000\t8\n", "(with --thousands , it is one); --category a says"},
        {"a\ty\n1.200,5\t9\n", "(with --decimal , --thousands . it is one); --category a says"},
        {"a;y\n1;1'234\n2;1,234,567\n", "\"1'234\" is not a number (with --thousands \"'\" it is one, but other cells "
                                        "of the column are not), and the"},
        {"a,y\n1,dear\n", "\"dear\" is not a number, and the target has to be one"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("t.csv", cases[i].table);
        refused(run("$A eval -l mean t.csv"), 1, cases[i].said);
    }
    write_text("t.csv", "a\ty\n1,234,567\t1\n1'234\t2\n");
    ck_assert_int_eq(run("$A eval -l mean --number a t.csv"), 1);
    ck_assert_msg(strstr(err, "(with --thousands , it is one, but other cells of the column are not)"), "%s", err);
    write_text("t.csv", "a\ty\n$1,234,567\t1\n$2,345\t2\n7\t3\n");
    ck_assert_int_eq(run("$A eval -l mean --number a t.csv"), 1);
    ck_assert_msg(strstr(err, "(without \"$\" and with --thousands , it is one)"), "%s", err);
    write_text("t.csv", "when,y\n05.01.2013,1\n01.25.2013,2\n");
    ck_assert_int_eq(run("$A eval -l mean --time when --date-order ymd t.csv"), 1);
    ck_assert_msg(strstr(err, "\"05.01.2013\" is not a time (with --date-order mdy it is one);"), "%s", err);
    write_text("t.csv", "when,y\n05.01.2013,1\n01.25.2013,2\n25.01.2013,2\n");
    ck_assert_int_eq(run("$A eval -l mean --time when --date-order ymd t.csv"), 1);
    ck_assert_msg(strstr(err, "(with --date-order dmy it is one, but other cells of the column are not);"), "%s", err);
    write_text("t.csv", "a,when,y\n1.5,2013-01-05,1\n2,2013-02-06,2\n");
    ck_assert_int_eq(run("$A train -l 'scale(rls)' -o m.anb t.csv"), 0);
    write_text("u.csv", "a;when;y\n1,5;05.01.2013;1\n");
    ck_assert_int_eq(run("$A predict -m m.anb u.csv"), 1);
    ck_assert_msg(strstr(err, "\"1,5\" is not a number (with --decimal , it is one)"), "%s", err);
    ck_assert_int_eq(run("$A predict -m m.anb --decimal , u.csv"), 1);
    ck_assert_msg(strstr(err, "\"05.01.2013\" is not a time (with --date-order dmy it is one)"), "%s", err);
    ck_assert_msg(!strstr(err, "--skip-rows"), "%s", err);
    write_text("u.csv", "a,when,y\n1.5,2013-01-05 10:00 CET,1\n");
    ck_assert_int_eq(run("$A predict -m m.anb u.csv"), 1);
    ck_assert_msg(strstr(err, "(an offset such as +01:00 is read, the name of a zone is not)"), "%s", err);
}
END_TEST

/* A model reads dates in the order that an option says, and keeps that order when it is saved again. */
START_TEST(a_model_takes_another_order_of_dates)
{
    write_text("t.csv", "a,when,y\n1.5,2013-01-05,1\n2,2013-02-06,2\n");
    write_text("u.csv", "a;when;y\n1,5;05.01.2013;1\n2;06.02.2013;2\n");
    ck_assert_int_eq(run("$A train -l 'scale(rls)' -o m.anb t.csv && $A predict -m m.anb t.csv >p.csv"), 0);
    ck_assert_msg(run("$A predict -m m.anb --decimal , --date-order dmy u.csv | cmp - p.csv") == 0, "%s%s", out, err);
    ck_assert_int_eq(run("$A train -m m.anb -o n.anb t.csv && $A predict -m n.anb t.csv >p.csv"), 0);
    ck_assert_int_eq(run("$A train -m m.anb --decimal , --date-order dmy -o n.anb u.csv"), 0);
    ck_assert_msg(run("$A predict -m n.anb u.csv | cmp - p.csv") == 0, "%s%s", out, err);
}
END_TEST

/* Files that were put behind one another. */
START_TEST(a_header_among_the_rows_is_a_bad_row)
{
    write_text("t.csv", "\xef\xbb\xbf"
                        "a,y\n1,3\n\xef\xbb\xbf"
                        "a,y\n2,4\n"); /* each with a byte order mark */
    ck_assert_int_eq(run("$A eval -l mean t.csv"), 1);
    ck_assert_msg(strstr(err, "t.csv:3: the row repeats the header"), "%s", err);
    write_text("t.csv", "a,b,y\n1,u,3\na,b,y\n2,v,4\n\"a\", b ,y\n3,u,5\n");
    ck_assert_int_eq(run("$A eval -l mean t.csv"), 1);
    ck_assert_msg(strstr(err, "t.csv:3: the row repeats the header; --on-bad-row skip leaves it out, --header takes"),
                  "%s", err);
    ck_assert_int_eq(run("$A eval --json -l mean --on-bad-row skip t.csv"), 0);
    ck_assert(json("n") == 3 && json("features") == 2);
    ck_assert_msg(strstr(err, "1 number; 1 category (b)") && strstr(err, "2 bad rows"), "%s", err);
    ck_assert_int_eq(run("$A eval --json -l mean --on-bad-row missing t.csv"), 0);
    ck_assert_msg(json("n") == 3 && strstr(err, "2 bad rows skipped"), "%s", err);
    write_text("t.csv", "a,y\n1,3\n2,4\n3,5\na,y\n");
    ck_assert_int_eq(run("$A eval --json -l mean --header --on-bad-row missing t.csv"), 0);
    ck_assert_msg(json("n") == 3 && strstr(err, "1 bad row read with missing cells"), "%s", err);
    write_text("t.csv", "1,2,3\n1,2,3\n2,3,4\n");
    ck_assert_int_eq(run("$A eval --json -l mean --header t.csv"), 0);
    ck_assert(json("n") == 2);
    ck_assert_int_eq(run("$A eval --json -l mean --no-header t.csv"), 0);
    ck_assert(json("n") == 3);
    write_text("t.csv", "word,y\nfoo,1\nbar,2\n");
    ck_assert_int_eq(run("$A train -l 'scale(rls)' -o m.anb t.csv"), 0);
    write_text("t.csv", "word\nfoo\nword\nbar\n");
    ck_assert_int_eq(run("$A predict -m m.anb t.csv"), 1);
    ck_assert_int_eq(run("$A predict -m m.anb --header t.csv | wc -l"), 0);
    ck_assert_msg(atoi(out) == 4, "%s", out);
}
END_TEST

/* The newest row first, in the order of dates that the column has. */
START_TEST(times_that_fall_are_told)
{
    ck_assert_int_eq(
        run("echo when,y >t.csv; for i in $(seq 28 -1 1); do printf '%%02d/01/2013,%%d\n' $i $i; done >>t.csv; "
            "$A eval --json -l mean t.csv"),
        0);
    ck_assert_msg(strstr(err, "the times of column 1, \"when\", fall from row to row"), "%s", err);
    ck_assert_int_eq(run("(head -1 t.csv; tail -n +2 t.csv | tac) | $A eval --json -l mean -"), 0);
    ck_assert_msg(!strstr(err, "fall from"), "%s", err);
    ck_assert_int_eq(run("head -19 t.csv | $A eval --json -l mean -"), 0);
    ck_assert_msg(!strstr(err, "fall from"), "%s", err);
    ck_assert_int_eq(run("(cat t.csv; echo 07/01/2013,3) | $A eval --json -l mean -"), 0);
    ck_assert_msg(!strstr(err, "fall from"), "%s", err);
}
END_TEST

/* A target that wanders: beyond a hundred rows the last one learned is of no use. One that only follows its feature is
 * told of as little as a model without past targets. */
START_TEST(last_targets_that_grow_old_are_told)
{
    static const char wander[] = "y += rand() - .5", apart[] = "y = x + rand()";
    static const struct {
        const char *target, *learner;
        int rows;
        bool told;
    } cases[] = {{wander, "auto(budget=1)", 150, true},    {wander, "auto(budget=5)", 150, true},
                 {wander, "quantile(last)", 150, true},    {wander, "auto(budget=5)", 99, false},
                 {wander, "auto(lags=false)", 150, false}, {wander, "mean", 150, false},
                 {apart, "auto(budget=1)", 150, false},    {apart, "auto(budget=5)", 150, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(
            run("awk 'BEGIN { print \"x,y\"; for (i = 0; i < 800; i++) { x = rand(); %s; print x \",\" y } }' >t.csv; "
                "$A train -l '%s' -o m.anb t.csv && head -%d t.csv | $A predict -m m.anb -",
                cases[i].target, cases[i].learner, cases[i].rows + 1),
            0);
        bool told = strstr(err, "rows were predicted without a target between them, by a model that follows") != NULL;
        ck_assert_msg(told == cases[i].told, "%zu: %s", i, err);
    }
}
END_TEST

/* What holds no rows is told, as is a log that would be learned twice. */
START_TEST(what_is_not_done_is_told)
{
    write_text("t.csv", "a,b,y\n");
    refused(run("$A eval -l mean t.csv"), 1, "t.csv: there are no rows below the header; nothing was scored");
    write_text("t.html", "<!DOCTYPE html><html><body>404</body></html>\n");
    refused(run("$A eval -l mean t.html"), 1, "t.html: this is HTML");
    write_text("t.csv", "n,a,y\n1,2,3\n2,3,4\n");
    ck_assert_int_eq(run("$A train -l linear --cursor n -o m.anb t.csv"), 0);
    ck_assert_int_eq(run("$A train -m m.anb --cursor n -o n.anb t.csv"), 0);
    ck_assert_msg(strstr(err, "2 rows were learned before and skipped") && !strstr(err, "with --cursor"), "%s", err);
    ck_assert_int_eq(run("$A train -m m.anb -o n.anb t.csv"), 0);
    ck_assert_msg(strstr(err, "the model was trained with --cursor n; without it"), "%s", err);
}
END_TEST

/* What a run left that was killed within a record. */
START_TEST(a_record_that_is_cut_is_left_out)
{
    write_text("t.csv", "a,y\n1,2\n2,3\n3,4\n4,5\n");
    ck_assert_int_eq(run("$A eval -l linear --diag run.jsonl t.csv && head -3 run.jsonl >cut.jsonl && "
                         "sed -n 4p run.jsonl | head -c 100 >>cut.jsonl && head -3 run.jsonl >whole.jsonl"),
                     0);
    ck_assert_int_eq(run("$A report cut.jsonl"), 0);
    ck_assert_msg(strstr(err, "cut.jsonl: the last record is incomplete and left out"), "%s", err);
    ck_assert_int_eq(run("$A report cut.jsonl | sed s/cut/whole/ >a.html; $A report whole.jsonl | cmp - a.html"), 0);
    ck_assert_int_eq(run("{ head -c 100 run.jsonl; echo; cat run.jsonl; } >torn.jsonl"), 0);
    refused(run("$A report torn.jsonl"), 1, "record 1 is not one of eval --diag");
    ck_assert_int_eq(run("$A eval -l linear --diag run.csv t.csv"), 0);
    refused(run("$A report run.csv"), 1, "whose name does not end in .csv");
}
END_TEST

START_TEST(who_left_a_column_out_is_said)
{
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n");
    write_text("s.txt", "a b");
    refused(run("$A eval -l mean --schema s.txt -t y t.csv"), 2,
            "\"y\" is left out by --schema, which does not name it");
    refused(run("$A eval -l mean --ignore y -t y t.csv"), 2, "\"y\" is left out by --ignore");
    write_text("p.csv", "price,Size,y\n1,2,3\n");
    refused(run("$A eval -l mean -t PRICE p.csv"), 2, "(did you mean \"price\"?)");
    refused(run("$A eval -l mean -t szie p.csv"), 2, "(did you mean \"Size\"?)");
    refused(run("$A eval -l mean -t Y p.csv"), 2, "(did you mean \"y\"?)");
    refused(run("$A eval -l mean -t x p.csv"), 2, "\"x\" is not the name of a column, nor");
    write_text("p.csv", "size,price\n1,2\n");
    refused(run("$A eval -l mean -t prise p.csv"), 2,
            "\"prise\" is not the name of a column (did you mean \"price\"?), nor");
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
    refused(run("$A predict -m m.anb --category a --number a n.csv"), 2, "is given two kinds");
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
    tcase_add_test(tests, what_would_make_a_cell_right_is_said);
    tcase_add_test(tests, a_model_takes_another_order_of_dates);
    tcase_add_test(tests, a_header_among_the_rows_is_a_bad_row);
    tcase_add_test(tests, times_that_fall_are_told);
    tcase_add_test(tests, last_targets_that_grow_old_are_told);
    tcase_add_test(tests, what_is_not_done_is_told);
    tcase_add_test(tests, a_record_that_is_cut_is_left_out);
    tcase_add_test(tests, who_left_a_column_out_is_said);
    tcase_add_test(tests, kinds_that_a_model_knows_stay);
    tcase_add_test(tests, why_rows_were_left_out_is_said);
    return suite;
}

CHECK_MAIN(suite)
