/*
 * Memory for what lives only while a model is being made: taken in pieces, given back at once.
 */
#ifndef ANB_SRC_ARENA_H
#define ANB_SRC_ARENA_H

#include <anabranch/types.h>

typedef struct AnbChunk AnbChunk;

typedef struct AnbArena {
    const AnbAllocator *allocator;
    AnbChunk *chunks;
} AnbArena;

/* size zeroed bytes, aligned for any type, or NULL where memory is out. */
void *anb_arena_take(AnbArena *arena, size_t size);
/* The first n bytes of text, terminated. */
char *anb_arena_text(AnbArena *arena, const char *text, size_t n);
void anb_arena_free(AnbArena *arena);

#endif
