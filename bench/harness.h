/* Timing: the minimum over repeats, since everything that disturbs only adds. */
#ifndef ANB_BENCH_HARNESS_H
#define ANB_BENCH_HARNESS_H

#include "counter.h"
#include "record.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* `count` runs of what is measured. */
typedef void (*BenchRun)(void *context, size_t count);

static inline double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Time that this thread had the processor: for runs long enough that others will have had it too. Some 300 ns
 * to ask. */
static inline double bench_own(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double bench_once(BenchRun run, void *context, size_t count)
{
    double start = bench_now();
    run(context, count);
    return bench_now() - start;
}

/* How many runs take about `ns` nanoseconds, 1 to 2^20. */
static inline size_t bench_count(BenchRun run, void *context, double ns)
{
    size_t count = 1;
    while (count < 1u << 20 && bench_once(run, context, count) < ns / 2)
        count *= 2;
    return count;
}

/* One of several things measured against each other. */
typedef struct BenchItem {
    BenchRun run;
    void *context;
    double best;         /* out: ns a run */
    double instructions; /* out: of a run, the least; 0 where they cannot be counted */
    size_t count;
} BenchItem;

/* One repeat of one item. */
static inline void bench_item(BenchItem *item, int counter)
{
    double before = bench_counter_read(counter), each = bench_once(item->run, item->context, item->count);
    double spent = (bench_counter_read(counter) - before) / (double)item->count;
    each /= (double)item->count;
    item->best = each < item->best ? each : item->best;
    item->instructions = spent < item->instructions ? spent : item->instructions;
}

/*
 * Measures the items in turn, A B A B, so that a slow moment of the machine meets them all; keeps each one's minimum.
 * Their counts are set. `counter`: from bench_counter_open, -1: none.
 */
static inline void bench_turns(BenchItem *items, size_t n, int repeats, int counter)
{
    for (size_t i = 0; i < n; i++)
        items[i].best = items[i].instructions = 1e300;
    for (int r = 0; r < repeats; r++)
        for (size_t i = 0; i < n; i++)
            bench_item(&items[i], counter);
}

/* As bench_turns, with each item run so often that it takes about `ns` nanoseconds. */
static inline void bench_all(BenchItem *items, size_t n, int repeats, double ns, int counter)
{
    for (size_t i = 0; i < n; i++)
        items[i].count = bench_count(items[i].run, items[i].context, ns);
    bench_turns(items, n, repeats, counter);
}

/* "  123.4", or a dash where there is nothing (0). */
static inline void bench_cell(FILE *out, double value, const char *unit)
{
    if (value > 0)
        fprintf(out, " %10.*f%s", value < 100 ? 1 : 0, value, unit);
    else
        fprintf(out, " %10s%*s", "-", (int)(unit[0] != 0), "");
}

#endif
