/*
 * The last scores, of either sign, in order of arrival and sorted. Each score is stored once, in order of arrival; an
 * array of slot numbers gives the ascending order. So a score takes 10 bytes.
 *
 *     AnbRing | arrived[capacity] doubles | order[capacity] slots of 16 bits
 *
 * Cost of adding a score: O(log n) comparisons and a move of up to 2 n bytes.
 */
#ifndef ANB_NUMERIC_SCORES_H
#define ANB_NUMERIC_SCORES_H

#include "ring.h"
#include <anabranch/type.h>

enum { ANB_SCORES_MOST = 65535 };

/* A view of scores that lie in a state; zeroed at first. capacity: 1 to ANB_SCORES_MOST. */
typedef struct AnbScores {
    AnbRing *ring;
    double *arrived;
    uint16_t *order;
    size_t capacity;
} AnbScores;

static inline AnbScores anb_scores_at(void *part, size_t capacity)
{
    AnbRing *ring = part;
    double *arrived = (double *)(ring + 1);
    return (AnbScores){ring, arrived, (uint16_t *)(arrived + capacity), capacity};
}

static inline size_t anb_scores_size(const AnbScores *scores)
{
    return anb_ring_size(scores->ring, scores->capacity);
}

/* The score is finite. */
void anb_scores_add(const AnbScores *scores, double score);
/* The value that a share `level` of them lies below, in (0, 1), linear between neighbours; the
 * outermost ones beyond them, 0 where there are none. */
double anb_scores_between(const AnbScores *scores, double level);
/* Whether samples can have led to them. */
bool anb_scores_valid(const AnbScores *scores);

/* Scores as a part of a state: the field's `form`. */
typedef struct AnbScoresForm {
    size_t (*capacity)(const AnbNode *self); /* 0: none, and no memory */
    unsigned since; /* the type's version from which on the scores lie as above; before it 1,000 of them and the same
                       sorted */
} AnbScoresForm;
extern const AnbPart anb_scores_part;

#endif
