#include "arena.h"
#include <stddef.h>
#include <string.h>

enum { CHUNK = 4096 };

struct AnbChunk {
    AnbChunk *next;
    size_t used, size;
    max_align_t memory[];
};

static size_t aligned(size_t size)
{
    return (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

static AnbChunk *add_chunk(AnbArena *arena, size_t size)
{
    size_t room = size > CHUNK ? size : CHUNK;
    if (room > ANB_ARENA_MAX - arena->bytes)
        return NULL;
    AnbChunk *chunk = arena->allocator->alloc(sizeof *chunk + room, arena->allocator->context);
    if (!chunk)
        return NULL;
    *chunk = (AnbChunk){.next = arena->chunks, .size = room};
    arena->chunks = chunk;
    arena->bytes += room;
    return chunk;
}

void *anb_arena_take(AnbArena *arena, size_t size)
{
    AnbChunk *chunk = arena->chunks;
    size = aligned(size > 0 ? size : 1);
    if (!chunk || chunk->size - chunk->used < size)
        chunk = add_chunk(arena, size);
    if (!chunk)
        return NULL;
    void *memory = (char *)chunk->memory + chunk->used;
    chunk->used += size;
    return memset(memory, 0, size);
}

char *anb_arena_text(AnbArena *arena, const char *text, size_t n)
{
    char *copy = anb_arena_take(arena, n + 1);
    return copy ? memcpy(copy, text, n) : NULL;
}

void anb_arena_free(AnbArena *arena)
{
    while (arena->chunks) {
        AnbChunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        arena->allocator->free(chunk, arena->allocator->context);
    }
}
