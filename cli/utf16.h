/* UTF-16 with a byte order mark becomes UTF-8. */
#ifndef ANB_CLI_UTF16_H
#define ANB_CLI_UTF16_H

#include <stdbool.h>
#include <stddef.h>

enum { UTF16_BYTES = 1 << 14 };

typedef struct Utf16 {
    bool on, big; /* whether the text is UTF-16; its high bytes first */
    size_t held;  /* bytes that were read and not yet turned: less than one character */
    unsigned char bytes[UTF16_BYTES + 4];
} Utf16;

/* Whether the first two bytes of a text are the mark; then `on` is set. */
bool utf16_begins(Utf16 *wide, const char *bytes);

/**
 * Turns all whole characters of the first n bytes of wide->bytes; what is left stays at the front.
 *
 * @param out  room for 2 n bytes
 * @return     how many bytes were written; -1: half a surrogate pair
 */
long utf16_turn(Utf16 *wide, size_t n, char *out);

#endif
