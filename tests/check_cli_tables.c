/* Tables as people have them: how the program reads what is written in many ways, and what it refuses with which
 * words. */
#include "cli.h"
#include <math.h>

/* The mean over y = 3, 4, 8 is wrong by 3, 1 and 4.5. */
static void reads(const char *name, const char *options)
{
    ck_assert_msg(run("$A eval --json -l mean %s %s", options, name) == 0, "%s %s: %s", name, options, err);
    ck_assert_msg(json("n") == 3 && json("features") == 2, "%s %s: %s", name, options, out);
    ck_assert_msg(fabs(json("mae") - 8.5 / 3) < 1e-12, "%s %s: %s", name, options, out);
}

/* As reads, of a table that is written here. */
static void reads_text(const char *text, const char *options)
{
    write_text("t.csv", text);
    reads("t.csv", options);
}

START_TEST(delimiters_are_guessed)
{
    reads_text("a,b,y\n1,2,3\n2,3,4\n1,1,8\n", "");
    reads_text("a;b;y\n1;2;3\n2;3;4\n1;1;8\n", "");
    reads_text("a\tb\ty\n1\t2\t3\n2\t3\t4\n1\t1\t8\n", "");
    reads_text("a|b|y\n1|2|3\n2|3|4\n1|1|8\n", "");
    reads_text("a b y\n1 2 3\n2 3 4\n1 1 8\n", "");
    reads_text("  a   b  y\n  1  2   3\n 2\t3  4 \n 1 1 8\n", "");
    reads_text("a, unit;b, unit;y\n1;2;3\n2;3;4\n1;1;8\n", ""); /* what both lines have equally often */
    reads_text("a:b:y\n1:2:3\n2:3:4\n1:1:8\n", "--delimiter :");
    reads_text("a,b|b,y\n1,2,3\n2,3,4\n1,1,8\n", "--delimiter comma");
    write_text("t.csv", "a:b:y\n1:2:3\n");
    refused(run("$A eval --json -l mean t.csv"), 1, "--delimiter");
    refused(run("$A eval --json -l mean --delimiter 12 t.csv"), 2, "--delimiter takes");
}
END_TEST

START_TEST(blanks_around_names_and_quotes_do_not_count)
{
    reads_text("a, b, y\n1, 2, 3\n2, 3, 4\n1, 1, 8\n", "-t y");
    reads_text("\"a\", \"b\", \"y\" \n1, \"2\", 3\n2, 3 , \"4\" \n1, 1, 8\n", "-t y");
    ck_assert_int_eq(run("$A train -l 'scale(rls)' -o m.anb t.csv; printf 'a,b\\n1,2\\n' | $A predict -m m.anb -"), 0);
}
END_TEST

START_TEST(comments_and_units_are_skipped)
{
    reads_text("# it's a \"station\n# 2024\na,b,y\n1,2,3\n#,,\n2,3,4\n1,1,8\n", "--comment '#'");
    reads_text("a,b,y\nm/s,degC,kW\n1,2,3\n2,3,4\n1,1,8\n", "--skip-rows 1");
    reads_text("station 7\n2024, \"x\na,b,y\n1,2,3\n2,3,4\n1,1,8\n", "--skip-lines 2");
    reads_text("7,8,9\n1,2,3\n2,3,4\n1,1,8\n", "--no-header --skip-rows 1");
}
END_TEST

