/*
 * Whether a call is worth sharing among threads, by how long calls alike took alone and shared. Nothing that is computed depends on
 * it.
 *
 *     what threads may gain    nothing        less than waking costs    more
 *     the first call           alone          alone                     shared
 *     after 8 calls            alone          shared, four times        alone, once
 *
 * The way that took less time goes on. The other one is tried again after 64 calls, and after twice as many each time that it was in
 * vain, up to 4,096, so that in the long run trying costs nothing. Four times, since only the calls behind the first find the threads
 * awake.
 */
#ifndef ANB_HOST_WAYS_H
#define ANB_HOST_WAYS_H

#include <stdbool.h>
#include <stddef.h>

enum { ANB_WAYS = 16 };

/* Calls alike: ns a sample. */
typedef struct AnbWay {
    double tried;   /* of the first samples, the mean of late; 0: no call yet */
    double took[2]; /* alone and shared: the mean of late, of a trial the least; 0: not known */
    bool usual;     /* whether it is shared but for trials */
    unsigned until; /* calls to the next trial */
    unsigned wait;  /* and from that one to the one behind */
    unsigned trial; /* calls left of the one under way */
} AnbWay;

/* Of calls by their numbers of samples, a factor of four apart. */
typedef struct AnbWays {
    AnbWay way[ANB_WAYS];
} AnbWays;

typedef struct AnbWaysGain {
    double gain; /* ns that threads which are awake may gain on the call */
    double wake; /* ns that it costs to wake them */
} AnbWaysGain;

/* The record of such calls; NULL where threads gain nothing. `tried`: ns of each of the first samples. A call whose samples take more
 * than three times what they took is not alike, and the record begins anew. */
AnbWay *anb_ways_of(AnbWays *ways, size_t samples, double tried, AnbWaysGain gain);
/* Whether this call is to be shared. Once a call, and then anb_way_took. */
bool anb_way_shared(AnbWay *way);
/* What a sample of that call took. */
void anb_way_took(AnbWay *way, double ns);

#endif
