/* Rows that were learned, with which explained predictions are compared. */
#ifndef ANB_REDIS_BACKGROUND_H
#define ANB_REDIS_BACKGROUND_H

#include <anabranch/anabranch.h>
#include <stddef.h>
#include <stdint.h>

/* Rows that predictions are explained against: background.c. */
enum { BACKGROUND_MAX = 4096 };
typedef struct Background {
    size_t capacity, d;
    uint64_t seen;
    double rows[];
} Background;

extern const char anb_background_key[];
Background *anb_background_new(size_t capacity, size_t d);
/* Bytes of a background of `capacity` rows of d numbers. */
static inline size_t anb_background_size(size_t capacity, size_t d)
{
    return sizeof(Background) + capacity * d * sizeof(double);
}
/* NULL of NULL. */
Background *anb_background_copy(const Background *background);
size_t anb_background_bytes(const Background *background);
/* Adds a learned row; NULL is fine. */
void anb_background_add(Background *background, const double *x);
/* Rows that are there. */
size_t anb_background_used(const Background *background);
/* Writes its note and returns the size in bytes; out NULL: only the size. 0 for NULL. */
size_t anb_background_note(const Background *background, unsigned char *out);
/* NULL where the bytes are none of rows of d cells. */
Background *anb_background_of_note(const void *value, size_t size, size_t d);

#endif
