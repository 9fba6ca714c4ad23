#include "ring.h"

/* No stream is as long as 2^62 items. */
static uint64_t most(const AnbNode *self)
{
    (void)self;
    return (UINT64_C(1) << 62) - 1;
}

const AnbField anb_ring_fields[] = {{ANB_MEMBER(AnbRing, pushed), .most = most}, {0}};
