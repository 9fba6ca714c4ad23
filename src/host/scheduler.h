/*
 * The assignment of pieces of work to the threads of a team, for src/numeric/scheduler.h.
 *
 * Each piece is assigned to one thread, so that an expert's state stays in the cache of one core. A thread that has
 * finished its own pieces takes pieces that others have not begun. Pieces are assigned in order of falling cost, each
 * to the thread with the smallest total so far; the costs are measured every 32nd time. Work that costs less than
 * waking threads is done by the caller.
 */
#ifndef ANB_HOST_SCHEDULER_H
#define ANB_HOST_SCHEDULER_H

#include "src/numeric/scheduler.h"
#include "team.h"

/* For work of up to `pieces` pieces, and ANB_WORK_ASIDE more; the team has to stay valid. NULL where memory is out. */
AnbScheduler *anb_scheduler_new(AnbTeam *team, size_t pieces);
/* NULL is fine. */
void anb_scheduler_free(AnbScheduler *scheduler);

#endif
