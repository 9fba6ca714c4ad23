/*
 * Threads for the children of one node. A host may let several threads do independent pieces of the work on one sample.
 *
 * A node that can use threads has one field of the part anb_scheduler_part in its scratch. The host stores a scheduler
 * there, or NULL: then the node does all pieces itself.
 *
 * Results do not depend on which thread does which piece: a piece writes nothing that another piece reads or writes,
 * and counts in counters of its own, which the scheduler adds to the sample's afterwards.
 */
#ifndef ANB_NUMERIC_SCHEDULER_H
#define ANB_NUMERIC_SCHEDULER_H

#include <anabranch/type.h>

typedef struct AnbScheduler AnbScheduler;

/* n pieces of one kind. */
typedef struct AnbWork {
    void (*run)(void *context, size_t i, AnbCounters *counters);
    void *context;
    size_t n;
} AnbWork;

/* Kinds of work: the scheduler measures the costs of the pieces of each. */
typedef enum AnbWorkKind { ANB_WORK_PREDICT, ANB_WORK_PREDICT_MANY, ANB_WORK_LEARN, ANB_WORK_KINDS } AnbWorkKind;

struct AnbScheduler {
    /* Does all pieces; for learning also those put aside. At most as many pieces as the mixture has experts. */
    void (*share)(AnbScheduler *self, AnbWorkKind kind, const AnbWork *work, AnbCounters *counters);
    /* Puts up to ANB_WORK_ASIDE pieces of learning aside, for the next time that learning is shared. */
    void (*put_aside)(AnbScheduler *self, const AnbWork *work);
    /* Does the pieces that are still put aside; their context is not used afterwards. */
    void (*finish)(AnbScheduler *self, AnbCounters *counters);
};

enum { ANB_WORK_ASIDE = 8 };

/* A pointer to a scheduler, in a scratch. */
extern const AnbPart anb_scheduler_part;

/* The node's scheduler, or NULL; `field`: of its table of scratch. */
static inline AnbScheduler *anb_scheduler_of(const AnbNode *self, double *scratch, size_t field)
{
    return *(AnbScheduler **)anb_scratch(self, scratch, field);
}

#endif
