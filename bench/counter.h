/* Instructions that this thread spent outside the kernel, where the machine counts them and lets us ask. */
#ifndef ANB_BENCH_COUNTER_H
#define ANB_BENCH_COUNTER_H

#include <stdint.h>

#if defined(__linux__)
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A counter that runs, or -1 (virtual machines often have none; perf_event_paranoid of 3 forbids it). */
static inline int bench_counter_open(void)
{
    struct perf_event_attr wanted = {
        .type = PERF_TYPE_HARDWARE, .size = sizeof wanted, .config = PERF_COUNT_HW_INSTRUCTIONS};
    wanted.exclude_kernel = 1;
    wanted.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0ul);
}

/* What it stands at; 0 where there is none. */
static inline double bench_counter_read(int counter)
{
    uint64_t count = 0;
    if (counter < 0 || read(counter, &count, sizeof count) != (ssize_t)sizeof count)
        return 0;
    return (double)count;
}
#else
static inline int bench_counter_open(void)
{
    return -1;
}

static inline double bench_counter_read(int counter)
{
    (void)counter;
    return 0;
}
#endif

#endif
