/*
 * Threads for the children of one node. A host may let several threads do independent pieces of the work on one sample.
 *
 * A node that can use threads has one field of the part anb_crew_part in its scratch. The host stores a crew there, or
 * NULL: then the node does all pieces itself.
 *
 * Results do not depend on which thread does which piece: a piece writes nothing that another piece reads or writes,
 * and counts in counters of its own, which the crew adds to the sample's afterwards.
 */
#ifndef ANB_NUMERIC_CREW_H
#define ANB_NUMERIC_CREW_H

#include <anabranch/type.h>

typedef struct AnbCrew AnbCrew;

/* n pieces of one kind. */
typedef struct AnbCrewWork {
    void (*run)(void *context, size_t i, AnbCounters *counters);
    void *context;
    size_t n;
} AnbCrewWork;

/* Kinds of work: of each the crew learns what its pieces cost. */
typedef enum AnbCrewKind { ANB_CREW_PREDICT, ANB_CREW_PREDICT_MANY, ANB_CREW_LEARN, ANB_CREW_KINDS } AnbCrewKind;

struct AnbCrew {
    /* Does all pieces, with those put aside where it is learning. At most as many pieces as the mixture has experts. */
    void (*share)(AnbCrew *self, AnbCrewKind kind, const AnbCrewWork *work, AnbCounters *counters);
    /* Puts up to ANB_CREW_ASIDE pieces of learning aside, for the next time that learning is shared. */
    void (*put_aside)(AnbCrew *self, const AnbCrewWork *work);
    /* Does what is still aside: afterwards its context is used no more. */
    void (*finish)(AnbCrew *self, AnbCounters *counters);
};

enum { ANB_CREW_ASIDE = 8 };

/* A pointer to a crew, in a scratch. */
extern const AnbPart anb_crew_part;

/* The node's crew, or NULL; `field`: of its table of scratch. */
static inline AnbCrew *anb_crew_of(const AnbNode *self, double *scratch, size_t field)
{
    return *(AnbCrew **)anb_scratch(self, scratch, field);
}

#endif
