/*
 * The background of a key: rows with which explained predictions are compared. The n-th row that is learned replaces
 * one of `capacity` rows with probability capacity / min(n, span), decided by a hash of n. So the rows depend only on
 * the commands, and replicas and the log have the same ones. In the server's own files they are a note of the snapshot.
 */
#include "background.h"
#include "api.h"
#include <string.h>

enum { SPAN = 10000 };

const char anb_background_key[] = "anabranch.background";

size_t anb_background_bytes(const Background *background)
{
    return background ? anb_background_size(background->capacity, background->d) : 0;
}

Background *anb_background_new(size_t capacity, size_t d)
{
    size_t size = anb_background_size(capacity, d);
    Background *made = memset(RedisModule_Alloc(size), 0, size);
    made->capacity = capacity;
    made->d = d;
    return made;
}

Background *anb_background_copy(const Background *background)
{
    size_t size = anb_background_bytes(background);
    return size > 0 ? memcpy(RedisModule_Alloc(size), background, size) : NULL;
}

/* splitmix64: Steele, Lea & Flood 2014. */
static uint64_t hash(uint64_t n)
{
    n += 0x9e3779b97f4a7c15u;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
    n = (n ^ n >> 27) * 0x94d049bb133111ebu;
    return n ^ n >> 31;
}

void anb_background_add(Background *b, const double *x)
{
    if (!b)
        return;
    uint64_t n = b->seen++, among = b->seen < SPAN ? b->seen : SPAN, place = n;
    if (b->capacity > among)
        among = b->capacity;
    if (n >= b->capacity)
        place = hash(n) % among;
    if (place < b->capacity)
        memcpy(b->rows + place * b->d, x, b->d * sizeof *x);
}

size_t anb_background_used(const Background *b)
{
    return !b ? 0 : b->seen < b->capacity ? (size_t)b->seen : b->capacity;
}

/* ---- as a note --------------------------------------------------------------------------------------------------- */

/* u64 capacity | u64 rows seen | the rows that are there, n_features doubles each. */
size_t anb_background_note(const Background *b, unsigned char *out)
{
    uint64_t head[] = {b ? b->capacity : 0, b ? b->seen : 0};
    size_t rows = anb_background_used(b) * (b ? b->d : 0) * sizeof(double);
    if (!b)
        return 0;
    if (out) {
        memcpy(out, head, sizeof head);
        memcpy(out + sizeof head, b->rows, rows);
    }
    return sizeof head + rows;
}

Background *anb_background_of_note(const void *value, size_t size, size_t d)
{
    uint64_t head[2];
    if (size < sizeof head)
        return NULL;
    memcpy(head, value, sizeof head);
    uint64_t used = head[1] < head[0] ? head[1] : head[0];
    if (head[0] < 1 || head[0] > BACKGROUND_MAX || size != sizeof head + used * d * sizeof(double))
        return NULL;
    Background *b = anb_background_new((size_t)head[0], d);
    b->seen = head[1];
    memcpy(b->rows, (const char *)value + sizeof head, size - sizeof head);
    return b;
}
