#include "ways.h"

enum { TRIAL = 4, TRIAL_MOST = 64, FIRST = 8, AGAIN = 64, AGAIN_MOST = 4096, ODD = 3 }; /* calls */
static const double TRIAL_NS = 200000; /* of a trial of sharing, whose threads take their time to wake */
static const double WORSE = 1.5;       /* times what a sample took: the other way is tried */
static const double ALIKE = 3, TRIED_RATE = .125;
static const double RATE = .25,
                    MOST = 2; /* of a running mean: its rate, and the largest value that enters, as a multiple of it */

static size_t class_of(size_t samples)
{
    size_t i = 0;
    for (; samples >= 4 && i + 1 < ANB_WAYS; samples /= 4)
        i++;
    return i;
}

static AnbWay begun(bool last, double tried, AnbWaysGain gain)
{
    AnbWay way = {.last = last, .usual = gain.gain > gain.wake, .until = FIRST, .wait = AGAIN};
    way.tried[last] = tried;
    return way;
}

AnbWay *anb_ways_of(AnbWays *ways, size_t samples, double tried, AnbWaysGain gain)
{
    AnbWay *way = &ways->way[class_of(samples)];
    if (!(gain.gain > 0))
        return NULL;
    if (way->wait == 0)
        *way = begun(false, tried, gain);
    double *mean = &way->tried[way->last];
    if (*mean == 0)
        *mean = tried;
    bool odd = *mean > ALIKE * tried || tried > ALIKE * *mean;
    way->odd = odd ? way->odd + 1 : 0;
    if (way->odd == ODD)
        *way = begun(way->last, tried, gain);
    else if (!odd)
        *mean += TRIED_RATE * (tried - *mean);
    return way;
}

double anb_way_ns(const AnbWay *way)
{
    double alone = way->tried[false], shared = way->tried[true];
    return shared > 0 && (alone == 0 || shared < alone) ? shared : alone;
}

bool anb_way_shared(AnbWay *way)
{
    if (way->trial == 0 && way->until-- == 0) {
        way->trial = 1;
        way->lasted = 0;
        way->took[!way->usual] = 0;
    }
    way->last = way->trial > 0 ? !way->usual : way->usual;
    return way->last;
}

void anb_way_put_off(AnbWay *way)
{
    way->last = false;
    way->until += way->trial == 0;
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

static void end_trial(AnbWay *way)
{
    if (way->took[!way->usual] < way->took[way->usual]) {
        way->usual = !way->usual;
        way->wait = AGAIN;
    } else if (way->wait < AGAIN_MOST) {
        way->wait *= 2;
    }
    way->trial = 0;
    way->until = way->wait;
    way->chosen = way->took[way->usual];
}

/* Some calls alone are enough for a trial. */
static bool trial_over(const AnbWay *way)
{
    return way->trial >= TRIAL && (way->usual || way->lasted >= TRIAL_NS || way->trial >= TRIAL_MOST);
}

/* The usual way is no longer as good as it was. */
static void follow_usual(AnbWay *way, double ns)
{
    follow_mean(&way->took[way->usual], ns);
    if (way->chosen == 0 || way->took[way->usual] < WORSE * way->chosen)
        return;
    way->chosen = way->took[way->usual];
    way->until = 0;
    way->wait = AGAIN;
}

void anb_way_took(AnbWay *way, double ns, size_t samples)
{
    if (way->trial == 0) {
        follow_usual(way, ns);
        return;
    }
    follow_least(&way->took[!way->usual], ns);
    way->lasted += ns * (double)samples;
    if (trial_over(way))
        end_trial(way);
    else
        way->trial++;
}