/* What --delimiter says wins over the line. */
START_TEST(a_line_before_the_header_says_the_delimiter)
{
    reads_text("\xef\xbb\xbf\"sep=\t\"\r\na\tb\ty\r\n1\t2\t3\r\n2\t3\t4\r\n1\t1\t8\r\n", "");
    reads_text("\xef\xbb\xbfsep=;\r\na;b;y\r\n1;2;3\r\n2;3;4\r\n1;1;8\r\n", "--delimiter ';'");
    reads_text("\"sep=;\"\na;b;y\n1;2;3\n2;3;4\n1;1;8\n", "--delimiter semicolon");
    reads_text("sep=,\n1,2,3\n2,3,4\n1,1,8\n", "--no-header");
    reads_text("sep=,\n1,2,3\n2,3,4\n1,1,8\n", "--no-header --delimiter ,");
    reads_text("sep=,\nm,s,kg\n1,2,3\n2,3,4\n1,1,8\n", "--no-header --skip-rows 1");
    reads_text("of 2024\nsep=\\t\n\na\tb\ty\n1\t2\t3\n2\t3\t4\n1\t1\t8\n", "--skip-lines 1");
    reads_text("sep=:\na:b:y\n1:2:3\n2:3:4\n1:1:8\n", "");
    reads_text("sep=;\na,b,y\n1,2,3\n2,3,4\n1,1,8\n", "--delimiter ,");
    ck_assert_int_eq(run("$A train -l mean -o m.anb --delimiter , t.csv && $A predict --delimiter , -m m.anb t.csv"),
                     0);
}
END_TEST

START_TEST(comments_and_units_are_recognised)
{
    static const char *const units[] = {"a,b,y\nm,s,kg\n1,2,3\n2,3,4\n", "a,b,y\n1,2,kg\n1,2,3\n2,3,4\n1,1,8\n2,2,2\n"};
    static const char *const comments[] = {"# of 2024\na,b,y\n1,2,3\n", "# a, b\na,b,y\n1,2,3\n",
                                           "a,b,y\n# late\n1,2,3\n"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        write_text("t.csv", units[i]);
        refused(run("$A eval -l mean t.csv"), 1, "--skip-rows 1");
    }
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        write_text("t.csv", comments[i]);
        refused(run("$A eval -l mean t.csv"), 1, "--comment '#'");
    }
    write_text("t.csv", "a,b,y\n1,2,3\n2,x,4\n");
    refused(run("$A eval --json -l mean --number b t.csv"), 1, "\"x\" is not a number");
    ck_assert_ptr_null(strstr(err, "--skip-rows"));
}
END_TEST

START_TEST(numbers_as_other_countries_write_them)
{
    reads_text("a;b;y\n1,5;2;3,0\n2,5;3;4\n1,25;1;8,\n", "--decimal ,");
    reads_text("a,b,y\n\"1,200.5\",2,3\n2,\"3,000,000\",4\n1,1,8\n", "--thousands ,");
    reads_text("a;b;y\n1.200,5;2;3\n2;3.000;4,0\n1;1;8\n", "--decimal , --thousands .");
    write_text("t.csv", "a,b,y\n\"1,20.5\",2,3\n");
    refused(run("$A eval --json -l mean --thousands , --number a t.csv"), 1, "\"1,20.5\" is not a number");
    write_text("t.csv", "a,b,y\n\"1,200.5\",2,3\n");
    refused(run("$A eval --json -l mean t.csv"), 1, "\"1,200.5\" is not a number (with --thousands , it is one)");
    reads_text("a,b,y\n1'200.5,2,3\n2,3\xe2\x80\x99"
               "000,4\n1,1,8\n",
               "--thousands \"'\"");
    reads_text("a,b,y\n1 200.5,2,3\n2,3\xe2\x80\xaf"
               "000,4\n1,2\xc2\xa0"
               "000\xe2\x80\x89"
               "000,8\n",
               "--thousands ' '");
    reads_text("a;b;y\n1,5;2;3,0\n2,5;3;4\n1,25;1;8,\n", ""); /* guessed behind semicolons */
    ck_assert(strstr(err, "decimal comma"));
    refused(run("$A eval --json -l mean --decimal , --thousands , t.csv"), 2, "the same");
    refused(run("$A eval --json -l mean --decimal x t.csv"), 2, "--decimal");
}
END_TEST

/* The first row is never taken for names without a word. */
START_TEST(no_header)
{
    write_text("t.csv", "1,2,3\n2,3,4\n1,1,8\n");
    refused(run("$A eval --json -l mean t.csv"), 1, "--no-header");
    refused(run("$A train -l mean -o m.anb t.csv"), 1, "--no-header");
    reads("t.csv", "--no-header");
    reads("t.csv", "--no-header -t 3");
    write_text("h.csv", "2019,2020,2021\n1,2,3\n2,3,4\n1,1,8\n");
    refused(run("$A eval --json -l mean h.csv"), 1, "--header");
    reads("h.csv", "--header");
    ck_assert_int_eq(run("$A train -l rls -t 1 --no-header -o m.anb t.csv && $A predict -m m.anb --no-header t.csv | "
                         "grep -c ."),
                     0);
    ck_assert_str_eq(out, "4\n");
}
END_TEST

