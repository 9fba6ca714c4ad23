/* Stripes for threads: as many samples in each, as far as models allow, by the addresses of some samples' models. */
#include "stripes.h"
#include "src/numeric/random.h"
#include <stdlib.h>

enum { SAMPLED = 4096 };

/* Models of some samples, and the stripes' addresses that are found among them. */
typedef struct Cuts {
    uintptr_t at[SAMPLED];
    uintptr_t *from;
} Cuts;

/* The addresses of a random subset of the samples. Even steps could coincide with the period of a call that visits its
 * models in turn. */
static size_t sample_addresses(uintptr_t at[SAMPLED], StreamingLearner *const *models, size_t n)
{
    size_t step = (n + SAMPLED - 1) / SAMPLED, sampled = 0;
    for (size_t i = 0; i < n; i += step)
        at[sampled++] = (uintptr_t)models[anb_one_of(i, n - i < step ? n - i : step)];
    return sampled;
}

static void swap(uintptr_t *a, uintptr_t *b)
{
    uintptr_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Orders at[low] to at[high] so far that at[rank] is in its place: Hoare's FIND, as Wirth writes it, by
 * drawn values. */
static void find(uintptr_t *at, ptrdiff_t low, ptrdiff_t high, ptrdiff_t rank)
{
    while (low < high) {
        uintptr_t middle = at[anb_one_of((size_t)low, (size_t)(high - low) + 1)];
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

/* Brings the values of at[low] to at[high - 1] that equal `value` to the end, or the beginning, of these. Returns how
 * many. */
static size_t bring_together(uintptr_t *at, size_t low, size_t high, uintptr_t value, bool to_end)
{
    size_t found = 0;
    for (size_t k = 0; k < high - low; k++) {
        size_t i = to_end ? high - 1 - k : low + k;
        if (at[i] == value) {
            swap(&at[i], &at[to_end ? high - 1 - found : low + found]);
            found++;
        }
    }
    return found;
}

/* Where at[low] to at[high - 1] are cut near `rank`: at the nearer end of the model there, which belongs to one stripe.
 * Those before the returned number have lower addresses than `from`, the others have not. */
static size_t cut_near(uintptr_t *at, size_t low, size_t high, size_t rank, uintptr_t *from)
{
    find(at, (ptrdiff_t)low, (ptrdiff_t)high - 1, (ptrdiff_t)rank);
    uintptr_t model = at[rank];
    size_t before = bring_together(at, low, rank, model, true), after = bring_together(at, rank, high, model, false);
    *from = before <= after ? model : model + 1;
    return before <= after ? rank - before : rank + after;
}

/* Cuts at[low] to at[high - 1] into `n` stripes from number `first` on. */
static void cut(Cuts *c, size_t low, size_t high, size_t first, size_t n)
{
    while (n > 1) {
        size_t left = n / 2, rank = low + (high - low) * left / n;
        c->from[first + left] = c->from[first + n];
        if (rank < high)
            rank = cut_near(c->at, low, high, rank, &c->from[first + left]);
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
static size_t most(const AnbStripes *stripes, const uintptr_t *at, size_t sampled)
{
    uint32_t sum[ANB_STRIPES_MOST] = {0};
    size_t found = 0;
    for (size_t i = 0; i < sampled; i++) {
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
    size_t sampled = sample_addresses(c.at, models, n);
    c.from = stripes->from;
    stripes->n = threads * each;
    stripes->each = each;
    stripes->from[0] = 0;
    stripes->from[stripes->n] = UINTPTR_MAX;
    cut(&c, 0, sampled, 0, stripes->n);
    stripes->largest = (double)most(stripes, c.at, sampled) / (double)sampled;
    return true;
}

void anb_stripes_free(AnbStripes *stripes)
{
    free(stripes->from);
    *stripes = (AnbStripes){.n = 0};
}

bool anb_stripes_complete(const AnbSamples *call, size_t from, size_t to)
{
    if (anb_stripes_sure((const void *const *)call->models + from, to - from) &&
        anb_stripes_sure((const void *const *)call->x + from, to - from))
        return true;
    for (size_t i = from; i < to; i++)
        if (!call->models[i] || !call->x[i])
            return false;
    return true;
}
