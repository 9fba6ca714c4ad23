/*
 * XXH64: 64 bits of any bytes, the same on every machine.
 */
#ifndef ANB_TEXT_HASH_H
#define ANB_TEXT_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of n bytes with seed 0; the bytes are read little-endian. */
uint64_t anb_hash(const void *bytes, size_t n);

#endif