/* How the table was written when the model learned holds for the next one. */
START_TEST(a_model_knows_how_its_tables_are_written)
{
    write_text("t.csv", "1,5;x;3\n2,5;3;4\n-1;4;5\n");
    ck_assert_int_eq(
        run("$A train -l 'scale(rls)' --no-header --decimal , --missing x,-1 -o m.anb t.csv && $A predict -m m.anb "
            "t.csv >1 && $A predict -m m.anb --no-header --decimal , --missing x,-1 t.csv >2 && cmp 1 2 && wc -l <1"),
        0);
    ck_assert_str_eq(out, "4\n");
    ck_assert_int_eq(run("$A train -m m.anb -o n.anb t.csv && $A inspect n.anb"), 0);
    ck_assert(strstr(out, "decimal=, header=no missing=x,-1"));
    refused(run("$A predict -m m.anb --header t.csv"), 1, "is not the name of a column");
}
END_TEST

START_TEST(columns_by_name_and_number)
{
    write_text("t.csv", ",a,note,note,\"b,c\",y\n0,1,p,q,2,3\n1,2,p,q,3,4\n2,1,p,q,1,8\n");
    reads("t.csv", "--ignore note --ignore ''");
    reads("t.csv", "--drop 1,3,4");
    reads("t.csv", "--ignore '#3,#4,\"\"'");
    reads("t.csv", "--ignore ',note'");
    ck_assert_int_eq(run("$A eval --json -l mean --ignore 'note,\"b,c\"' t.csv"), 0);
    ck_assert(json("features") == 2);
    refused(run("$A eval --json -l mean -t note t.csv"), 2, "#3, #4");
    refused(run("$A eval --json -l mean --ignore 7 t.csv"), 2, "\"7\" is not the name of a column");
}
END_TEST

START_TEST(trailing_delimiters)
{
    reads_text("a,b,y,\n1,2,3,\n2,3,4,\n1,1,8,\n", "");
    reads_text("a,b,y\n1,2,3,\n2,3,4,\n1,1,8\n", "");
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4,\n");
    refused(run("$A eval --json -l mean t.csv"), 1, "t.csv:3: column 4");
    write_text("t.csv", "a,b,\n1,2,3\n2,3,4\n");
    refused(run("$A eval --json -l mean t.csv"), 2, "-t #3");
    write_text("t.csv", "a,b,y\n1,2,\n2,3,\n");
    refused(run("$A train -l mean -o m.anb t.csv"), 1, "none of 2 rows");
    ck_assert_int_eq(run("test ! -e m.anb"), 0);
}
END_TEST

START_TEST(words_for_missing_cells)
{
    static const char *const words[] = {"NA", "null", "None", "<NA>", "N/A", "#N/A", "NaN", "\"\""};
    char text[100];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(text, sizeof text, "a,b,y\n1,2,3\n%s, %s ,4\n1,1,8\n", words[i], words[i]);
        reads_text(text, "");
    }
    reads_text("a,b,y\n1,2,3\n?,-,4\n1,1,8\n", "");
    write_text("t.csv", "a,b,y\n1,2,3\n.,x,4\n1,-999,8\n1,1,?\n");
    refused(run("$A eval --json -l mean t.csv"), 1, "t.csv:3: column 1, \"a\": \".\" is not a number");
    reads("t.csv", "--missing .,x --missing -999");
    ck_assert_int_eq(run("$A eval --json -l linear --missing .,x --missing -999 t.csv"), 0);
    ck_assert(json("n") == 1 && json("rejected") == 2); /* -999 is missing as well */
}
END_TEST

