#include "answers.h"
#include "cli.h"
#include "skipped.h"
#include <math.h>
#include <stdlib.h>

static int read_coverage(Answers *answers, const char *text, const StreamingLearner *model)
{
    Ranges ranges = ranges_of(model);
    char *end, list[200];
    double coverage = strtod(text, &end);
    if (*end || end == text || !(coverage > 0 && coverage < 1))
        return complain(BAD_USE, "--interval takes a coverage like 0.9, not \"%s\"", text);
    if (ranges.n == 0)
        return complain(BAD_USE,
                        "the model has no intervals: `train --interval %s`, or the learner interval(...) or "
                        "quantile(...), makes one that has",
                        text);
    const Range *range = ranges_find(&ranges, coverage);
    if (!range)
        return complain(BAD_USE, "the model's intervals are of coverage %s, not of %s",
                        ranges_text(&ranges, list, sizeof list), text);
    answers->range = *range;
    return 0;
}

static int find_levels(Answers *answers, const StreamingLearner *model, const double **level)
{
    answers->levels = anb_quantile_levels(model, level);
    return answers->levels > 0
               ? 0
               : complain(BAD_USE, "the model has no quantiles: the learner quantile(..., levels=[...]) "
                                   "makes one that has");
}

int answers_start(Answers *answers, FILE *file, bool targets, const AnswersWanted *wanted,
                  const StreamingLearner *model, const Rows *rows)
{
    const double *level = NULL;
    *answers = (Answers){.file = file, .targets = targets, .kept = rows->n_kept > 0};
    int status = wanted->interval ? read_coverage(answers, wanted->interval, model) : 0;
    if (!status && wanted->quantiles)
        status = find_levels(answers, model, &level);
    if (status || !file)
        return status;
    fprintf(file, "%sprediction%s", targets ? "row,target," : "", wanted->interval ? ",low,high" : "");
    for (size_t i = 0; i < answers->levels; i++)
        fprintf(file, ",q%g", level[i]);
    for (size_t i = 0; i < rows->n_kept; i++) {
        const char *name = rows->table.names[rows->kept[i]];
        fputc(',', file);
        csv_put(file, name, strlen(name));
    }
    fputc('\n', file);
    return 0;
}

void answers_take(Answers *answers, StreamingLearner *model, const double *x)
{
    answers->low = answers->high = ANB_NAN;
    if (answers->range.coverage > 0)
        range_predict(&answers->range, model, x, &answers->low, &answers->high);
    for (size_t i = 0; i < answers->levels; i++)
        answers->quantile[i] = ANB_NAN;
    if (answers->levels > 0)
        anb_predict_quantiles(model, x, answers->quantile);
}

static void put_number(FILE *file, const char *before, double value, const char *missing)
{
    char text[ANB_NUMBER_SIZE];
    anb_number_format(value, text);
    fprintf(file, "%s%s", before, isnan(value) ? missing : text);
}

void answers_write(const Answers *answers, const Rows *rows, uint64_t row, double y, double prediction)
{
    FILE *file = answers->file;
    if (answers->targets) {
        fprintf(file, "%llu", (unsigned long long)row);
        put_number(file, ",", y, "");
    }
    put_number(file, answers->targets ? "," : "", prediction, answers->targets ? "" : "nan");
    if (answers->range.coverage > 0) {
        put_number(file, ",", answers->low, "");
        put_number(file, ",", answers->high, "");
    }
    for (size_t i = 0; i < answers->levels; i++)
        put_number(file, ",", answers->quantile[i], "");
    for (size_t i = 0; answers->kept && i < rows->n_kept; i++) {
        Cell cell = rows_kept(rows, i);
        fputc(',', file);
        csv_put(file, cell.text, cell.size);
    }
    fputc('\n', file);
}
