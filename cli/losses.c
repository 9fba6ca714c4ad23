#include "losses.h"
#include "cli.h"
#include "show.h"
#include <math.h>
#include <string.h>

int loss_read(const char *text, AnbLoss *loss)
{
    int code = anb_loss_parse(text, loss);
    if (code == ANB_E_UNKNOWN)
        return complain(BAD_USE, "--loss: \"%s\" is no loss; there are %s", text, anb_loss_words());
    if (code)
        return complain(BAD_USE,
                        "--loss: \"%s\": pinball takes a level between 0 and 1 (pinball:0.9), huber one above 0, the "
                        "others none",
                        text);
    return 0;
}

int loss_quantile(const AnbLoss *loss, const StreamingLearner *model)
{
    const double *level = NULL;
    size_t n = loss->kind == ANB_LOSS_QUANTILE ? anb_quantile_levels(model, &level) : 0;
    for (size_t i = 0; i < n; i++)
        if (level[i] == loss->level)
            return (int)i;
    return -1;
}

static int read_one(Losses *losses, const char *text, const StreamingLearner *model)
{
    LossScore *score = &losses->of[losses->n];
    if (losses->n == LOSSES_MAX)
        return complain(BAD_USE, "--loss: more than %d losses", LOSSES_MAX);
    *score = (LossScore){0};
    int status = loss_read(text, &score->loss);
    score->quantile = loss_quantile(&score->loss, model);
    losses->quantiles |= score->quantile >= 0;
    losses->n += status == 0;
    return status;
}

int losses_start(Losses *losses, const char *list, const StreamingLearner *model)
{
    *losses = (Losses){0};
    int status = 0;
    while (list && !status) {
        char text[64];
        size_t n = strcspn(list, ",");
        snprintf(text, sizeof text, "%.*s", (int)n, list);
        status = read_one(losses, text, model);
        list = list[n] ? list + n + 1 : NULL;
    }
    return status;
}

static void add(LossScore *score, double y, double prediction)
{
    double loss = anb_loss(&score->loss, y, prediction);
    if (isnan(loss)) {
        score->outside++;
        return;
    }
    score->sum += loss;
    score->n++;
}

void losses_quantiles(Losses *losses, StreamingLearner *model, const double *x, double y)
{
    double value[ANB_LEVELS_MAX];
    if (!losses->quantiles || anb_predict_quantiles(model, x, value))
        return;
    for (size_t i = 0; i < losses->n; i++)
        if (losses->of[i].quantile >= 0)
            add(&losses->of[i], y, value[losses->of[i].quantile]);
}

void losses_add(Losses *losses, double y, double prediction)
{
    for (size_t i = 0; i < losses->n; i++)
        if (losses->of[i].quantile < 0)
            add(&losses->of[i], y, prediction);
}

static double mean_of(const LossScore *score)
{
    return score->n > 0 ? score->sum / (double)score->n : ANB_NAN;
}

void losses_print(const Losses *losses, FILE *file)
{
    for (size_t i = 0; i < losses->n; i++) {
        const LossScore *score = &losses->of[i];
        char name[64], value[SHOW_SIZE], count[SHOW_SIZE];
        anb_loss_format(&score->loss, name, sizeof name);
        fprintf(file, "%-17s %s", name, show_number(mean_of(score), value));
        fprintf(file, score->quantile >= 0 ? " (the model's quantile)" : "");
        fprintf(file, score->outside ? ", not defined for %s targets\n" : "\n", show_count(score->outside, count));
    }
}

void losses_print_json(const Losses *losses, Json *json)
{
    if (losses->n == 0)
        return;
    json_open(json, "losses", '{');
    for (size_t i = 0; i < losses->n; i++) {
        char name[64];
        anb_loss_format(&losses->of[i].loss, name, sizeof name);
        json_number(json, name, mean_of(&losses->of[i]));
    }
    json_close(json, '}');
}
