/* Compressed bytes as they come in, plain bytes out: gzip by zlib, zstd by its library; both may be absent. */
#ifndef ANB_CLI_UNPACK_H
#define ANB_CLI_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Unpacker Unpacker;

enum { UNPACK_DAMAGED = -1, UNPACK_FOREIGN = -2 /* something else behind the end of the compressed data */ };

/**
 * Looks whether the first bytes of a file are of a compressed format.
 *
 * @param bytes    the first n bytes
 * @param name     of the file, for the complaint
 * @param unpacker set to what reads it, or NULL where the bytes are plain
 * @return         0; else the complaint was made: a format that is named but not read, or no memory
 */
int unpack_start(const unsigned char *bytes, size_t n, const char *name, Unpacker **unpacker);
void unpack_end(Unpacker *unpacker);

/**
 * Unpacks what it can.
 *
 * @param used  how many of the n bytes were taken
 * @return      how many bytes were written to out (up to room); UNPACK_DAMAGED, UNPACK_FOREIGN
 */
long unpack(Unpacker *unpacker, const unsigned char *bytes, size_t n, size_t *used, char *out, size_t room);

/* Whether the file may end here: behind a whole member or frame. */
bool unpack_complete(const Unpacker *unpacker);

#endif
