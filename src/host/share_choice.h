/*
 * Decides whether a call is shared among threads, from how long similar calls took alone and shared. Results do not
 * depend on it.
 *
 *     what threads may gain    nothing        less than waking costs    more
 *     the first call           alone          alone                     shared
 *     after 8 calls            alone          shared, for a while       alone, four times
 *
 * The faster way is kept. The other one is tried again after 64 calls. Each trial that does not win doubles that
 * number, up to 4,096, so that trials cost almost nothing in the long run. If calls take 1.5 times as long as when
 * their way was chosen, since other programs use the cores, the other way is tried at once.
 *
 * A trial is four calls, of which the fastest counts, since calls may be interrupted. Sharing is tried for at least
 * 200 us, since threads take about 50 us to wake.
 */
#ifndef ANB_HOST_SHARE_CHOICE_H
#define ANB_HOST_SHARE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

enum { ANB_SHARE_CLASSES = 16 };

/* How similar calls went. Times are ns a sample. */
typedef struct AnbShareRecord {
    /* The running means of the first samples, behind a call alone and behind a shared one; 0: no call yet. */
    double tried[2];
    double took[2]; /* alone and shared: of the usual way the running mean, of a trial the least; 0: not known */
    bool last;      /* whether the last call was shared */
    bool usual;     /* whether calls are shared, except in trials */
    unsigned until; /* calls to the next trial */
    unsigned wait;  /* calls between that trial and the one after it */
    unsigned trial; /* the number of the call in the present trial; 0: there is none */
    double lasted;  /* ns of the present trial's calls */
    unsigned odd;   /* calls in a row whose first samples took another time by far */
    double chosen;  /* what a sample took when the usual way was chosen; 0: not known */
} AnbShareRecord;

/* One record for each class of calls, by the number of samples: each class reaches four times as far as the one
 * before. */
typedef struct AnbShareRecords {
    AnbShareRecord class[ANB_SHARE_CLASSES];
} AnbShareRecords;

typedef struct AnbShareGain {
    double gain; /* ns that threads which are awake may gain on the call */
    double wake; /* ns that it costs to wake them */
} AnbShareGain;

/* The record for calls of that many samples; NULL where threads gain nothing. `tried`: ns of each of the call's first
 * samples. If three calls in a row differ from the record by more than a factor of three, the record starts again.
 * Calls that follow a shared call are compared with calls that followed a shared call: what another core has written
 * takes long to read. */
AnbShareRecord *anb_share_record(AnbShareRecords *records, size_t samples, double tried, AnbShareGain gain);
/* ns that one of the first samples takes where this core has what it needs. */
double anb_share_ns(const AnbShareRecord *record);
/* Whether this call is to be shared. To be called once for each call, and anb_share_took or anb_share_put_off after
 * it. */
bool anb_share_decide(AnbShareRecord *record);
/* Withdraws the decision for a call that was to be shared and was done alone. */
void anb_share_put_off(AnbShareRecord *record);
/* Records the time that each of that call's samples took. */
void anb_share_took(AnbShareRecord *record, double ns, size_t samples);

#endif
