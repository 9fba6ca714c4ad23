/* compare, generate and top as their users meet them. */
#include "cli.h"

enum { ROWS = 300 };

/* Diebold and Mariano's z from the two files of predictions, the first target apart, straight from the formulas. */
static double plain_z(const char *one, const char *two)
{
    double d[ROWS], mean = 0, variance = 0;
    int n = 0;
    FILE *a = fopen(one, "r"), *b = fopen(two, "r");
    char line[200], other[200];
    ck_assert(a && b && fgets(line, sizeof line, a) && fgets(other, sizeof other, b));
    for (int row = 0; fgets(line, sizeof line, a) && fgets(other, sizeof other, b); row++) {
        double y, p, q;
        ck_assert(sscanf(line, "%*d,%lf,%lf", &y, &p) == 2 && sscanf(other, "%*d,%*f,%lf", &q) == 1);
        if (row > 0)
            d[n++] = (y - p) * (y - p) - (y - q) * (y - q);
    }
    fclose(a);
    fclose(b);
    ck_assert_int_eq(n, ROWS - 1);
    int lags = (int)(4 * pow(n / 100.0, 2.0 / 9));
    for (int i = 0; i < n; i++)
        mean += d[i] / n;
    for (int lag = -lags; lag <= lags; lag++)
        for (int i = 0; i < n; i++)
            if (i + lag >= 0 && i + lag < n)
                variance += (1 - abs(lag) / (lags + 1.0)) * (d[i] - mean) * (d[i + lag] - mean) / n;
    return mean / sqrt(variance / n);
}

START_TEST(compare_by_hand)
{
    ck_assert_int_eq(run("$A generate friedman -n %d --seed 5 -o f.csv; for l in mean last 'scale(rls)'; do "
                         "$A eval -l \"$l\" --predictions \"$l.csv\" f.csv; done; "
                         "$A compare --json f.csv mean last 'scale(rls)'",
                         ROWS),
                     0);
    ck_assert(json("best") == 2 && json("n") == ROWS - 1);
    char *second = strstr(out, "\"learner\": \"last\"");
    ck_assert_double_eq_tol(json("z"), plain_z("mean.csv", "scale(rls).csv"), 1e-9);
    double z = strtod(strstr(second, "\"z\": ") + 5, NULL), p = strtod(strstr(second, "\"p\": ") + 5, NULL);
    ck_assert_double_eq_tol(z, plain_z("last.csv", "scale(rls).csv"), 1e-9);
    ck_assert_double_eq_tol(p, erfc(fabs(z) / sqrt(2)), 1e-12);
}
END_TEST

START_TEST(compare_refuses)
{
    write_text("t.csv", "a,y\n1,2\n2,3\n3,\n4,5\n");
    refused(run("$A compare t.csv mean"), 2, "usage");
    refused(run("$A compare t.csv mean oracle"), 2, "oracle");
    refused(run("$A compare --loss cubic t.csv mean last"), 2, "--loss");
    ck_assert_int_eq(run("$A compare t.csv mean last"), 0);
    ck_assert(strstr(out, "2 rows scored") && strstr(out, " - ")); /* too few for a test */
    ck_assert_int_eq(run("$A compare --loss absolute --burn-in 0 t.csv mean last"), 0);
    ck_assert(strstr(out, "3 rows scored") && strstr(out, "absolute error"));
}
END_TEST