START_TEST(packed_and_wide_texts)
{
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n1,1,8\n");
    reads("t.csv", "");
    static const char wide[] = "\xff\xfe"
                               "a\0,\0\xe9\0,\0y\0\r\0\n\0001\0,\0002\0,\0003\0\n\0"
                               "2\0,\0003\0,\0004\0\n\0001\0,\0001\0,\0008\0";
    write_bytes("wide.csv", wide, sizeof wide - 1);
    reads("wide.csv", "");
    ck_assert_int_eq(run("$A train -l mean -o m.anb wide.csv && $A inspect m.anb"), 0);
    ck_assert(strstr(out, "a, \xc3\xa9"));
    ck_assert_int_eq(run("iconv -f utf-8 -t utf-16be t.csv > body && { printf '\\376\\377'; cat body; } > big.csv"), 0);
    reads("big.csv", "");
    refused(run("head -c 21 wide.csv > half.csv; $A eval --json -l mean half.csv"), 1, "inside a character");
    if (run("zstd -q -k t.csv && zstd -q -c t.csv > two.zst && printf '1,1,8\\n' | zstd -q -c >> two.zst") == 0) {
        reads("t.csv.zst", "");
        ck_assert_int_eq(run("$A eval --json -l mean - < two.zst"), 0);
        ck_assert(json("n") == 4);
        refused(run("head -c 20 t.csv.zst > cut.zst; $A eval --json -l mean cut.zst"), 1, "too early");
        refused(run("{ cat t.csv.zst; echo 1,2,3; } > more.zst; $A eval --json -l mean more.zst"), 1, "something else");
    }
    write_bytes("t.bz2", "BZh91AY&SY", 10);
    refused(run("$A eval --json -l mean t.bz2"), 1, "bzip2 -dc t.bz2 |");
    write_bytes("t.xz",
                "\xfd"
                "7zXZ\0\0",
                7);
    refused(run("$A eval --json -l mean t.xz"), 1, "xz -dc t.xz |");
    write_text("t.parquet", "PAR1xxxxxxxx");
    refused(run("$A eval --json -l mean t.parquet"), 1, "duckdb");
    ck_assert_int_eq(run("$A train -l mean -o m.anb t.csv; $A eval m.anb"), 1);
    ck_assert(strstr(err, "saved model"));
    write_text("s.svm", "1.5 1:1 7:2\n2.5 3:1 9000:1\n");
    refused(run("$A eval --json -l mean s.svm"), 1, "sparse");
}
END_TEST

START_TEST(json_lines)
{
    write_text("t.jsonl",
               "{\"a\": 1, \"b\": 2e0, \"y\": 3}\n\n{\"y\": 4, \"b\": \"3\", \"a\": 2.0}\n{\"a\": null, \"b\": 1, "
               "\"y\": 8}\n");
    reads("t.jsonl", "");
    reads("t.jsonl", "-t y");
    write_text("t.jsonl",
               "{\"a\": 1, \"b\": 2, \"y\": 3}\n{\"y\": 4, \"new\": [1], \"b\": 1}\n{\"a\": 1, \"b\": 1, \"y\": 8}\n");
    reads("t.jsonl", "");
    ck_assert(strstr(err, "keys that the first line has not"));
    write_text("t.jsonl", "{\"a\": 1, \"b\": 2, \"y\": 3}\n{\"a\": [1], \"b\": 2, \"y\": 3}\n");
    refused(run("$A eval --json -l mean t.jsonl"), 1, "t.jsonl:2: \"a\" is a list");
    write_text("t.jsonl", "{\"a\": 1, \"b\": 2, \"y\": 3}\n{\"a\": 1, \"b\" 2, \"y\": 3}\n");
    refused(run("$A eval --json -l mean t.jsonl"), 1, "t.jsonl:2: no JSON at byte");
    write_text("t.jsonl", "[{\"a\": 1, \"b\": 2, \"y\": 3}]\n");
    refused(run("$A eval --json -l mean t.jsonl"), 1, "jq -c .[] t.jsonl");
    ck_assert_int_eq(run("printf '{\"a\": 1, \"y\": 2.5}\\n{\"a\": 0.1, \"y\": 12345678901}\\n' | "
                         "$A eval -l mean --predictions - --json - | cut -d, -f2"),
                     0);
    ck_assert_str_eq(out, "target\n2.5\n12345678901\n");
}
END_TEST

