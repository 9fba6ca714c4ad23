/* The losses of `eval --loss`: means over the scored rows, of predictions or of the model's quantiles. */
#ifndef ANB_CLI_LOSSES_H
#define ANB_CLI_LOSSES_H

#include "json.h"
#include <anabranch/anabranch.h>
#include <stdio.h>

enum { LOSSES_MAX = 16 };

typedef struct LossScore {
    AnbLoss loss;
    int quantile; /* which of the model's quantiles is scored; -1: the prediction */
    double sum;
    uint64_t n, outside; /* rows scored; rows whose target the loss is not defined for */
} LossScore;

typedef struct Losses {
    size_t n;
    bool quantiles; /* whether some score quantiles, which are predicted before a row is learned */
    LossScore of[LOSSES_MAX];
} Losses;

/* Reads one loss; 0, or BAD_USE with the message printed. */
int loss_read(const char *text, AnbLoss *loss);

/* Which of the model's quantiles a pinball loss scores; -1: the prediction. */
int loss_quantile(const AnbLoss *loss, const StreamingLearner *model);

/**
 * Reads the list.
 *
 * @param list   losses with commas between, as --loss gives them, or NULL
 * @param model  pinball losses of its levels score its quantiles
 * @return       0, or BAD_USE with the message printed
 */
int losses_start(Losses *losses, const char *list, const StreamingLearner *model);

/* Before the row is learned: scores the model's quantiles. */
void losses_quantiles(Losses *losses, StreamingLearner *model, const double *x, double y);

/* Scores a prediction. */
void losses_add(Losses *losses, double y, double prediction);

void losses_print(const Losses *losses, FILE *file);
void losses_print_json(const Losses *losses, Json *json);

#endif
