#include "report.h"
#include <math.h>
#include <string.h>

/* An expression on a stream: the means over its seeds, and how far they are apart. */
typedef struct Cell {
    double rmse, mae, second, r2, us, spread, rank;
    size_t n, d;
    bool done;
} Cell;

static Cell cell_of(const Bench *bench, size_t stream, size_t expression)
{
    const Result *r = bench->results + (stream * bench->n_expressions + expression) * bench->n_seeds;
    Cell cell = {.done = true, .n = r->n, .d = r->d};
    double least = INFINITY, most = 0, seeds = (double)bench->n_seeds;
    for (size_t s = 0; s < bench->n_seeds; s++) {
        cell.done = cell.done && r[s].done;
        cell.rmse += r[s].rmse / seeds;
        cell.mae += r[s].mae / seeds;
        cell.second += r[s].second / seeds;
        cell.r2 += r[s].r2 / seeds;
        cell.us += r[s].us / seeds;
        least = fmin(least, r[s].rmse);
        most = fmax(most, r[s].rmse);
    }
    cell.spread = cell.rmse > 0 ? (most - least) / cell.rmse : 0;
    return cell;
}

/* The rank of an expression on a stream: 1 is the best; equal ones get the mean of their ranks. */
static double rank_of(const Bench *bench, size_t stream, size_t expression)
{
    double own = cell_of(bench, stream, expression).rmse, rank = 1;
    for (size_t e = 0; e < bench->n_expressions; e++) {
        double other = cell_of(bench, stream, e).rmse;
        rank += e == expression ? 0 : other < own ? 1 : other == own ? 0.5 : 0;
    }
    return rank;
}

/* Whether every expression finished this stream: what they are compared on. */
static bool shared_by_all(const Bench *bench, size_t stream)
{
    for (size_t e = 0; e < bench->n_expressions; e++)
        if (!cell_of(bench, stream, e).done)
            return false;
    return true;
}

/* An expression over all streams. */
typedef struct Summary {
    double log_rmse;                 /* mean of logarithms, over the streams that all finished */
    double peers, worst;             /* geometric mean and largest of RMSE over the best peer's */
    double rank, us, spread;         /* means */
    size_t streams, with_peer, lost; /* streams where it was worse than the best peer */
    char worst_stream[64];
} Summary;

static Summary summary_of(const Bench *bench, size_t expression)
{
    Summary sum = {0};
    size_t shared = 0;
    for (size_t i = 0; i < bench->n_streams; i++) {
        Cell cell = cell_of(bench, i, expression);
        if (!cell.done)
            continue;
        sum.streams++;
        if (shared_by_all(bench, i)) {
            shared++;
            sum.log_rmse += log(cell.rmse);
        }
        sum.rank += rank_of(bench, i, expression);
        sum.us += cell.us;
        sum.spread += cell.spread;
        if (!bench->has_peer[i])
            continue;
        double ratio = cell.rmse / bench->peers[i].rmse;
        sum.with_peer++;
        sum.lost += ratio > 1;
        sum.peers += log(ratio);
        if (ratio > sum.worst) {
            sum.worst = ratio;
            snprintf(sum.worst_stream, sizeof sum.worst_stream, "%s", bench->streams[i]);
        }
    }
    double n = (double)sum.streams;
    sum.log_rmse /= shared ? (double)shared : 1;
    sum.rank /= n, sum.us /= n, sum.spread /= n;
    sum.peers = sum.with_peer ? exp(sum.peers / (double)sum.with_peer) : 0;
    return sum;
}

