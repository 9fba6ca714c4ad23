#include "share_choice.h"

enum { TRIAL = 4, TRIAL_MOST = 64, FIRST = 8, AGAIN = 64, AGAIN_MOST = 4096, ODD = 3 }; /* calls */
static const double TRIAL_NS = 200000; /* of a trial of sharing, whose threads take their time to wake */
static const double WORSE = 1.5;       /* times what a sample took: the other way is tried */
static const double ALIKE = 3, TRIED_RATE = .125;
static const double RATE = .25,
                    MOST = 2; /* of a running mean: its rate, and the largest value that enters, as a multiple of it */

static size_t class_of(size_t samples)
{
    size_t i = 0;
    for (; samples >= 4 && i + 1 < ANB_SHARE_CLASSES; samples /= 4)
        i++;
    return i;
}

static AnbShareRecord begun(bool last, double tried, AnbShareGain gain)
{
    AnbShareRecord record = {.last = last, .usual = gain.gain > gain.wake, .until = FIRST, .wait = AGAIN};
    record.tried[last] = tried;
    return record;
}

AnbShareRecord *anb_share_record(AnbShareRecords *records, size_t samples, double tried, AnbShareGain gain)
{
    AnbShareRecord *record = &records->class[class_of(samples)];
    if (!(gain.gain > 0))
        return NULL;
    if (record->wait == 0)
        *record = begun(false, tried, gain);
    double *mean = &record->tried[record->last];
    if (*mean == 0)
        *mean = tried;
    bool odd = *mean > ALIKE * tried || tried > ALIKE * *mean;
    record->odd = odd ? record->odd + 1 : 0;
    if (record->odd == ODD)
        *record = begun(record->last, tried, gain);
    else if (!odd)
        *mean += TRIED_RATE * (tried - *mean);
    return record;
}

double anb_share_ns(const AnbShareRecord *record)
{
    double alone = record->tried[false], shared = record->tried[true];
    return shared > 0 && (alone == 0 || shared < alone) ? shared : alone;
}

bool anb_share_decide(AnbShareRecord *record)
{
    if (record->trial == 0 && record->until-- == 0) {
        record->trial = 1;
        record->lasted = 0;
        record->took[!record->usual] = 0;
    }
    record->last = record->trial > 0 ? !record->usual : record->usual;
    return record->last;
}

void anb_share_put_off(AnbShareRecord *record)
{
    record->last = false;
    record->until += record->trial == 0;
}

static void follow_least(double *took, double ns)
{
    *took = *took == 0 || ns < *took ? ns : *took;
}

/* The running mean, in which a call that was held up by something else has little weight. */
static void follow_mean(double *took, double ns)
{
    if (*took == 0)
        *took = ns;
    *took += RATE * ((ns < MOST * *took ? ns : MOST * *took) - *took);
}

static void end_trial(AnbShareRecord *record)
{
    if (record->took[!record->usual] < record->took[record->usual]) {
        record->usual = !record->usual;
        record->wait = AGAIN;
    } else if (record->wait < AGAIN_MOST) {
        record->wait *= 2;
    }
    record->trial = 0;
    record->until = record->wait;
    record->chosen = record->took[record->usual];
}

/* Some calls alone are enough for a trial. */
static bool trial_over(const AnbShareRecord *record)
{
    return record->trial >= TRIAL && (record->usual || record->lasted >= TRIAL_NS || record->trial >= TRIAL_MOST);
}

/* The usual way is no longer as good as it was. */
static void follow_usual(AnbShareRecord *record, double ns)
{
    follow_mean(&record->took[record->usual], ns);
    if (record->chosen == 0 || record->took[record->usual] < WORSE * record->chosen)
        return;
    record->chosen = record->took[record->usual];
    record->until = 0;
    record->wait = AGAIN;
}

void anb_share_took(AnbShareRecord *record, double ns, size_t samples)
{
    if (record->trial == 0) {
        follow_usual(record, ns);
        return;
    }
    follow_least(&record->took[!record->usual], ns);
    record->lasted += ns * (double)samples;
    if (trial_over(record))
        end_trial(record);
    else
        record->trial++;
}
