/*
 * A bounded dictionary of one column's categories, with statistics of the targets of each.
 *
 *     set   8 keys in one cache line, then their 8 entries
 *     set of a key = some bits of its hash
 *
 * In a full set the entry with the smallest faded count, the first of equals, is replaced; so the used entries are the
 * first of their set. Counts fade with each sample of the column; instead of multiplying them all, each new sample
 * counts more (`AnbDictionary.worth`).
 *
 * Which mean predicts the next target best differs between columns: for a player's salary the last one, for flats of a
 * district the mean of all. Each column weighs the three means of its entries by the squared errors of predicting by
 * them:
 *
 *     L_i <- .999 L_i + weight min(|y - f_i| / s, 20)^2      f: last target, fading mean, smoothed mean
 *     w_i proportional to (least L / L_i)^8                  s: the running size of the errors (error_scale.h)
 *
 * Weights from discounted squared errors: Bates & Granger 1969, Stock & Watson 2004 with the power as a parameter.
 */
#ifndef ANB_COLUMNS_DICTIONARY_H
#define ANB_COLUMNS_DICTIONARY_H

#include "src/text/bits.h"
#include <anabranch/schema.h>
#include <anabranch/type.h>

enum { ANB_SET = 8 };

typedef struct AnbCategory {
    double score;  /* faded count, in units of `worth` */
    double weight; /* sum of weights */
    double mean;   /* of the targets */
    double fading; /* the same over the last `memory` of them */
    double effect; /* coefficient beside the linear model */
    double last;   /* target */
} AnbCategory;

typedef struct AnbSet {
    uint64_t key[ANB_SET]; /* 0: free */
    AnbCategory entry[ANB_SET];
} AnbSet;

enum { ANB_LAST, ANB_FADING, ANB_SMOOTHED, ANB_MEMORIES };

/* The head of a column's dictionary, in the block; its sets lie elsewhere. */
typedef struct AnbDictionary {
    double worth;              /* weight of a sample in the counts now */
    double loss[ANB_MEMORIES]; /* L */
    double last, fading;       /* w of these two; that of the smoothed mean is the rest to 1 */
} AnbDictionary;

/* A key that no cell has, since every NaN becomes the missing category. */
#define ANB_FREE_KEY UINT64_C(0x7ff8000000000001)

/* The key of a cell: never 0; both zeros are one, and a NaN is the missing category. */
static inline uint64_t anb_dictionary_key(double cell)
{
    if (cell != cell)
        cell = anb_category(NULL, 0);
    return anb_to_bits(cell == 0 ? 0 : cell) ^ ANB_FREE_KEY;
}

/* The set of a key; sets is a power of two. The hash is the finaliser of splitmix64 (Steele, Lea & Flood 2014). */
static inline size_t anb_dictionary_set(uint64_t key, uint64_t seed, size_t sets)
{
    uint64_t v = key + seed;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return (v ^ v >> 31) & (sets - 1);
}

/* Which entry of the set has the key; ANB_SET: none. */
static inline size_t anb_set_find(const AnbSet *set, uint64_t key)
{
    unsigned found = 0;
    for (unsigned i = 0; i < ANB_SET; i++)
        found |= (unsigned)(set->key[i] == key) << i;
    return found ? (size_t)__builtin_ctz(found) : ANB_SET;
}

/* Inserts a key that is not in the set, with an entry of zeros; updates `used`. Returns its place. */
size_t anb_set_insert(AnbSet *set, uint8_t *used, uint64_t key);

/* The factor by which `worth` grows with each sample. */
double anb_dictionary_growth(size_t n_sets);
/* Counts a sample of a category; all other counts fade. */
static inline void anb_dictionary_count(AnbDictionary *d, double growth, AnbCategory *entry, double weight)
{
    d->worth = d->worth == 0 ? 1 : d->worth * growth;
    entry->score += d->worth * weight;
}
/* To be called after a count: scales all counts down before they overflow. */
void anb_dictionary_bound(AnbDictionary *d, AnbSet *sets, size_t n_sets);
/* The weighted mean of the three means of an entry. */
static inline double anb_dictionary_blend(const AnbDictionary *d, const AnbCategory *entry, double smoothed)
{
    return d->last * entry->last + d->fading * entry->fading + (1 - d->last - d->fading) * smoothed;
}
/* Scores the three means of an entry by its next target; per_error is 1 / s. */
void anb_dictionary_judge(AnbDictionary *d, const AnbCategory *entry, double smoothed, double y, double per_error,
                          double weight);
/* Adds a target to the category's means and weight. */
void anb_category_learn(AnbCategory *entry, double y, double weight, double memory);

extern const AnbField anb_dictionary_fields[];

/* The sets of all columns of a node as a part of its state: `.part = &anb_sets_part`, `.form` one of these. A snapshot
 * holds the entries in use; layouts before version 2 held all. */
typedef struct AnbSetsForm {
    size_t (*count)(const AnbNode *self); /* sets */
    size_t used;                          /* the node's field of uint8_t: keys in use, a set each */
} AnbSetsForm;
extern const AnbPart anb_sets_part;
/* The most frequent categories, up to n, by their faded count; how many. */
size_t anb_dictionary_frequent(const AnbDictionary *d, const AnbSet *sets, size_t n_sets, AnbCategoryEffect *out,
                               size_t n);
/* Whether sets from a file are valid. */
bool anb_dictionary_valid(const AnbDictionary *d, const AnbSet *sets, size_t n_sets, uint64_t seed);

#endif
