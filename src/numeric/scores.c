#include "scores.h"
#include <float.h>

static size_t bytes_of(size_t capacity)
{
    return capacity ? sizeof(AnbRing) + capacity * (sizeof(double) + sizeof(uint16_t)) : 0;
}

static double ranked(const AnbScores *scores, size_t rank)
{
    return scores->arrived[scores->order[rank]];
}

/* How many of the first n in order are below the value. */
static size_t below(const AnbScores *scores, size_t n, double value)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranked(scores, middle) < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

/* The slot's place in the order; it stands among the equals of its score. */
static size_t place_of(const AnbScores *scores, size_t n, size_t slot)
{
    size_t at = below(scores, n, scores->arrived[slot]);
    for (size_t tried = 0; tried < n; tried++, at++) {
        at = at < n ? at : 0;
        if (scores->order[at] == slot)
            return at;
    }
    return n - 1;
}

static void take_out(const AnbScores *scores, size_t n, size_t slot)
{
    size_t gone = place_of(scores, n, slot);
    uint16_t *order = scores->order;
    memmove(order + gone, order + gone + 1, (n - gone - 1) * sizeof *order);
}

/* Puts a slot among n in order. */
static void put_in(const AnbScores *scores, size_t n, size_t slot)
{
    uint16_t *order = scores->order;
    size_t at = below(scores, n, scores->arrived[slot]);
    memmove(order + at + 1, order + at, (n - at) * sizeof *order);
    order[at] = (uint16_t)slot;
}

void anb_scores_add(const AnbScores *scores, double score)
{
    size_t n = anb_scores_size(scores), slot = anb_ring_push(scores->ring, scores->capacity);
    if (n == scores->capacity)
        take_out(scores, n--, slot);
    scores->arrived[slot] = score;
    put_in(scores, n, slot);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

double anb_scores_between(const AnbScores *scores, double level)
{
    size_t n = anb_scores_size(scores);
    double at = level * (double)(n + 1) - 1;
    if (n == 0)
        return 0;
    if (!(at > 0))
        return ranked(scores, 0);
    if (at >= (double)(n - 1))
        return ranked(scores, n - 1);
    size_t left = (size_t)at;
    double share = at - (double)left;
    return ranked(scores, left) * (1 - share) + ranked(scores, left + 1) * share;
}

/* ---- the part ---------------------------------------------------------------------------------------------------- */

/* Every slot in use stands once in the order. */
static bool is_permutation(const AnbScores *scores, size_t n)
{
    uint64_t taken[(ANB_SCORES_MOST + 1) / 64] = {0};
    for (size_t i = 0; i < n; i++) {
        size_t slot = scores->order[i];
        if (slot >= n || taken[slot / 64] >> slot % 64 & 1)
            return false;
        taken[slot / 64] |= UINT64_C(1) << slot % 64;
    }
    return true;
}

bool anb_scores_valid(const AnbScores *scores)
{
    size_t n = anb_scores_size(scores);
    if (!anb_ring_valid(scores->ring) || !is_permutation(scores, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(ranked(scores, i) >= (i ? ranked(scores, i - 1) : -DBL_MAX) && ranked(scores, i) < (double)INFINITY))
            return false;
    return true;
}

static size_t capacity_of(const AnbNode *self, const AnbField *field)
{
    return ((const AnbScoresForm *)field->form)->capacity(self);
}

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    return bytes_of(capacity_of(self, field));
}

enum { OLDER = 1000 };

/* A thousand as they arrived and the same sorted: the newest of them are kept. */
static void visit_older(const AnbScores *scores, AnbVisitor *visitor)
{
    double arrived[OLDER] = {0}, sorted[OLDER];
    anb_ring_visit(scores->ring, visitor);
    size_t n = anb_ring_size(scores->ring, OLDER), kept = n < scores->capacity ? n : scores->capacity;
    anb_visit(visitor, "arrived", arrived, ANB_F64, n);
    anb_visit(visitor, "sorted", sorted, ANB_F64, n);
    for (size_t i = 0; i < kept; i++) {
        uint64_t item = scores->ring->pushed - kept + i;
        size_t slot = (size_t)(item % scores->capacity);
        scores->arrived[slot] = arrived[item % OLDER];
        put_in(scores, i, slot);
    }
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    const AnbScoresForm *form = field->form;
    AnbScores scores = anb_scores_at(part, capacity_of(self, field));
    (void)state;
    if (scores.capacity == 0)
        return;
    if (!anb_visits_since(visitor, form->since)) {
        visit_older(&scores, visitor);
        return;
    }
    anb_ring_visit(scores.ring, visitor);
    size_t n = anb_scores_size(&scores);
    anb_visit(visitor, "arrived", scores.arrived, ANB_F64, n);
    anb_visit(visitor, "order", scores.order, ANB_U16, n);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    AnbScores scores = anb_scores_at(anb_view_of(part), capacity_of(self, field));
    (void)state;
    bool fine = scores.capacity == 0 || anb_scores_valid(&scores);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "%s: scores that no samples lead to", self->type->name);
}

const AnbPart anb_scores_part = {part_size, part_visit, part_validate};
