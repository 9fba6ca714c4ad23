/*
 * Loss functions. Learners with an option `loss` minimise one of the first four; all of them can be used for scoring.
 *
 * Since 0.3: everything.
 */
#ifndef ANABRANCH_LOSS_H
#define ANABRANCH_LOSS_H

#include <anabranch/types.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** e = y - f. Behind the colon: the prediction that minimises the expected loss. */
typedef enum AnbLossKind {
    ANB_LOSS_SQUARED,  /* e^2: the mean */
    ANB_LOSS_ABSOLUTE, /* |e|: the median */
    ANB_LOSS_HUBER,    /* e^2/2 up to |e| = level, level (|e| - level/2) beyond: between the two (Huber 1964) */
    ANB_LOSS_QUANTILE, /* level e for e > 0, (level - 1) e below: the quantile of that level (Koenker & Bassett 1978) */
    ANB_LOSS_POISSON,  /* 2 (y log(y/f) - (y - f)), the deviance of counts y >= 0: the mean */
    ANB_LOSS_LOG       /* -y log f - (1 - y) log(1 - f), the log loss of y in [0, 1]: the mean */
} AnbLossKind;

/** A loss with its level, which only huber (> 0, in units of the target) and quantile (in (0, 1)) read. */
typedef struct AnbLoss {
    AnbLossKind kind;
    double level;
} AnbLoss;

/**
 * The loss of one prediction.
 *
 * @param loss  which
 * @param y     the target
 * @param f     the prediction
 * @return      the loss, >= 0; ANB_NAN where it is not defined for y (negative counts, shares out of [0, 1]) or y or f
 *              is not finite. For poisson and log, f is raised to at least 1e-15; for log, lowered to at most 1 - 1e-15
 *
 * Cost: a few operations, two logarithms at most.
 */
ANB_API double anb_loss(const AnbLoss *loss, double y, double f);

/**
 * Reads a loss from text: `squared`, `absolute` (or `mae`), `huber:1.5`, `pinball:0.9` (or `quantile:0.9`), `poisson`,
 * `log`.
 *
 * @param text  ended by 0
 * @param loss  filled
 * @return      0; ANB_E_UNKNOWN for another word; ANB_E_ARGUMENT for a level that is missing, out of range, or given to
 *              a loss without one
 */
ANB_API int anb_loss_parse(const char *text, AnbLoss *loss);

/** Writes the text that anb_loss_parse reads, ended by 0 and cut at `size` bytes; returns its whole length. */
ANB_API size_t anb_loss_format(const AnbLoss *loss, char *text, size_t size);

/** The words that anb_loss_parse takes, for messages and help: "squared, absolute, ...". */
ANB_API const char *anb_loss_words(void);

#ifdef __cplusplus
}
#endif
#endif
