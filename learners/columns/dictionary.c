#include "dictionary.h"
#include "src/numeric/elementary.h"
#include "src/numeric/moments.h"
#include "src/text/bits.h"
#include <anabranch/schema.h>

/* Counts of 8 times as many samples as there are entries ago are worth 1/e of one now. */
static const double FADE = 8;
static const double MOST = 0x1p500;

uint64_t anb_dictionary_key(double cell)
{
    static const uint64_t free_key = 0x7ff8000000000001; /* bits that no cell has: every NaN becomes missing */
    if (cell != cell)
        cell = anb_category(NULL, 0);
    return anb_to_bits(cell == 0 ? 0 : cell) ^ free_key;
}

/* The finaliser of splitmix64 (Steele, Lea & Flood 2014). */
static uint64_t mixed(uint64_t v)
{
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return v ^ v >> 31;
}

size_t anb_dictionary_set(uint64_t key, uint64_t seed, size_t sets)
{
    return mixed(key + seed) & (sets - 1);
}

size_t anb_set_insert(AnbSet *set, uint64_t key)
{
    size_t victim = 0;
    for (size_t i = 1; i < ANB_SET; i++)
        if (set->entry[i].score < set->entry[victim].score)
            victim = i;
    set->key[victim] = key;
    set->entry[victim] = (AnbCategory){0};
    return victim;
}

double anb_dictionary_growth(size_t n_sets)
{
    return 1 + 1 / (FADE * ANB_SET * (double)n_sets);
}

/* All smaller by the same factor, a power of two: nothing is rounded but what leaves the doubles. */
void anb_dictionary_bound(AnbDictionary *d, AnbSet *sets, size_t n_sets)
{
    if (d->worth < MOST)
        return;
    d->worth /= MOST;
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < ANB_SET; i++)
            sets[s].entry[i].score /= MOST;
}

/* How far an exponential mean goes for w samples of the same target. */
static double share_of(double w, double memory)
{
    return w == 1 ? 1 / memory : 1 - anb_exp(w * anb_log1p(-1 / memory));
}

/* A plain mean as long as there are fewer than `memory`, an exponential one from then on. */
static void learn_young(AnbCategory *entry, double y, double weight, double memory)
{
    double room = memory - entry->weight, plain = weight < room ? weight : room;
    entry->fading = anb_toward(entry->fading, y, plain / (entry->weight + plain));
    if (weight > plain)
        entry->fading = anb_toward(entry->fading, y, share_of(weight - plain, memory));
}

void anb_category_learn(AnbCategory *entry, double y, double weight, double memory)
{
    double total = entry->weight + weight;
    entry->mean = anb_toward(entry->mean, y, weight / total);
    if (entry->weight < memory)
        learn_young(entry, y, weight, memory);
    else
        entry->fading = anb_toward(entry->fading, y, share_of(weight, memory));
    entry->weight = total;
}

const AnbField anb_dictionary_fields[] = {{ANB_MEMBER(AnbDictionary, worth), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {0}};

static const AnbField entry_fields[] = {{ANB_MEMBER(AnbCategory, score), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(AnbCategory, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(AnbCategory, mean), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCategory, fading), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCategory, effect), .must = ANB_FINITE},
                                        {0}};

const AnbField anb_set_fields[] = {
    {ANB_MEMBER(AnbSet, key)}, {ANB_INNER(AnbSet, entry, AnbCategory, entry_fields)}, {0}};

bool anb_dictionary_valid(const AnbDictionary *d, const AnbSet *sets, size_t n_sets, uint64_t seed)
{
    bool fine = d->worth < 2 * MOST;
    for (size_t s = 0; s < n_sets && fine; s++)
        for (size_t i = 0; i < ANB_SET; i++) {
            uint64_t key = sets[s].key[i];
            fine = fine && (key == 0 || anb_dictionary_set(key, seed, n_sets) == s);
            for (size_t j = 0; j < i && key; j++)
                fine = fine && sets[s].key[j] != key;
        }
    return fine;
}
