/*
 * anabranch top: the newest record of `eval --diag`, drawn again as the stream runs. A file is followed until its
 * summary line; where the output is no terminal the last state is printed once.
 */
#define _GNU_SOURCE
#include "cli.h"
#include "records.h"
#include "show.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const Option options[] = {{0}};

enum { BAR = 24, LEAST_BAR = 4, WIDE = 80, EXPERTS = 40 };

static int width = WIDE; /* of the terminal, in columns */

static volatile sig_atomic_t stopped;

/* The terminal's settings before its keys were read one by one. */
static struct termios before;
static int keys = -1;

static void read_keys(const char *path)
{
    struct termios each;
    keys = strcmp(path, "-") == 0 ? open("/dev/tty", O_RDONLY) : STDIN_FILENO;
    if (keys < 0 || tcgetattr(keys, &before)) {
        keys = -1;
        return;
    }
    each = before;
    each.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    each.c_cc[VMIN] = 0;
    each.c_cc[VTIME] = 0;
    tcsetattr(keys, TCSANOW, &each);
}

static void leave_keys(void)
{
    if (keys >= 0)
        tcsetattr(keys, TCSANOW, &before);
    keys = -1;
}

/* Waits for a while or for a key; q ends. */
static void wait_for_key(int milliseconds)
{
    char key;
    struct pollfd one = {.fd = keys, .events = POLLIN};
    if (poll(&one, 1, milliseconds) > 0 && keys >= 0 && read(keys, &key, 1) == 1 && (key == 'q' || key == 'Q'))
        stopped = 1;
}

static void measure(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
}

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* What the other columns leave to a bar. */
static int bar_width(void)
{
    int left = width - (WIDE - BAR);
    return left > BAR ? BAR : left < LEAST_BAR ? LEAST_BAR : left;
}

static void put_bar(double share)
{
    int bar = bar_width();
    static const char *const parts[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    int eighths = share > 0 ? (int)(fmin(1, share) * bar * 8 + 0.5) : 0;
    for (int i = 0; i < eighths / 8; i++)
        fputs("\u2588", stdout);
    fputs(parts[eighths % 8], stdout);
    printf("%*s", bar - eighths / 8 - (eighths % 8 > 0), "");
}

/* Figures stand side by side, as many as fit. */
static void put_figure(const Record *r, const char *name, const char *key, int *column)
{
    enum { FIGURE = 25 };
    char text[SHOW_SIZE];
    double v = record_number(r, key, 0);
    bool whole = v >= 0 && v < 1e15 && v == floor(v);
    if (*column > 0 && (*column + 1) * FIGURE > width) {
        putchar('\n');
        *column = 0;
    }
    printf("%-12s %-12s", name, whole ? show_count((uint64_t)v, text) : show_number(v, text));
    ++*column;
}

static void put_head(const Record *r)
{
    static const char *const figures[][2] = {{"samples", "samples"},      {"missing", "missing_cells"},
                                             {"drifts", "drifts"},        {"rmse", "rmse"},
                                             {"mean", "mean_rmse"},       {"last value", "last_rmse"},
                                             {"entropy", "gate_entropy"}, {"disagreement", "disagreement"},
                                             {"regret", "regret"}};
    int column = 0;
    size_t n = record_field(r, "gate_entropy") ? 9 : 6;
    for (size_t i = 0; i < n; i++)
        put_figure(r, figures[i][0], figures[i][1], &column);
    putchar('\n');
}

static void put_experts(const Record *r)
{
    char a[SHOW_SIZE], b[SHOW_SIZE];
    size_t k = record_size(r, "expert_share");
    if (k == 0)
        return;
    printf("\n%-20s %-*s %12s %12s\n", "expert", bar_width() + 9, "share", "rmse", "trained");
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
            printf("\n%-24s %-*s severity   truth\n", "rule", bar_width(), "");
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

typedef struct Follow {
    FILE *file;
    const char *path;
    bool terminal;
    Record record;
    char *line, *whole;        /* what getline gave; a line as far as it came */
    size_t room, held, newest; /* bytes of whole; of the newest whole line in it, 0 where it was read */
    double drawn;              /* seconds */
    bool any;
} Follow;

/* Reads the newest line and shows it. */
static int show_newest(Follow *f)
{
    size_t size = f->newest;
    f->newest = 0;
    if (size == 0)
        return 0;
    if (!record_read(&f->record, f->whole, size))
        return complain(BAD_DATA, "%s: a line that is no record of eval --diag", f->path);
    f->any = true;
    if (f->terminal) {
        measure();
        draw(&f->record, true);
        f->drawn = seconds();
        wait_for_key(0);
    }
    return 0;
}

/* A piece of a line is put together; *ended where the line is the summary. */
static int take_line(Follow *f, size_t size, bool *ended)
{
    char *more = realloc(f->whole, f->held + size);
    if (!more)
        return complain(BAD_DATA, "out of memory");
    f->whole = more;
    memcpy(f->whole + f->held, f->line, size);
    f->held += size;
    f->newest = 0;
    if (f->line[size - 1] != '\n')
        return 0;
    *ended = f->held > 10 && memcmp(f->whole, "{\"summary\"", 10) == 0;
    f->newest = *ended ? 0 : f->held;
    f->held = 0;
    return !f->terminal || seconds() - f->drawn > 0.2 ? show_newest(f) : 0;
}

/* Lines until the summary, or the end of what cannot grow. */
static int follow(Follow *f)
{
    ssize_t size;
    int status = 0;
    bool ended = false;
    while (!stopped && !ended && !status) {
        if ((size = getline(&f->line, &f->room, f->file)) > 0) {
            status = take_line(f, (size_t)size, &ended);
            continue;
        }
        if (f->file == stdin || !f->terminal)
            break;
        clearerr(f->file);
        status = show_newest(f);
        wait_for_key(100);
    }
    if (!status)
        status = show_newest(f);
    if (!status && f->any)
        draw(&f->record, f->terminal);
    if (!status && !f->any)
        status = complain(BAD_DATA, "%s: no record; `anabranch eval --diag FILE.jsonl` writes them", f->path);
    record_free(&f->record);
    free(f->line);
    free(f->whole);
    return status;
}

static int run_top(const Arguments *a)
{
    const char *path = a->operand[0];
    FILE *file;
    int status = records_open(&file, path);
    if (status)
        return status;
    bool terminal = isatty(STDOUT_FILENO);
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if (terminal)
        read_keys(path);
    status = follow(&(Follow){.file = file, .path = path, .terminal = terminal});
    leave_keys();
    if (file != stdin)
        fclose(file);
    return finish_stdout(status);
}

static void more_help(void)
{
    printf("\nFILE is what `anabranch eval --diag FILE.jsonl` is writing; - is standard input:\n"
           "  anabranch eval data.csv --diag run.jsonl & anabranch top run.jsonl\n"
           "The key q ends it.\n");
}

const Command command_top = {
    "top", "what eval --diag writes, live in the terminal", "FILE.jsonl|-", options, 1, 1, run_top, more_help};
