/* Damage done to a stream on purpose: single wrong labels, sentinels, spikes, columns that carry nothing. */
#ifndef ANB_BENCH_DAMAGE_H
#define ANB_BENCH_DAMAGE_H

#include "streams.h"
#include <stdint.h>

/* A damaged copy of a stream, and what was damaged. */
typedef struct Dirty {
    Stream stream;
    unsigned char *row;  /* rows: 1 where the target or a cell is wrong */
    unsigned char *cell; /* rows x d: 1 where this cell is wrong */
    bool target;         /* the targets are what is wrong */
} Dirty;

typedef struct Damage {
    const char *name, *brief;
    bool target;    /* wrong targets */
    size_t columns; /* so many are added: no row is wrong */
    bool by_name;   /* only where it is asked for */
    void (*apply)(Dirty *dirty, uint64_t *random);
} Damage;

extern const Damage damages[];
extern const size_t n_damages;

/* A damaged copy of `clean`, the same for the same seed. False where there is no memory. */
bool dirty_make(const Damage *damage, const Stream *clean, uint64_t seed, Dirty *dirty);
void dirty_free(Dirty *dirty);

#endif
