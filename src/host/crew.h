/*
 * The assignment of pieces of work to the threads of a team, for src/numeric/crew.h.
 *
 * Each piece is assigned to one thread, so that an expert's state stays in the cache of one core. A thread that has
 * finished its own pieces takes pieces that others have not begun. Pieces are assigned in order of falling cost, each
 * to the thread with the least total so far; the costs are measured every 32nd time. Work too small to pay for waking
 * threads is done by the caller.
 */
#ifndef ANB_HOST_CREW_H
#define ANB_HOST_CREW_H

#include "src/numeric/crew.h"
#include "team.h"

/* For work of up to `pieces` pieces and ANB_CREW_ASIDE; the team outlives it. NULL where there is no memory. */
AnbCrew *anb_crew_new(AnbTeam *team, size_t pieces);
/* NULL is fine. */
void anb_crew_free(AnbCrew *crew);

#endif
