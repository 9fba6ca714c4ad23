/*
 * An alarm for abrupt drift: more than half of the last 40 errors or so are above three times the mean of the last
 * 1,000.
 *
 * It needs two numbers of state, fewer than ADWIN (adwin.h), and detects large changes only. A few large errors do not
 * raise it, since learners discard what they have learned when it is raised.
 */
#ifndef ANB_NUMERIC_DRIFT_ALARM_H
#define ANB_NUMERIC_DRIFT_ALARM_H

#include <anabranch/type.h>

enum { ANB_DRIFT_ALARM_QUICK = 40, ANB_DRIFT_ALARM_CALM = 1000 };

typedef struct AnbDriftAlarm {
    double large; /* running share of errors that were large; starts at 0 */
    double calm;  /* running mean of |error|; starts at 0 */
} AnbDriftAlarm;

/* Adds the error of sample number `seen`, counted from 1. Returns whether the alarm is raised. */
static inline bool anb_drift_alarm_see(AnbDriftAlarm *alarm, double error, uint64_t seen)
{
    double size = error < 0 ? -error : error;
    alarm->large += ((size > 3 * alarm->calm) - alarm->large) / ANB_DRIFT_ALARM_QUICK;
    alarm->calm += (size - alarm->calm) / (double)(seen < ANB_DRIFT_ALARM_CALM ? seen : ANB_DRIFT_ALARM_CALM);
    return alarm->large > .5;
}

/* Takes the present errors as the usual ones: the alarm ends until errors become large again. */
static inline void anb_drift_alarm_accept(AnbDriftAlarm *alarm)
{
    alarm->large = 0;
}

#endif
