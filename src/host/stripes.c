/* Stripes for threads: as many samples in each, as far as models allow, by the addresses of some samples' models. */
#include "stripes.h"
#include <stdlib.h>

enum { LOOKED_AT = 4096 };

/* Models of samples that lie evenly, and the stripes' addresses that are found among them. */
typedef struct Cuts {
    uintptr_t at[LOOKED_AT];
    uintptr_t *from;
} Cuts;

static size_t look_at(uintptr_t at[LOOKED_AT], StreamingLearner *const *models, size_t n)
{
    size_t step = (n + LOOKED_AT - 1) / LOOKED_AT, looked = 0;
    for (size_t i = 0; i < n; i += step)
        at[looked++] = (uintptr_t)models[i];
    return looked;
}

static void swap(uintptr_t *a, uintptr_t *b)
{
    uintptr_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Orders at[low] to at[high] so far that at[rank] is in its place: Hoare's FIND, as Wirth writes it. */
static void find(uintptr_t *at, ptrdiff_t low, ptrdiff_t high, ptrdiff_t rank)
{
    while (low < high) {
        uintptr_t middle = at[low + (high - low) / 2];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (at[i] < middle)
                i++;
            while (at[j] > middle)
                j--;
            if (i <= j)
                swap(&at[i++], &at[j--]);
        }
        if (rank > j && rank < i)
            return;
        low = rank >= i ? i : low;
        high = rank <= j ? j : high;
    }
}

/* Cuts at[low] to at[high - 1] into `n` stripes from number `first` on. */
static void cut(Cuts *c, size_t low, size_t high, size_t first, size_t n)
{
    while (n > 1) {
        size_t left = n / 2, rank = low + (high - low) * left / n;
        if (rank < high)
            find(c->at, (ptrdiff_t)low, (ptrdiff_t)high - 1, (ptrdiff_t)rank);
        c->from[first + left] = rank < high ? c->at[rank] : c->from[first + n];
        cut(c, low, rank, first, left);
        low = rank;
        first += left;
        n -= left;
    }
}

/* The stripe of an address. */
static size_t stripe_of(const AnbStripes *stripes, uintptr_t at)
{
    size_t low = 0, high = stripes->n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (at < stripes->from[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* The samples of the thread that has most. */
static size_t most(const AnbStripes *stripes, const uintptr_t *at, size_t looked)
{
    uint32_t sum[ANB_STRIPES_MOST] = {0};
    size_t found = 0;
    for (size_t i = 0; i < looked; i++) {
        size_t thread = stripe_of(stripes, at[i]) / stripes->each;
        sum[thread]++;
        found = sum[thread] > found ? sum[thread] : found;
    }
    return found;
}

bool anb_stripes_deal(AnbStripes *stripes, StreamingLearner *const *models, size_t n, size_t threads, size_t each)
{
    Cuts c;
    if (threads * each != stripes->n) {
        free(stripes->from);
        stripes->n = 0;
        stripes->from = malloc((threads * each + 1) * sizeof *stripes->from);
        if (!stripes->from)
            return false;
    }
    size_t looked = look_at(c.at, models, n);
    c.from = stripes->from;
    stripes->n = threads * each;
    stripes->each = each;
    stripes->from[0] = 0;
    stripes->from[stripes->n] = UINTPTR_MAX;
    cut(&c, 0, looked, 0, stripes->n);
    stripes->largest = (double)most(stripes, c.at, looked) / (double)looked;
    return true;
}

void anb_stripes_free(AnbStripes *stripes)
{
    free(stripes->from);
    *stripes = (AnbStripes){.n = 0};
}
