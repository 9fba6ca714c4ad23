/*
 * Memory for data that are needed only while a model is made: allocated in pieces, freed together.
 */
#ifndef ANB_HOST_ARENA_H
#define ANB_HOST_ARENA_H

#include <anabranch/types.h>

typedef struct AnbChunk AnbChunk;

/* More than any tree within the limits takes; it bounds the memory for a short text with presets in presets. */
enum { ANB_ARENA_MAX = 64 << 20 };

typedef struct AnbArena {
    const AnbAllocator *allocator;
    AnbChunk *chunks;
    size_t bytes; /* taken so far */
} AnbArena;

/* size zeroed bytes, aligned for any type, or NULL where memory is out. */
void *anb_arena_take(AnbArena *arena, size_t size);
/* The first n bytes of text, terminated. */
char *anb_arena_text(AnbArena *arena, const char *text, size_t n);
void anb_arena_free(AnbArena *arena);

#endif
