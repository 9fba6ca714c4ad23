/* What the module counts, its settings, and its clock. */
#include "statistics.h"
#include <time.h>

Statistics anb_statistics;
long long anb_inline_us = 500, anb_max_model_bytes = (long long)1 << 30, anb_workers = 2;

uint64_t anb_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
