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

void anb_stripes_deal(AnbStripes *stripes, StreamingLearner *const *models, size_t n, size_t threads)
{
    uint32_t load[ANB_STRIPES];
    for (size_t i = 0; i < PLACES; i++) {
        size_t looked = count(models, n, places[i], load);
        stripes->place = places[i];
        if (deal(stripes, load, threads) <= looked / threads + looked / 16)
            return;
    }
}
