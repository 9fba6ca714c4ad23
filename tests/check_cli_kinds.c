/* Columns of the program's tables: codes by their names, categories and times, columns that come and go. */
#include "cli.h"
#include <math.h>

/* The kinds that are guessed of two columns of whole numbers and a target. */
static void kinds_are(const char *header, const char *kinds)
{
    write_text("k.csv", header);
    ck_assert_int_eq(
        run("sed -i 's/$/,y\\n17,5,0\\n23,9,1\\n4,2,0\\n17,4,1/' k.csv; $A eval -l mean --print-schema k.csv"), 0);
    ck_assert_str_eq(out, kinds);
}

/* Whole numbers are codes where the name says so; a row's number, two values and times are numbers. */
START_TEST(codes_by_name)
{
    kinds_are("host_id,store", "host_id:code store:code y\n");
    kinds_are("playerID,Zip Code", "playerID:code \"Zip Code\":code y\n");
    kinds_are("yearID,grid", "yearID grid y\n");
    kinds_are("idle,n_items", "idle n_items y\n");
    kinds_are("item,id2", "item:code id2:code y\n");
    ck_assert_int_eq(run("printf 'id,code,key,y\n1,0.5,-3\n2,2,5,1\n3,9,7,2\n4,4,1,3\n' | sed '2s/$/,9/' >k.csv; "
                         "$A eval -l mean --print-schema k.csv"),
                     0);
    ck_assert_str_eq(out, "id code key y\n");
    ck_assert_int_eq(run("printf 'a,id\n1,5\n2,3\n3,9\n4,4\n' >k.csv; $A eval --json -l mean k.csv"), 0);
}
END_TEST

/* A model for more columns knows what it knew, learns the new ones, and reads tables without them. */
START_TEST(columns_come_and_go)
{
    static const char rows[] =
        "awk 'BEGIN{print \"x,colour,%s,y\"; for(i=0;i<2000;i++) print i%%7 \",\" (i%%3==0?\"red\":\"blue\") "
        "\",\" %s \",\" i%%7+(i%%3==0)*4+%s}' >%s";
    ck_assert_int_eq(run(rows, "note", "1", "0", "n.csv"), 0);
    ck_assert_int_eq(run(rows, "town", "(i%11<5?\"P\":\"Q\")", "(i%11<5)*9", "w.csv"), 0);
    ck_assert_int_eq(
        run("$A train -l 'scale(rls)' --ignore note -o n.anb n.csv && $A train -m n.anb --add-columns -o w.anb w.csv"),
        0);
    ck_assert(strstr(err, "new column \"town\", a category") != NULL);
    ck_assert_int_eq(run("$A eval --json -m n.anb w.csv"), 0);
    ck_assert_double_gt(json("rmse"), 4);
    ck_assert_int_eq(run("$A eval --json -m w.anb w.csv"), 0);
    ck_assert_double_lt(json("rmse"), 0.5);
    ck_assert_int_eq((int)json("features"), 3);
    refused(run("$A eval --json -m w.anb n.csv"), 1, "--missing-columns");
    ck_assert_int_eq(run("$A eval --json -m w.anb --missing-columns n.csv"), 0);
    ck_assert_int_eq(run("$A train -m w.anb --missing-columns -o v.anb n.csv"), 0);
    refused(run("$A train -l rls --add-columns -o v.anb n.csv"), 2, "-m MODEL");
}
END_TEST

/* Categories and times reach the learner through columns(...); the model keeps their kinds. */
START_TEST(categories_and_times)
{
    ck_assert_int_eq(
        run("awk 'BEGIN{print \"when,colour,x,y\"; for(i=0;i<3000;i++) print \"2024-01-\" 1+int(i/720)%%28 \" \" "
            "int(i/60)%%24 \":\" i%%60 \",\" (i%%3==0?\"red\":i%%3==1?\"blue\":\"green\") \",\" i%%7 \",\" "
            "(i%%3)*10+i%%7}' | sed 's/-\\([0-9]\\) /-0\\1 /; s/ \\([0-9]\\):/ 0\\1:/; s/:\\([0-9]\\),/:0\\1,/' > "
            "c.csv; $A eval --json -l 'scale(rls)' c.csv"),
        0);
    ck_assert(strstr(err, "1 number; 1 category (colour); 1 time (when); target y"));
    ck_assert(strstr(out, "columns(") && json("rmse_second_half") < 0.1);
    ck_assert_int_eq(run("$A eval --json -l 'scale(linear(normalized=true))' c.csv"), 0);
    ck_assert_double_lt(json("rmse_second_half"), 0.1);
    ck_assert_int_eq(
        run("$A train -l 'scale(rls)' -o m.anb c.csv && printf 'x,colour,when\\n3,green,2024-01-05 10:00\\n"
            "3,red,2024-01-05 10:01\\n3,,\\n' | $A predict -m m.anb -"),
        0);
    double green = 0, red = 0;
    ck_assert_int_eq(sscanf(out, "prediction\n%lf\n%lf\n", &green, &red), 2);
    ck_assert_msg(fabs(green - 23) < .5 && fabs(red - 3) < .5, "%g %g", green, red);
    refused(run("printf 'x,colour,when\\n3,red,today\\n' | $A predict -m m.anb - >/dev/null"), 1, "is not a time");
    ck_assert_int_eq(run("printf 'x,when\\n3,\\n' | $A predict -m m.anb --missing-columns -"), 0);
    ck_assert_int_eq(run("$A train -m m.anb -o n.anb c.csv && $A inspect n.anb"), 0);
    ck_assert(strstr(out, "6,000") && strstr(out, "colour:category"));
    ck_assert_int_eq(run("$A eval --json -l mean --number x --category x c.csv"), 2);
    ck_assert_int_eq(run("$A eval --json -l 'scale(columns(rls))' c.csv"), 0);
    ck_assert_int_eq(run("$A eval --json -l 'pending(interval(guard(mean)))' --interval 0.9 c.csv"), 0);
    ck_assert(strstr(out, "pending(interval(guard(columns(mean"));
    ck_assert_int_eq(run("$A eval --json -l 'columns(mean, slots=2097152)' c.csv >/dev/null"), 0);
    ck_assert_msg(strstr(err, "over 3 features takes 224.5 MiB"), "%s", err);
    ck_assert_int_eq(
        run("$A eval -l mean --print-schema c.csv > c.schema; cat c.schema; $A eval --json -l 'scale(rls)' "
            "--schema c.schema c.csv >/dev/null"),
        0);
    ck_assert_str_eq(out, "when:time colour:category x y\n");
}
END_TEST

/* The mean counts a row `weight` times; a late label is learned behind the rows that come before it. */
static Suite *suite(void)
{
    Suite *suite = suite_create("cli kinds");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, codes_by_name);
    tcase_add_test(tests, columns_come_and_go);
    tcase_add_test(tests, categories_and_times);
    return suite;
}

CHECK_MAIN(suite)
