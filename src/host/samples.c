/*
 * Samples of a call, learned or predicted in order. Where a type can learn for several models at once (ANB_STEPS_MANY),
 * samples that follow each other and whose models share a plan are done by one call of the type; all others are done
 * one by one. If models lie far apart, rows and models are prefetched some samples ahead.
 */
#include "samples.h"
#include "model.h"
#include "src/numeric/random.h"
#include <stddef.h>
#include <string.h>

enum { RUN = 64, AHEAD = 16, SURVEYED = 32, SEVERAL = 4, NEAR_BYTES = 1 << 21 /* what a core has in its own caches */ };

/* Prefetches a sample's row, its model's head, and the state, which follows the head. */
static inline void bring_near(const AnbSamples *s, size_t i)
{
    const char *head = (const char *)s->models[i];
    __builtin_prefetch(s->x[i]);
    __builtin_prefetch(head);
    __builtin_prefetch(head + 64);
    __builtin_prefetch(head + 128);
    __builtin_prefetch(head + 192);
}

static inline double one(const AnbSamples *s, size_t i)
{
    return s->y ? anb_train_one(s->models[i], s->x[i], s->y[i], s->weight ? s->weight[i] : 1)
                : anb_predict(s->models[i], s->x[i]);
}

/* The type's functions where it can learn these samples for several models at once, or NULL. */
static inline const AnbDirectTable *several(const AnbSamples *s, const AnbPlan *plan)
{
    bool can = s->y && !s->weight && plan->direct && plan->nodes->type->flags & ANB_STEPS_MANY;
    return can ? plan->direct : NULL;
}

/* Learns the first of at most RUN samples at once where the type can. Returns how many it learned; 0: none. */
static size_t step_several(const AnbSamples *s, const uint32_t *number, size_t n, double *predicted)
{
    const AnbPlan *plan = s->models[number[0]]->plan;
    const AnbDirectTable *table = several(s, plan);
    if (!table)
        return 0;
    AnbSteps steps = {.models = (void *const *)s->models,
                      .state = sizeof(StreamingLearner),
                      .counters = offsetof(StreamingLearner, counters),
                      .first = plan,
                      .x = s->x,
                      .y = s->y,
                      .number = number,
                      .n = n};
    return table->step_many(plan->nodes, &steps, predicted);
}

/* The first n of s->n samples, at most RUN. */
static void do_run(const AnbSamples *s, size_t n, double *predicted)
{
    uint32_t number[RUN];
    for (size_t i = 0; i < n; i++)
        number[i] = (uint32_t)i;
    for (size_t i = 0; s->spread && i < n; i++)
        bring_near(s, i + AHEAD < s->n ? i + AHEAD : s->n - 1);
    for (size_t i = 0; i < n;) {
        i += step_several(s, number + i, n - i, predicted + i);
        if (i < n) {
            predicted[i] = one(s, i);
            i++;
        }
    }
}

/* The samples from number `from` on. */
static AnbSamples samples_behind(AnbSamples s, size_t from)
{
    s.models += from;
    s.x += from;
    s.y = s.y ? s.y + from : NULL;
    s.weight = s.weight ? s.weight + from : NULL;
    s.out = s.out ? s.out + from : NULL;
    s.n -= from;
    return s;
}

void anb_samples_between(const AnbSamples *samples, size_t from, size_t to)
{
    double predicted[RUN];
    for (; from < to; from += RUN) {
        AnbSamples s = samples_behind(*samples, from);
        s.n = to - from;
        size_t n = s.n < RUN ? s.n : RUN;
        do_run(&s, n, predicted);
        for (size_t i = 0; s.out && i < n; i++)
            s.out[i] = predicted[i];
    }
}

/* Predictions are written together at the end, since other threads write into the same lines of the cache. */
void anb_samples_own(const AnbSamples *samples, AnbOwn *own, size_t n)
{
    double predicted[ANB_OWN_CHUNK], weight[ANB_OWN_CHUNK];
    AnbSamples s = {.models = own->models, .x = own->x, .n = own->n, .spread = samples->spread};
    s.y = samples->y ? own->y : NULL;
    s.weight = samples->weight ? weight : NULL;
    s.out = samples->out ? predicted : NULL;
    for (size_t i = own->n; i > 0 && i < own->n + ANB_OWN_SPARE; i++)
        own->models[i] = own->models[own->n - 1];
    for (size_t i = 0; s.weight && i < n; i++)
        weight[i] = samples->weight[own->number[i]];
    anb_samples_between(&s, 0, n);
    for (size_t i = 0; s.out && i < n; i++)
        samples->out[own->number[i]] = predicted[i];
}

void anb_samples_survey(AnbSamples *s)
{
    size_t step = s->n / SURVEYED + 1, surveyed = 0, sum = 0;
    uintptr_t low = UINTPTR_MAX, high = 0;
    s->read_only = s->brief = s->y == NULL;
    for (size_t i = 0; i < s->n; i += step, surveyed++) {
        const StreamingLearner *model = s->models[anb_one_of(i, s->n - i < step ? s->n - i : step)];
        uintptr_t at = (uintptr_t)model;
        low = at < low ? at : low;
        high = at > high ? at : high;
        sum += sizeof(StreamingLearner) + anb_block_bytes(model->plan);
        s->read_only = s->read_only && (model->plan->direct || model->plan->passing);
        s->brief = s->brief && model->plan->direct;
    }
    double bytes = (double)sum / (double)surveyed * (double)s->n;
    s->bytes = bytes < (double)(high - low) ? bytes : (double)(high - low);
    s->brief = s->brief && bytes > SEVERAL * s->bytes;
    anb_samples_divide(s, 1);
}

void anb_samples_divide(AnbSamples *s, size_t cores)
{
    s->spread = s->bytes / (double)cores > NEAR_BYTES;
}

static inline double look(const StreamingLearner *model, const double *x, AnbCounters *counters)
{
    return model->plan->direct ? anb_look(model, x, anb_unsure) : anb_predict_reading(model, x, counters);
}

static bool counted(const AnbCounters *counters)
{
    static const AnbCounters none;
    return memcmp(counters, &none, sizeof none) != 0;
}

/* Where anything was counted, all predictions are marked as unsure, since the model that it belongs to is unknown. */
size_t anb_samples_predict_reading(const AnbSamples *samples, size_t from, size_t to)
{
    const AnbSamples s = *samples;
    AnbCounters counters = {0};
    size_t unsure = 0;
    for (size_t i = from; i < to; i++) {
        if (s.spread)
            bring_near(&s, i + AHEAD < to ? i + AHEAD : to - 1);
        double f = look(s.models[i], s.x[i], &counters);
        s.out[i] = f - f == 0 ? f : ANB_NAN;
        unsure += f - f != 0;
    }
    if (!counted(&counters))
        return unsure;
    for (size_t i = from; i < to; i++)
        s.out[i] = ANB_NAN;
    return to - from;
}