START_TEST(bad_rows)
{
    write_text("t.csv", "a,b,y\n1,2,3\n1,x,9\n2,3,4\n2,3\n1,\"1\"2,7\n1,1,8\n");
    refused(
        run("$A eval --json -l mean t.csv"), 1,
        "t.csv:3: column 2, \"b\": \"x\" is not a number; what takes it: --missing x, --on-bad-row skip, --category b");
    reads("t.csv", "--on-bad-row skip --bad-rows b.csv");
    ck_assert(strstr(err, "3 bad rows skipped"));
    ck_assert_int_eq(run("cut -d, -f1 b.csv; grep -c 'column 2, \"\"b\"\"' b.csv; sed -n 2p b.csv | grep -o '1,x,9'"),
                     0);
    ck_assert_str_eq(out, "line\n3\n5\n6\n1\n1,x,9\n");
    ck_assert_int_eq(
        run("$A eval --json -l mean --on-bad-row missing --predictions p.csv t.csv && cut -d, -f1,2 p.csv"), 0);
    ck_assert(strstr(out, "row,target\n1,3\n2,9\n3,4\n6,8\n") &&
              strstr(err, "3 bad rows: 1 read with missing cells, 2 skipped"));
    ck_assert_int_eq(run("$A eval -l mean --on-bad-row missing --diag r.jsonl t.csv && $A report r.jsonl"), 0);
    ck_assert(strstr(out, "3 had a cell that was taken for missing or, 2 of them, were skipped; the first:"));
    ck_assert_int_eq(run("$A train -l mean -o m.anb --on-bad-row skip t.csv && $A inspect --json m.anb"), 0);
    ck_assert(json("n") == 3);
    refused(run("$A eval --json -l mean --on-bad-row fix t.csv"), 2, "--on-bad-row");
}
END_TEST

START_TEST(outputs_are_never_inputs)
{
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n1,1,8\n");
    ck_assert_int_eq(run("ln -s t.csv link.csv; ln t.csv hard.csv; cp t.csv keep.csv"), 0);
    refused(run("$A eval --json -l mean --diag t.csv t.csv"), 2, "it is an input");
    refused(run("$A eval --json -l mean --predictions hard.csv t.csv"), 2, "it is an input");
    refused(run("$A eval --json -l mean --bad-rows link.csv - < t.csv"), 2, "it is an input");
    refused(run("$A train -l mean -o ./t.csv t.csv"), 2, "it is an input");
    refused(run("$A eval --json -l mean --predictions n.csv --diag n.csv t.csv"), 2, "two outputs");
    ck_assert_int_eq(run("cmp t.csv keep.csv && test ! -e n.csv"), 0);
    ck_assert_int_eq(run("$A train -l mean -o m.anb t.csv && $A train -m m.anb -o m.anb t.csv"), 0);
}
END_TEST

/* A row is answered before the next one comes. */
START_TEST(rows_as_they_come)
{
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n1,1,8\n");
    ck_assert_int_eq(
        run("$A train -l rls -o m.anb t.csv; mkfifo f; $A predict -m m.anb f > p.txt & exec 7>f; head -3 t.csv "
            ">&7; await 'test $(wc -l < p.txt) -ge 3'; wc -l < p.txt; exec 7>&-; wait"),
        0);
    ck_assert_str_eq(out, "3\n");
    ck_assert_int_eq(
        run("mkfifo g; $A eval -l rls --diag d.jsonl --predictions - g > p.txt & exec 7>g; head -3 t.csv >&7; "
            "await 'test $(wc -l < p.txt) -ge 3 && test $(wc -l < d.jsonl) -ge 2'; wc -l < p.txt; grep -c samples "
            "d.jsonl; kill -INT $!; wait $!; echo rc=$?; exec 7>&-"),
        0);
    ck_assert_str_eq(out, "3\n2\nrc=0\n");
    ck_assert(strstr(err, "interrupted: the result so far") && strstr(err, "2 learned"));
}
END_TEST

