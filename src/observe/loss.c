/* Losses as scores: loss.h has their definitions. */
#include <anabranch/loss.h>
#include <anabranch/number.h>

#include "src/numeric/elementary.h"
#include "src/text/words.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double least = 1e-15;

static double huber(double size, double level)
{
    return size <= level ? size * size / 2 : level * (size - level / 2);
}

static double poisson(double y, double f)
{
    double at = f > least ? f : least;
    if (y < 0)
        return ANB_NAN;
    double sum = 2 * ((y > 0 ? y * anb_log(y / at) : 0) - (y - at));
    return sum > 0 ? sum : 0;
}

static double log_loss(double y, double f)
{
    double p = f > least ? f < 1 - least ? f : 1 - least : least;
    if (y < 0 || y > 1)
        return ANB_NAN;
    return -(y > 0 ? y * anb_log(p) : 0) - (y < 1 ? (1 - y) * anb_log1p(-p) : 0);
}

double anb_loss(const AnbLoss *loss, double y, double f)
{
    double error = y - f;
    if (!isfinite(y) || !isfinite(f))
        return ANB_NAN;
    switch (loss->kind) {
    case ANB_LOSS_SQUARED:
        return error * error;
    case ANB_LOSS_ABSOLUTE:
        return fabs(error);
    case ANB_LOSS_HUBER:
        return huber(fabs(error), loss->level);
    case ANB_LOSS_QUANTILE:
        return error > 0 ? loss->level * error : (loss->level - 1) * error;
    case ANB_LOSS_POISSON:
        return poisson(y, f);
    default:
        return log_loss(y, f);
    }
}

/* The words; the first of a kind is the one that is written. */
static const struct {
    const char *word;
    AnbLossKind kind;
    double most; /* of the level: (0, most); 0: there is none */
} words[] = {{"squared", ANB_LOSS_SQUARED, 0},  {"absolute", ANB_LOSS_ABSOLUTE, 0},
             {"mae", ANB_LOSS_ABSOLUTE, 0},     {"huber", ANB_LOSS_HUBER, HUGE_VAL},
             {"pinball", ANB_LOSS_QUANTILE, 1}, {"quantile", ANB_LOSS_QUANTILE, 1},
             {"poisson", ANB_LOSS_POISSON, 0},  {"log", ANB_LOSS_LOG, 0}};
enum { WORDS = sizeof words / sizeof *words };

int anb_loss_parse(const char *text, AnbLoss *loss)
{
    if (!text || !loss)
        return ANB_E_ARGUMENT;
    size_t n = strcspn(text, ":"), w = 0;
    double level = 0;
    while (w < WORDS && !anb_same_word(words[w].word, text, n))
        w++;
    if (w == WORDS || n == 0)
        return ANB_E_UNKNOWN;
    bool wanted = words[w].most > 0, given = text[n] == ':';
    if (wanted != given || (given && anb_number_parse_all(text + n + 1, strlen(text + n + 1), &level)))
        return ANB_E_ARGUMENT;
    if (wanted && !(level > 0 && level < words[w].most))
        return ANB_E_ARGUMENT;
    *loss = (AnbLoss){words[w].kind, level};
    return 0;
}

size_t anb_loss_format(const AnbLoss *loss, char *text, size_t size)
{
    char level[ANB_NUMBER_SIZE] = "";
    size_t w = 0;
    while (w + 1 < WORDS && words[w].kind != loss->kind)
        w++;
    if (words[w].most > 0)
        anb_number_format(loss->level, level);
    int n = snprintf(text, size, "%s%s%s", words[w].word, *level ? ":" : "", level);
    return n < 0 ? 0 : (size_t)n;
}

const char *anb_loss_words(void)
{
    return "squared, absolute (or mae), huber:D, pinball:Q (or quantile:Q), poisson, log";
}