/* Any loss of eval: its means are eval's, and a model with quantiles is scored by its quantile. */
START_TEST(compare_by_a_loss)
{
    static const char *const learner[] = {"scale(rls)", "quantile(scale(rls), levels=[0.5, 0.9])", "mean"};
    double loss[3];
    ck_assert_int_eq(run("$A generate friedman -n 2000 --seed 5 -o f.csv"), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(run("$A eval --json --burn-in 1 -l '%s' --loss pinball:.9 f.csv", learner[i]), 0);
        loss[i] = json("pinball:0.9");
    }
    ck_assert_int_eq(run("$A compare --json --loss pinball:.9 f.csv '%s' '%s' mean", learner[0], learner[1]), 0);
    ck_assert(json("best") == 1 && strstr(out, "\"loss\": \"pinball:0.9\""));
    const char *at = out;
    for (int i = 0; i < 3; i++) {
        at = strstr(at, "\"mean_loss\": ") + 13;
        ck_assert_double_eq_tol(strtod(at, NULL), loss[i], 1e-9 * loss[i]);
    }
    ck_assert_int_eq(run("$A compare --loss pinball:.9 f.csv '%s' '%s'", learner[0], learner[1]), 0);
    ck_assert(strstr(out, "pinball:0.9 ") && strstr(out, "a difference in pinball:0.9 from the best"));
    refused(run("$A compare --loss pinball f.csv mean last"), 2, "pinball takes a level");
}
END_TEST

/* Every stream is what its formula says: a learner that can have the truth reaches the noise. */
START_TEST(streams_of_the_field)
{
    ck_assert_int_eq(run("$A generate hyperplane -n 20000 -o h.csv && $A eval --json -l rls h.csv"), 0);
    ck_assert_double_eq_tol(json("rmse_second_half"), 0.1, 0.003);
    ck_assert_int_eq(run("$A generate hyperplane --drift walk -n 20000 -o w.csv && $A compare --json w.csv rls "
                         "'rls(lambda=0.99)'"),
                     0);
    ck_assert(json("best") == 1);
    ck_assert_int_eq(run("$A generate planes -n 20000 -o p.csv && awk -F, 'NR>1{y=$1>0?3+3*$2+2*$3+$4:-3+3*$5+2*$6+$7; "
                         "s+=($11-y)^2; n++} END{print (s/n>1.9 && s/n<2.1) ? \"two\" : s/n}' p.csv"),
                     0);
    ck_assert_str_eq(out, "two\n");
    ck_assert_int_eq(
        run("$A generate mv -n 20000 -o m.csv && awk -F, 'NR>1{y=($4>=-2&&$4<=2)?10-2*$1:$7==\"yes\"?3-$1/$4:"
            "$8==\"normal\"?$6+$1:$1/2; if ((y-$11)^2>1e-6) n++; if ($3==\"green\" && $1<=0) n++} END{print n+0}' "
            "m.csv"),
        0);
    ck_assert_str_eq(out, "0\n");
    ck_assert_int_eq(
        run("$A generate sensors -n 20000 -o s.csv && awk -F, 'NR>1{for(i=3;i<=6;i++){m+=$i==\"\";g+=$i==-9999}; "
            "t+=$8==1e6; l=$7>l?$7:l} END{print (m>1400&&m<1800), (g>100&&g<220), (t>8&&t<40), l}' s.csv; "
            "$A eval --json -l auto --limit 500 --label-after late s.csv"),
        0);
    ck_assert(strncmp(out, "1 1 1 50\n", 9) == 0 && json("features") == 6);
    refused(run("$A generate planes --drift walk"), 2, "none");
    ck_assert_int_eq(run("$A generate mv --seed 2 | cmp - m.csv >/dev/null"), 1);
}
END_TEST

/* In a terminal of 60 columns no line is longer, and q ends it. */
START_TEST(top_in_a_narrow_terminal)
{
    if (run("command -v python3") != 0)
        return;
    write_text("t.py", "import pty,os,fcntl,termios,struct,sys\n"
                       "pid,fd=pty.fork()\n"
                       "if pid==0:\n"
                       "    fcntl.ioctl(0,termios.TIOCSWINSZ,struct.pack('HHHH',24,60,0,0))\n"
                       "    os.execv(os.environ['ANB_PROGRAM'],['anabranch','top','d.jsonl'])\n"
                       "out=b''\n"
                       "while b'severity' not in out: out+=os.read(fd,100000)\n"
                       "os.write(fd,b'q')\n"
                       "pid,status=os.waitpid(pid,0)\n"
                       "frame=out.decode(errors='ignore').split('\\x1b[H\\x1b[J')[-1]\n"
                       "print(status, max(len(l.rstrip('\\r')) for l in frame.split('\\n'))<=60)\n");
    ck_assert_int_eq(
        run("$A generate friedman -n 1000 -o f.csv; $A eval -l 'moe(linear, rls, mean)' --diag all.jsonl f.csv "
            ">/dev/null; head -500 all.jsonl > d.jsonl; timeout 300 python3 t.py"),
        0);
    ck_assert_str_eq(out, "0 True\n");
}
END_TEST

