#include "dictionary.h"
#include "src/numeric/elementary.h"
#include "src/numeric/fields.h"
#include "src/numeric/moments.h"

/* A count fades by the factor 1/e within 8 times as many samples as there are entries. */
static const double FADE = 8;
static const double MOST = 0x1p500;
static const double FORGET = 0.999,
                    FARTHEST = 20; /* discount of the memories' losses; bound of an error in units of its scale */
enum { SPARSE = 2 };               /* the first layout that holds only used entries */

/* How many of the set's keys are in use: the first ones. */
static size_t keys_used(const AnbSet *set)
{
    size_t n = 0;
    while (n < ANB_SET && set->key[n] != 0)
        n++;
    return n;
}

size_t anb_set_insert(AnbSet *set, uint8_t *used, uint64_t key)
{
    size_t victim = 0;
    for (size_t i = 1; i < ANB_SET; i++)
        if (set->entry[i].score < set->entry[victim].score)
            victim = i;
    *used = (uint8_t)(*used + (set->key[victim] == 0));
    set->key[victim] = key;
    set->entry[victim] = (AnbCategory){0};
    return victim;
}

double anb_dictionary_growth(size_t n_sets)
{
    return 1 + 1 / (FADE * ANB_SET * (double)n_sets);
}

/* Divides all counts by the same power of two, so that nothing is rounded but numbers that underflow. */
void anb_dictionary_bound(AnbDictionary *d, AnbSet *sets, size_t n_sets)
{
    if (d->worth < MOST)
        return;
    d->worth /= MOST;
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < ANB_SET; i++)
            sets[s].entry[i].score /= MOST;
}

static double loss_of(double y, double f, double per_error)
{
    double u = fabs(y - f) * per_error;
    u = u < FARTHEST ? u : FARTHEST; /* what is not a number too */
    return u * u;
}

/* (least / loss)^8; 1 where both are 0. */
static double merit(double least, double loss)
{
    double r = loss > 0 ? least / loss : 1;
    r *= r;
    r *= r;
    return r * r;
}

void anb_dictionary_judge(AnbDictionary *d, const AnbCategory *entry, double smoothed, double y, double per_error,
                          double weight)
{
    const double f[ANB_MEMORIES] = {entry->last, entry->fading, smoothed};
    double least = HUGE_VAL, w[ANB_MEMORIES];
    for (int i = 0; i < ANB_MEMORIES; i++) {
        d->loss[i] = FORGET * d->loss[i] + weight * loss_of(y, f[i], per_error);
        least = d->loss[i] < least ? d->loss[i] : least;
    }
    for (int i = 0; i < ANB_MEMORIES; i++)
        w[i] = merit(least, d->loss[i]);
    double sum = w[ANB_LAST] + w[ANB_FADING] + w[ANB_SMOOTHED];
    d->last = w[ANB_LAST] / sum;
    d->fading = w[ANB_FADING] / sum;
}

/* The step of an exponential mean for w equal targets. */
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
    entry->last = y;
}

/* Inserts a category into the n most frequent ones so far. Returns how many there are then. */
static size_t insert(AnbCategoryEffect *top, size_t found, size_t n, const AnbCategoryEffect *entry)
{
    size_t at = found;
    for (; at > 0 && top[at - 1].count < entry->count; at--)
        if (at < n)
            top[at] = top[at - 1];
    if (at < n)
        top[at] = *entry;
    return found < n ? found + 1 : n;
}

size_t anb_dictionary_frequent(const AnbDictionary *d, const AnbSet *sets, size_t n_sets, AnbCategoryEffect *out,
                               size_t n)
{
    size_t found = 0;
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < ANB_SET; i++) {
            const AnbCategory *e = &sets[s].entry[i];
            AnbCategoryEffect one = {anb_from_bits(sets[s].key[i] ^ ANB_FREE_KEY),
                                     e->score / d->worth,
                                     e->weight,
                                     e->mean,
                                     e->fading,
                                     e->effect};
            found = sets[s].key[i] ? insert(out, found, n, &one) : found;
        }
    return found;
}

const AnbField anb_dictionary_fields[] = {
    {ANB_MEMBER(AnbDictionary, worth), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    {ANB_MEMBER(AnbDictionary, loss), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 2},
    {ANB_MEMBER(AnbDictionary, last), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 2},
    {ANB_MEMBER(AnbDictionary, fading), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 2},
    {0}};

static const AnbField entry_fields[] = {{ANB_MEMBER(AnbCategory, score), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(AnbCategory, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(AnbCategory, mean), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCategory, fading), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCategory, effect), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbCategory, last), .must = ANB_FINITE, .since = 2},
                                        {0}};

static const AnbField set_fields[] = {
    {ANB_MEMBER(AnbSet, key)}, {ANB_INNER(AnbSet, entry, AnbCategory, entry_fields)}, {0}};

static size_t n_sets_of(const AnbNode *self, const AnbField *field)
{
    const AnbSetsForm *form = field->form;
    return form->count(self);
}

static size_t sets_size(const AnbNode *self, const AnbField *field)
{
    size_t n = n_sets_of(self, field);
    return n < SIZE_MAX / 4 / sizeof(AnbSet) ? n * sizeof(AnbSet) : SIZE_MAX / 2;
}

/* Sets of an older layout have all entries. */
static void visit_whole(AnbSet *set, uint8_t *used, AnbVisitor *visitor)
{
    anb_struct_visit(set_fields, set, visitor);
    *used = (uint8_t)keys_used(set);
}

static void visit_used(AnbSet *set, size_t n, AnbVisitor *visitor)
{
    anb_visit(visitor, "key", set->key, ANB_U64, n);
    for (size_t i = 0; i < n; i++)
        anb_struct_visit(entry_fields, &set->entry[i], visitor);
}

static void visit_sets(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    const AnbSetsForm *form = field->form;
    uint8_t *used = anb_field(self, state, form->used);
    AnbSet *sets = part;
    for (size_t s = 0, n = n_sets_of(self, field); s < n; s++)
        if (!anb_visits_since(visitor, SPARSE))
            visit_whole(&sets[s], &used[s], visitor);
        else
            visit_used(&sets[s], used[s] < ANB_SET ? used[s] : ANB_SET, visitor);
}

static int validate_sets(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    const AnbSetsForm *form = field->form;
    const uint8_t *used = anb_field_const(self, state, form->used);
    const AnbSet *sets = part;
    bool fine = true;
    for (size_t s = 0, n = n_sets_of(self, field); s < n && fine; s++) {
        fine = used[s] == keys_used(&sets[s]);
        for (size_t i = 0; i < used[s] && fine; i++)
            fine = anb_struct_valid(entry_fields, &sets[s].entry[i]);
    }
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "%s: an invalid entry of a dictionary", self->type->name);
}

const AnbPart anb_sets_part = {sets_size, visit_sets, validate_sets};

bool anb_dictionary_valid(const AnbDictionary *d, const AnbSet *sets, size_t n_sets, uint64_t seed)
{
    bool fine = d->worth < 2 * MOST && d->last + d->fading < 1.5;
    for (size_t s = 0; s < n_sets && fine; s++)
        for (size_t i = 0; i < ANB_SET; i++) {
            uint64_t key = sets[s].key[i];
            fine = fine && (key == 0 || anb_dictionary_set(key, seed, n_sets) == s);
            for (size_t j = 0; j < i && key; j++)
                fine = fine && sets[s].key[j] != key;
        }
    return fine;
}
