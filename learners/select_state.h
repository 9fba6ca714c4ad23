/* The state of select: its counts, the sums of the screen, the places of both children, and the stored rows. */
#ifndef ANB_LEARNERS_SELECT_STATE_H
#define ANB_LEARNERS_SELECT_STATE_H

#include "src/numeric/error_scale.h"
#include "src/numeric/moments.h"
#include "src/numeric/ring.h"
#include "src/numeric/screen.h"
#include <anabranch/learners.h>

enum { SELECT_MOST = 64, SELECT_LONGEST = 200 }; /* places; rows of a trial */

/* Marks of a feature that counts: forward selection takes it, or only the error depends on it. */
enum { SELECT_TAKEN = 1, SELECT_DEPENDED_ON = 2 };

typedef struct Select {
    AnbScreen screen;
    AnbTriples triples;
    AnbRing ring;
    AnbMoments target;
    AnbErrorScale error; /* of the serving child */
    uint64_t seen, due;  /* rows; rows at which the next selection is made */
    uint64_t renewal;    /* rows from which on a child may be prepared */
    uint64_t added;      /* marks of the features that the serving child got since it was reset */
    uint64_t serving;    /* the index of the serving child */
    uint64_t prepared;   /* whether the other one is being prepared */
    uint64_t
        next; /* the row that it learns next, counted from the first one ever; those of the trial are not counted */
    uint64_t trial; /* rows of its trial so far */
    double gain;    /* sum over its trial of the difference of squared errors; > 0: the new child is better */
} Select;

/* The fields, and the scratch: the serving child's prediction; its row; the row of the other child; room for a row of
 * the screen, for the selection, for the features that a child sees, for the products of two features. */
enum {
    SELECT_HEAD,
    SELECT_TERMS,
    SELECT_PAIRS,
    SELECT_SQUARES,
    SELECT_ENERGIES,
    SELECT_PLACE,
    SELECT_HELD,
    SELECT_INVERSE,
    SELECT_ORIGIN,
    SELECT_X,
    SELECT_RAW,
    SELECT_Y,
    SELECT_WEIGHT,
    SELECT_TRIPLES,
    SELECT_NAMED
};
enum {
    SELECT_PREDICTION,
    SELECT_OWN_X,
    SELECT_OWN_RAW,
    SELECT_OTHER_X,
    SELECT_OTHER_RAW,
    SELECT_TERM_ROW,
    SELECT_CHOSEN,
    SELECT_SEEN,
    SELECT_ROOM,
    SELECT_PAIR_ROW
};

extern const AnbField anb_select_fields[], anb_select_scratch[];

static inline size_t anb_select_most(const AnbNode *self)
{
    return (size_t)((const AnbSelectOptions *)self->options)->most;
}

/* The places of a child: for each the feature in it, counted from 1; 0: none. */
static inline const uint16_t *anb_select_places(const AnbNode *self, const void *state, uint64_t child)
{
    return (const uint16_t *)anb_field_const(self, state, SELECT_PLACE) + child * anb_select_most(self);
}

static inline uint16_t *anb_select_own_places(const AnbNode *self, void *state, uint64_t child)
{
    return (uint16_t *)anb_field(self, state, SELECT_PLACE) + child * anb_select_most(self);
}

int anb_select_init(const AnbNode *self, void *state);
int anb_select_validate(const AnbNode *self, const void *state, AnbError *error);
AnbScreenView anb_select_screen(const AnbNode *self, Select *s);

/* Writes x or raw for a child with such places. */
void anb_select_pick(const uint16_t *place, size_t n, const double *from, double *to);

/* The number of stored rows; stores a row; writes stored row `at`, counted from the first ever, to the scratch for the
 * other child, with its weight, and returns its target. */
size_t anb_select_rows(const AnbNode *self, const void *state);
void anb_select_keep(const AnbNode *self, Select *s, const AnbRow *row, double y, double weight);
double anb_select_recall(const AnbNode *self, const Select *s, uint64_t at, double *scratch, double *weight);

/* Changes the unit of the stored rows and of the children. */
void anb_select_reframe(const AnbNode *self, void *state, const double *alpha, const double *beta);

#endif