/* The losses of eval are those of the predictions and quantiles that it writes. */
START_TEST(losses_by_hand)
{
    ck_assert_int_eq(
        run("$A generate friedman -n %d --seed 5 -o f.csv; $A eval --json --burn-in 100 --predictions p.csv "
            "--quantiles -l 'quantile(scale(rls), levels=[0.2, 0.5, 0.9])' --loss pinball:.2,pinball:.9 "
            "--loss huber:2 --loss pinball:0.3 f.csv && head -1 p.csv >head.txt",
            ROWS),
        0);
    double low = 0, high = 0, huber = 0, other = 0;
    FILE *file = fopen("p.csv", "r");
    char line[300];
    ck_assert(file && fgets(line, sizeof line, file));
    ck_assert_str_eq(line, "row,target,prediction,q0.2,q0.5,q0.9\n");
    for (int row = 0; fgets(line, sizeof line, file); row++) {
        double y, f, q[3];
        ck_assert_int_eq(sscanf(line, "%*d,%lf,%lf,%lf,%lf,%lf", &y, &f, &q[0], &q[1], &q[2]), 5);
        ck_assert(q[0] <= q[1] && q[1] <= q[2] && f == q[1]);
        if (row < 100)
            continue;
        low += (y > q[0] ? .2 * (y - q[0]) : .8 * (q[0] - y)) / (ROWS - 100);
        high += (y > q[2] ? .9 * (y - q[2]) : .1 * (q[2] - y)) / (ROWS - 100);
        other += (y > f ? .3 * (y - f) : .7 * (f - y)) / (ROWS - 100);
        huber += (fabs(y - f) <= 2 ? (y - f) * (y - f) / 2 : 2 * fabs(y - f) - 2) / (ROWS - 100);
    }
    fclose(file);
    ck_assert_double_eq_tol(json("pinball:0.2"), low, 1e-9);
    ck_assert_double_eq_tol(json("pinball:0.9"), high, 1e-9);
    ck_assert_double_eq_tol(json("pinball:0.3"), other, 1e-9);
    ck_assert_double_eq_tol(json("huber:2"), huber, 1e-9);
}
END_TEST

START_TEST(losses_refused)
{
    ck_assert_int_eq(run("$A generate friedman -n 50 -o f.csv"), 0);
    ck_assert_int_eq(run("$A eval -l rls --loss rsme f.csv"), 2);
    ck_assert(strstr(err, "\"rsme\" is no loss; there are squared, absolute"));
    ck_assert_int_eq(run("$A eval -l rls --loss pinball:2 f.csv"), 2);
    ck_assert(strstr(err, "pinball takes a level between 0 and 1"));
    ck_assert_int_eq(run("$A eval -l rls --quantiles --predictions p.csv f.csv"), 2);
    ck_assert(strstr(err, "the model has no quantiles"));
    ck_assert_int_eq(run("$A eval -l rls --quantiles f.csv"), 2);
    ck_assert_int_eq(run("$A train -l 'quantile(scale(rls))' -o q.anb f.csv && $A predict -m q.anb --quantiles f.csv"),
                     0);
    ck_assert_int_eq(strncmp(out, "prediction,q0.1,q0.5,q0.9\n", 26), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli compare");
    TCase *tests = case_of(suite, 120);
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_add_test(tests, compare_by_hand);
    tcase_add_test(tests, compare_refuses);
    tcase_add_test(tests, compare_by_a_loss);
    tcase_add_test(tests, losses_by_hand);
    tcase_add_test(tests, losses_refused);
    tcase_add_test(tests, streams_of_the_field);
    tcase_add_test(tests, top_in_a_narrow_terminal);
    return suite;
}

CHECK_MAIN(suite)