START_TEST(columns_that_are_absent)
{
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n1,1,8\n");
    write_text("less.csv", "b,more\n1,2\n");
    ck_assert_int_eq(run("$A train -l 'scale(rls)' -o m.anb t.csv"), 0);
    refused(run("$A predict -m m.anb less.csv"), 1, "\"a\" is not the name of a column; --missing-columns");
    ck_assert_int_eq(
        run("$A predict -m m.anb --missing-columns less.csv >1; printf 'a,b\\n,1\\n' | $A predict -m m.anb - "
            ">2; cmp 1 2"),
        0);
    refused(run("printf 'q\\n1\\n' | $A predict -m m.anb --missing-columns -"), 1, "none of the model's features");
}
END_TEST

/* Kinds that are guessed from the first 100 rows or said: the doubles that the model sees, by what `linear` learns. */
START_TEST(kinds_of_columns)
{
    reads_text("a,b,y\nTrue,no,3\nFALSE,Yes,4\n,no,8\n", "");
    write_text("t.csv", "a,b,y\nTrue,no,3\nmaybe,Yes,4\n");
    refused(run("$A eval --json -l mean --boolean a,b t.csv"), 1,
            "t.csv:3: column 1, \"a\": \"maybe\" is not true or false");
    write_text("t.csv", "a,b,y\n1,2,3\n2,3,4\n1,1,8\n");
    refused(run("$A eval --json -l mean --boolean a --time a t.csv"), 2, "two kinds");
    refused(run("$A eval --json -l mean --date-order dym t.csv"), 2, "--date-order");
    write_text("t.schema", "# said\na b:number\ny z");
    refused(run("$A eval --json -l mean --schema t.schema t.csv"), 2, "the schema's column \"z\"");
    write_text("t.schema", "a a:category y");
    refused(run("$A eval --json -l mean --schema t.schema t.csv"), 2, "the schema names column 1, \"a\", twice");
    write_text("t.schema", "# said\na:number\ny");
    ck_assert_int_eq(run("$A eval --json -l mean --schema t.schema t.csv"), 0);
    ck_assert(json("features") == 1);
    write_text("n.csv", "#a,b,,b,\n1,2,3,x,4\n2,3,4,y,5\n1,1,8,x,9\n");
    ck_assert_int_eq(
        run("$A eval -l mean -t 3 --print-schema n.csv | tee n.schema; $A eval --json -l mean -t 3 n.csv > 1; "
            "$A eval --json -l mean -t 3 --schema n.schema n.csv > 2; sed -i 's/, .samples_per.*//' 1 2; cmp 1 2"),
        0);
    ck_assert_str_eq(out, "\"#a\" \"#2\" \"#3\" \"#4\":category \"#5\"\n");
    write_text("index.csv", ",a,y\n2024-01-01,1,2\n2024-01-02,2,3\n");
    ck_assert_int_eq(run("$A eval --json -l mean index.csv"), 0);
    ck_assert_msg(strstr(err, "1 time (#1)") != NULL, "%s", err);
    write_text("t.schema", "a:numbers");
    refused(run("$A eval --json -l mean --schema t.schema t.csv"), 2, "t.schema");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli tables");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, delimiters_are_guessed);
    tcase_add_test(tests, blanks_around_names_and_quotes_do_not_count);
    tcase_add_test(tests, comments_and_units_are_skipped);
    tcase_add_test(tests, a_line_before_the_header_says_the_delimiter);
    tcase_add_test(tests, comments_and_units_are_recognised);
    tcase_add_test(tests, numbers_as_other_countries_write_them);
    tcase_add_test(tests, no_header);
    tcase_add_test(tests, a_model_knows_how_its_tables_are_written);
    tcase_add_test(tests, columns_by_name_and_number);
    tcase_add_test(tests, trailing_delimiters);
    tcase_add_test(tests, words_for_missing_cells);
    tcase_add_test(tests, packed_and_wide_texts);
    tcase_add_test(tests, json_lines);
    tcase_add_test(tests, bad_rows);
    tcase_add_test(tests, outputs_are_never_inputs);
    tcase_add_test(tests, rows_as_they_come);
    tcase_add_test(tests, columns_that_are_absent);
    tcase_add_test(tests, kinds_of_columns);
    return suite;
}

CHECK_MAIN(suite)
