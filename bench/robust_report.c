#include "robust.h"
#include <math.h>
#include <string.h>

/* An expression under one damage, over all streams: geometric means of ratios to the clean run. */
typedef struct Toll {
    double mean, worst, oracle; /* oracle: 0 where it was not run */
    size_t streams, failed;
    char worst_stream[64];
} Toll;

static double over(double dirty, double clean)
{
    return clean > 0 ? dirty / clean : dirty > 0 ? (double)INFINITY : 1;
}

/* The ratio on one stream: the geometric mean over the seeds. False where a run failed. */
static bool ratio_of(const Robust *robust, size_t stream, size_t expression, size_t damage, double *dirty,
                     double *oracle)
{
    const Harm *harm = robust->harm + (stream * robust->n_expressions + expression) * robust->n_seeds;
    double sum = 0, known = 0, n = (double)robust->n_seeds;
    bool all = true;
    for (size_t s = 0; s < robust->n_seeds; s++) {
        if (!harm[s].done[damage])
            return false;
        double ratio = over(harm[s].dirty[damage], harm[s].clean[damage]);
        sum += log(ratio == ratio ? ratio : (double)INFINITY);
        all &= harm[s].oracle[damage] > 0;
        known += all ? log(over(harm[s].oracle[damage], harm[s].clean[damage])) : 0;
    }
    *dirty = exp(sum / n);
    *oracle = all ? exp(known / n) : 0;
    return true;
}

static Toll toll_of(const Robust *robust, size_t expression, size_t damage)
{
    Toll toll = {0};
    double oracle = 0;
    size_t known = 0;
    for (size_t i = 0; i < robust->n_streams; i++) {
        double ratio, best;
        if (!ratio_of(robust, i, expression, damage, &ratio, &best)) {
            toll.failed++;
            continue;
        }
        toll.streams++;
        toll.mean += log(ratio);
        known += best > 0;
        oracle += best > 0 ? log(best) : 0;
        if (ratio > toll.worst) {
            toll.worst = ratio;
            snprintf(toll.worst_stream, sizeof toll.worst_stream, "%s", robust->streams[i]);
        }
    }
    toll.mean = toll.streams ? exp(toll.mean / (double)toll.streams) : 0;
    toll.oracle = known ? exp(oracle / (double)known) : 0;
    return toll;
}

static void text_report(const Robust *robust, FILE *out)
{
    fprintf(out,
            "RMSE on damaged data over RMSE on clean data, over the clean rows from %zu %% of the stream on;\n"
            "geometric mean over %zu streams and %zu seeds, and the worst stream\n",
            robust->from, robust->n_streams, robust->n_seeds);
    for (size_t e = 0; e < robust->n_expressions; e++) {
        fprintf(out, "\n%s\n", robust->expressions[e]);
        for (size_t i = 0; i < n_damages; i++) {
            if (!robust->wanted[i])
                continue;
            Toll toll = toll_of(robust, e, i);
            fprintf(out, "  %-46s %7.3f  [%7.3f %-20s]", damages[i].brief, toll.mean, toll.worst, toll.worst_stream);
            if (toll.oracle > 0)
                fprintf(out, "  oracle %7.3f", toll.oracle);
            if (toll.failed > 0)
                fprintf(out, "  %zu failed", toll.failed);
            fputc('\n', out);
        }
    }
}

/* A number as JSON has them: what is not finite is null. */
static void json_number(double v, FILE *out)
{
    if (v - v == 0)
        fprintf(out, "%.6g", v);
    else
        fputs("null", out);
}

/* RMSE of the clean run on one stream: the geometric mean over the seeds. */
static double clean_of(const Robust *robust, size_t stream, size_t expression, size_t damage)
{
    const Harm *harm = robust->harm + (stream * robust->n_expressions + expression) * robust->n_seeds;
    double sum = 0;
    for (size_t s = 0; s < robust->n_seeds; s++)
        sum += log(harm[s].clean[damage]);
    return exp(sum / (double)robust->n_seeds);
}

/* One number a stream, of those that were run. */
static void json_streams(const Robust *robust, size_t e, size_t damage, bool clean, FILE *out)
{
    const char *comma = "";
    for (size_t i = 0; i < robust->n_streams; i++) {
        double ratio, oracle;
        if (!ratio_of(robust, i, e, damage, &ratio, &oracle))
            continue;
        fprintf(out, "%s\"%s\": ", comma, robust->streams[i]);
        json_number(clean ? clean_of(robust, i, e, damage) : ratio, out);
        comma = ", ";
    }
}

static void json_toll(const Robust *robust, size_t e, size_t damage, FILE *out)
{
    Toll toll = toll_of(robust, e, damage);
    fprintf(out, "{\"damage\": \"%s\", \"expression\": \"%s\", \"failed\": %zu, \"mean\": ", damages[damage].name,
            robust->expressions[e], toll.failed);
    json_number(toll.mean, out);
    fprintf(out, ", \"worst\": ");
    json_number(toll.worst, out);
    fprintf(out, ", \"worst_stream\": \"%s\"", toll.worst_stream);
    if (toll.oracle > 0)
        fprintf(out, ", \"oracle\": %.6g", toll.oracle);
    fprintf(out, ", \"streams\": {");
    json_streams(robust, e, damage, false, out);
    fprintf(out, "}, \"clean\": {");
    json_streams(robust, e, damage, true, out);
    fprintf(out, "}}");
}

static void json_report(const Robust *robust, FILE *out)
{
    const char *comma = "";
    fprintf(out, "[");
    for (size_t e = 0; e < robust->n_expressions; e++)
        for (size_t i = 0; i < n_damages; i++)
            if (robust->wanted[i]) {
                fprintf(out, "%s\n  ", comma);
                json_toll(robust, e, i, out);
                comma = ",";
            }
    fprintf(out, "\n]\n");
}

bool robust_report(const Robust *robust, const char *format, FILE *out)
{
    bool text = strcmp(format, "text") == 0;
    if (!text && strcmp(format, "json") != 0)
        return false;
    (text ? text_report : json_report)(robust, out);
    return true;
}
