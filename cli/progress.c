#include "progress.h"
#include "cli.h"
#include "show.h"
#include <time.h>
#include <unistd.h>

double progress_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int progress_start(Progress *progress, FILE *table, uint64_t every)
{
    *progress = (Progress){.every = every, .next = every ? every : 100, .recent = anb_score_new(NULL)};
    if (!progress->recent)
        return complain(BAD_DATA, "out of memory");
    progress->terminal = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO) && table;
    progress->table = progress->terminal && !every ? NULL : table;
    return 0;
}

void fit_add(Fit *fit, double y, double prediction)
{
    if (fit->n++ == 0)
        fit->first = y;
    fit->sum += y - fit->first;
    fit->square += (y - fit->first) * (y - fit->first);
    fit->error += (y - prediction) * (y - prediction);
}

double fit_r2(const Fit *fit)
{
    double spread = fit->square - fit->sum * fit->sum / (double)fit->n;
    return spread > 0 ? 1 - fit->error / spread : ANB_NAN;
}

static void row(Progress *progress, const AnbScore *all, const Fit *fit)
{
    char count[SHOW_SIZE], mae[SHOW_SIZE], rmse[SHOW_SIZE], r2[SHOW_SIZE], recent[SHOW_SIZE];
    AnbScoreReport total, since;
    anb_score_report(all, &total);
    anb_score_report(progress->recent, &since);
    anb_score_reset(progress->recent);
    if (progress->shown == 0)
        fprintf(progress->table, "%12s %12s %12s %12s %16s\n", "rows", "mae", "rmse", "r2", "rmse since above");
    progress->shown = total.n;
    fprintf(progress->table, "%12s %12s %12s %12s %16s\n", show_count(total.n, count), show_number(total.mae, mae),
            show_number(total.rmse, rmse), show_number(fit_r2(fit), r2), show_number(since.rmse, recent));
    fflush(progress->table);
}

static void line(Progress *progress, const AnbScore *all)
{
    char count[SHOW_SIZE], rmse[SHOW_SIZE];
    AnbScoreReport total;
    double now = progress_clock();
    if (now - progress->last_line < 0.2)
        return;
    progress->last_line = now;
    anb_score_report(all, &total);
    fprintf(stderr, "\r%s rows, rmse %s \033[K", show_count(total.n, count), show_number(total.rmse, rmse));
}

void progress_step(Progress *progress, const AnbScore *all, const Fit *fit, double y, double prediction, uint64_t n)
{
    if (progress->table) {
        anb_observe(anb_score_observer(progress->recent), NULL, NULL, y, prediction);
        if (n == progress->next) {
            row(progress, all, fit);
            progress->next += progress->every ? progress->every : progress->next;
        }
    }
    if (progress->terminal && n % 1024 == 0)
        line(progress, all);
}

void progress_end(Progress *progress, const AnbScore *all, const Fit *fit)
{
    AnbScoreReport total;
    anb_score_report(all, &total);
    if (progress->terminal)
        fprintf(stderr, "\r\033[K");
    if (progress->table && total.n > progress->shown)
        row(progress, all, fit);
    anb_score_free(progress->recent);
    progress->recent = NULL;
}