static double least_log(const Bench *bench)
{
    double least = INFINITY;
    for (size_t e = 0; e < bench->n_expressions; e++)
        least = fmin(least, summary_of(bench, e).log_rmse);
    return least;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void text_stream(const Bench *bench, size_t i, FILE *out)
{
    Cell first = cell_of(bench, i, 0);
    fprintf(out, "\n%s: %zu samples, %zu features", bench->streams[i], first.n, first.d);
    if (bench->has_peer[i])
        fprintf(out, "; best peer %s %.6g%s", bench->peers[i].learner, bench->peers[i].rmse,
                bench->peers[i].n == first.n ? "" : " (on another number of samples)");
    fprintf(out, "\n  %4s %12s %8s %8s %12s %9s %8s %5s\n", "", "RMSE", "spread", "R^2", "2nd half", "us", "/peer",
            "rank");
    for (size_t e = 0; e < bench->n_expressions; e++) {
        Cell cell = cell_of(bench, i, e);
        fprintf(out, "  [%2zu] ", e + 1);
        if (!cell.done) {
            fprintf(out, "%12s\n", "failed");
            continue;
        }
        fprintf(out, "%12.6g %7.2f%% %8.4f %12.6g %9.2f ", cell.rmse, 100 * cell.spread, cell.r2, cell.second, cell.us);
        if (bench->has_peer[i])
            fprintf(out, "%8.4f ", cell.rmse / bench->peers[i].rmse);
        else
            fprintf(out, "%8s ", "-");
        fprintf(out, "%5.1f\n", rank_of(bench, i, e));
    }
}

static void text_report(const Bench *bench, FILE *out)
{
    double least = least_log(bench);
    for (size_t e = 0; e < bench->n_expressions; e++)
        fprintf(out, "[%2zu] %s\n", e + 1, bench->expressions[e]);
    for (size_t i = 0; i < bench->n_streams; i++)
        text_stream(bench, i, out);
    fprintf(out,
            "\nall streams: geometric means of RMSE against the best here and against the best peer of each stream\n");
    fprintf(out, "  %4s %8s %8s %5s %8s %6s %8s %9s\n", "", "x", "/peer", "lost", "worst", "rank", "spread", "us");
    for (size_t e = 0; e < bench->n_expressions; e++) {
        Summary sum = summary_of(bench, e);
        if (sum.streams == 0)
            continue;
        fprintf(out, "  [%2zu] %8.4f %8.4f %2zu/%-2zu %8.4f %6.2f %7.2f%% %9.2f  %s\n", e + 1,
                exp(sum.log_rmse - least), sum.peers, sum.lost, sum.with_peer, sum.worst, sum.rank, 100 * sum.spread,
                sum.us, sum.worst_stream);
    }
}

/* ---- CSV and JSON ------------------------------------------------------------------------------------------------ */

static void csv_report(const Bench *bench, FILE *out)
{
    fprintf(out, "stream,expression,samples,features,rmse,mae,rmse_second_half,r2,us,spread,rank,peer,peer_rmse\n");
    for (size_t i = 0; i < bench->n_streams; i++)
        for (size_t e = 0; e < bench->n_expressions; e++) {
            Cell cell = cell_of(bench, i, e);
            if (!cell.done)
                continue;
            fprintf(out, "%s,\"%s\",%zu,%zu,%.17g,%.17g,%.17g,%.17g,%.4g,%.6g,%.1f,", bench->streams[i],
                    bench->expressions[e], cell.n, cell.d, cell.rmse, cell.mae, cell.second, cell.r2, cell.us,
                    cell.spread, rank_of(bench, i, e));
            if (bench->has_peer[i])
                fprintf(out, "%s,%.17g\n", bench->peers[i].learner, bench->peers[i].rmse);
            else
                fprintf(out, ",\n");
        }
}

static void json_cell(const Bench *bench, size_t i, size_t e, const char *comma, FILE *out)
{
    Cell cell = cell_of(bench, i, e);
    if (!cell.done)
        return;
    fprintf(out,
            "%s\n    {\"stream\": \"%s\", \"expression\": %zu, \"samples\": %zu, \"features\": %zu, \"rmse\": %.17g, ",
            comma, bench->streams[i], e, cell.n, cell.d, cell.rmse);
    fprintf(out, "\"mae\": %.17g, \"rmse_second_half\": %.17g, \"r2\": %.17g, \"us\": %.4g, \"spread\": %.6g", cell.mae,
            cell.second, cell.r2, cell.us, cell.spread);
    if (bench->has_peer[i])
        fprintf(out, ", \"peer\": \"%s\", \"peer_rmse\": %.17g", bench->peers[i].learner, bench->peers[i].rmse);
    fprintf(out, "}");
}

static void json_report(const Bench *bench, FILE *out)
{
    double least = least_log(bench);
    fprintf(out, "{\n  \"summary\": [");
    for (size_t e = 0; e < bench->n_expressions; e++) {
        Summary sum = summary_of(bench, e);
        fprintf(out, "%s\n    {\"expression\": \"%s\", \"streams\": %zu", e ? "," : "", bench->expressions[e],
                sum.streams);
        if (sum.streams > 0)
            fprintf(out, ", \"x\": %.6f, \"mean_rank\": %.4f, \"us\": %.4g, \"spread\": %.6g",
                    exp(sum.log_rmse - least), sum.rank, sum.us, sum.spread);
        if (sum.with_peer > 0)
            fprintf(out, ", \"over_best_peer\": %.6f, \"lost\": %zu, \"worst\": %.6f", sum.peers, sum.lost, sum.worst);
        fprintf(out, "}");
    }
    fprintf(out, "\n  ],\n  \"streams\": [");
    for (size_t i = 0, n = 0; i < bench->n_streams; i++)
        for (size_t e = 0; e < bench->n_expressions; e++) {
            bool done = cell_of(bench, i, e).done;
            json_cell(bench, i, e, n > 0 ? "," : "", out);
            n += done;
        }
    fprintf(out, "\n  ]\n}\n");
}

bool report(const Bench *bench, const char *format, FILE *out)
{
    static const struct {
        const char *name;
        void (*write)(const Bench *, FILE *);
    } formats[] = {{"text", text_report}, {"csv", csv_report}, {"json", json_report}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(format, formats[i].name) == 0) {
            formats[i].write(bench, out);
            return true;
        }
    return false;
}
