/*
 * Threads that share the work of a call: one job at a time, done by its caller and by those threads that wake in time.
 *
 *     caller   open -> work -> close -> wait until no thread is inside
 *     thread   sees it open -> goes inside -> works -> leaves; a sleeping or late thread does nothing
 *
 * A job assigns its parts itself, by an atomic counter for example, so a thread that wakes late causes no delay.
 * Between jobs a thread polls for some microseconds if jobs have come at such intervals; otherwise it sleeps.
 */
#ifndef ANB_HOST_TEAM_H
#define ANB_HOST_TEAM_H

#include <stdbool.h>
#include <stddef.h>

typedef struct AnbTeam AnbTeam;

/* Does parts of the job until none is left; `thread` is 0 for the caller, else the number of another one. */
typedef void (*AnbTeamJob)(void *context, size_t thread);

enum { ANB_TEAM_MOST = 1024 };

/* Starts threads - 1 threads; 0: as many as this process may use cores, less one. NULL where there is no memory. */
AnbTeam *anb_team_new(size_t threads);
/* No job may be running. NULL is fine. */
void anb_team_free(AnbTeam *team);
/* Threads that work on a job, its caller included. */
size_t anb_team_size(const AnbTeam *team);
/* Whether the caller is the only thread: a team of one, or in a process that was forked later. */
bool anb_team_alone(const AnbTeam *team);
/* Whether no thread would have to be woken for a job now. */
bool anb_team_awake(AnbTeam *team);
/* Runs a job; returns when the caller has finished and no thread is inside. One caller at a time; not from inside a
 * job. */
void anb_team_run(AnbTeam *team, AnbTeamJob job, void *context);

#endif
