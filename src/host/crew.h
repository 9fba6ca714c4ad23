/*
 * A crew over a team of threads (src/numeric/crew.h): who does which piece.
 *
 * Each piece belongs to one thread, so that an expert's state stays in the cache of one core; a thread that is through with
 * its own takes those that others have not begun. Pieces are dealt in the order of falling cost, each to the thread with
 * the least so far; what they cost is measured every 32nd time. Work that is not worth the threads' attention is done by
 * the caller.
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
