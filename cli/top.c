/*
 * anabranch top: the newest record of `eval --diag`, drawn again as the stream runs. A file is followed until its
 * summary line; where the output is no terminal the last state is printed once.
 */
#define _GNU_SOURCE
#include "cli.h"
#include "record.h"
#include "show.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const Option options[] = {{0}};

enum { BAR = 24, EXPERTS = 40 };

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static void put_bar(double share)
{
    static const char *const parts[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    int eighths = share > 0 ? (int)(fmin(1, share) * BAR * 8 + 0.5) : 0;
    for (int i = 0; i < eighths / 8; i++)
        fputs("\u2588", stdout);
    fputs(parts[eighths % 8], stdout);
    printf("%*s", BAR - eighths / 8 - (eighths % 8 > 0), "");
}

static void put_line(const Record *r, const char *name, const char *key, const char *end)
{
    char text[SHOW_SIZE];
    double v = record_number(r, key, 0);
    bool whole = v >= 0 && v < 1e15 && v == floor(v);
    printf("%-12s %-12s%s", name, whole ? show_count((uint64_t)v, text) : show_number(v, text), end);
}

static void put_head(const Record *r)
{
    char text[SHOW_SIZE];
    double samples = record_number(r, "samples", 0);
    printf("%-12s %-12s", "samples", show_count(samples > 0 ? (uint64_t)samples : 0, text));
    put_line(r, "  missing", "missing_cells", "  ");
    put_line(r, "drifts", "drifts", "\n");
    put_line(r, "rmse", "rmse", "  ");
    put_line(r, "mean", "mean_rmse", "  ");
    put_line(r, "last value", "last_rmse", "\n");
    if (!record_field(r, "gate_entropy"))
        return;
    put_line(r, "entropy", "gate_entropy", "  ");
    put_line(r, "disagreement", "disagreement", " ");
    put_line(r, "regret", "regret", "\n");
}

static void put_experts(const Record *r)
{
    char a[SHOW_SIZE], b[SHOW_SIZE];
    size_t k = record_size(r, "expert_share");
    if (k == 0)
        return;
    printf("\n%-20s %-*s %8s %12s %12s\n", "expert", BAR, "share", "", "rmse", "trained");
    for (size_t i = 0; i < k && i < EXPERTS; i++) {
        const char *name = record_text(r, "expert_name", i);
        double share = record_number(r, "expert_share", i), trained = record_number(r, "expert_trained", i);
        printf("%-20.20s ", name ? name : "?");
        put_bar(share);
        printf(" %7.1f%% %12s %12s%s\n", 100 * share, show_number(record_number(r, "expert_rmse", i), a),
               show_count(trained > 0 ? (uint64_t)trained : 0, b), record_dead(r, i) ? "  dead" : "");
    }
}

static void put_rules(const Record *r)
{
    bool any = false;
    for (size_t i = 0; i < r->n_fields; i++) {
        const char *key = r->text + r->field[i].key;
        const double *v = r->number + r->field[i].first;
        if (strncmp(key, "rules.", 6) != 0 || r->field[i].n != 3)
            continue;
        if (!any)
            printf("\n%-24s %-*s severity   truth\n", "rule", BAR, "");
        any = true;
        printf("%-24.24s ", key + 6);
        put_bar(v[2]);
        printf(" %7.2f   %.2f to %.2f\n", v[2], v[0], v[1]);
    }
}

static void draw(const Record *r, bool terminal)
{
    if (terminal)
        fputs("\033[H\033[J", stdout);
    put_head(r);
    put_experts(r);
    put_rules(r);
    fflush(stdout);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Lines until the summary, or the end of what cannot grow. A line that is not finished yet is put together. */
static int follow(FILE *file, const char *path, bool terminal)
{
    Record record = {0};
    char *line = NULL, *whole = NULL;
    size_t room = 0, held = 0;
    ssize_t size;
    double drawn = 0;
    int status = 0;
    bool any = false, ended = false;
    while (!stopped && !ended && !status) {
        if ((size = getline(&line, &room, file)) <= 0) {
            if (file == stdin || !terminal)
                break;
            clearerr(file);
            nanosleep(&(struct timespec){0, 100000000}, NULL);
            continue;
        }
        char *more = realloc(whole, held + (size_t)size);
        if (!more) {
            status = complain(BAD_DATA, "out of memory");
            break;
        }
        whole = more;
        memcpy(whole + held, line, (size_t)size);
        held += (size_t)size;
        if (line[size - 1] != '\n')
            continue;
        ended = held > 10 && memcmp(whole, "{\"summary\"", 10) == 0;
        bool due = !ended && (!terminal || seconds() - drawn > 0.2);
        if (due && !record_read(&record, whole, held))
            status = complain(BAD_DATA, "%s: a line that is no record of eval --diag", path);
        any |= due;
        if (due && terminal && !status) {
            draw(&record, true);
            drawn = seconds();
        }
        held = 0;
    }
    if (!status && any)
        draw(&record, terminal);
    if (!status && !any)
        status = complain(BAD_DATA, "%s: no record", path);
    record_free(&record);
    free(line);
    free(whole);
    return status;
}

static int run_top(const Arguments *a)
{
    const char *path = a->operand[0];
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file)
        return complain(BAD_USE, "%s: %s", path, strerror(errno));
    signal(SIGINT, stop);
    int status = follow(file, path, isatty(STDOUT_FILENO));
    if (file != stdin)
        fclose(file);
    return finish_stdout(status);
}

static void more_help(void)
{
    printf("\nFILE is what `anabranch eval --diag FILE.jsonl` is writing; - is standard input:\n"
           "  anabranch eval data.csv --diag run.jsonl & anabranch top run.jsonl\n");
}

const Command command_top = {
    "top", "what eval --diag writes, live in the terminal", "FILE.jsonl|-", options, 1, 1, run_top, more_help};
