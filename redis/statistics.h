/* What the module counts, its settings, and the clock. */
#ifndef ANB_REDIS_STATISTICS_H
#define ANB_REDIS_STATISTICS_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct Statistics {
    _Atomic uint64_t trained, predicted, rejected, repeated, queued, retried, moved;
    _Atomic uint64_t inline_ns, worker_ns, longest_inline_ns;
} Statistics;
extern Statistics anb_statistics;
extern long long anb_inline_us, anb_max_model_bytes, anb_workers;
uint64_t anb_now_ns(void);

#endif
