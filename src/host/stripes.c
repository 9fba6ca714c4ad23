/* Stripes for threads: the heaviest first, each to the thread that has least. */
#include "stripes.h"
#include "team.h"
#include <string.h>

enum { LOOKED_AT = 4096, PLACES = 3 };
static const unsigned places[PLACES] = {12, 8, 6};

/* Samples of each stripe, out of some that lie evenly. Returns how many were looked at. */
static size_t count(StreamingLearner *const *models, size_t n, unsigned place, uint32_t load[ANB_STRIPES])
{
    size_t step = n / LOOKED_AT + 1, looked = 0;
    memset(load, 0, ANB_STRIPES * sizeof *load);
    for (size_t i = 0; i < n; i += step, looked++)
        load[anb_stripe_of(models[i], place)]++;
    return looked;
}

static size_t heaviest(const uint32_t load[ANB_STRIPES])
{
    size_t most = 0;
    for (size_t s = 1; s < ANB_STRIPES; s++)
        most = load[s] > load[most] ? s : most;
    return most;
}

/* Uses the loads up. The largest sum of a thread. */
static uint32_t deal(AnbStripes *stripes, uint32_t load[ANB_STRIPES], size_t threads)
{
    uint32_t sum[ANB_TEAM_MOST] = {0}, most = 0;
    memset(stripes->owner, 0, sizeof stripes->owner);
    for (size_t s = heaviest(load); load[s] > 0; s = heaviest(load)) {
        size_t least = 0;
        for (size_t t = 1; t < threads; t++)
            least = sum[t] < sum[least] ? t : least;
        sum[least] += load[s];
        stripes->owner[s] = (uint16_t)least;
        load[s] = 0;
        most = sum[least] > most ? sum[least] : most;
    }
    return most;
}

/* Deals by one place. */
static void deal_by(AnbStripes *stripes, StreamingLearner *const *models, size_t n, size_t threads, unsigned place)
{
    uint32_t load[ANB_STRIPES];
    size_t looked = count(models, n, place, load);
    stripes->place = place;
    stripes->largest = deal(stripes, load, threads) / (double)looked;
}

/* The first place by which threads have about as much, else the one by which the largest part is least. */
void anb_stripes_deal(AnbStripes *stripes, StreamingLearner *const *models, size_t n, size_t threads)
{
    AnbStripes best = {.largest = 2};
    for (size_t i = 0; i < PLACES && best.largest > 1 / (double)threads + ANB_STRIPES_UNEVEN; i++) {
        deal_by(stripes, models, n, threads, places[i]);
        if (stripes->largest < best.largest)
            best = *stripes;
    }
    *stripes = best;
}
