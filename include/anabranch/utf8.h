/*
 * Characters of UTF-8: for programs that write names or messages as JSON, which has to be UTF-8.
 *
 * Since 0.14.
 */
#ifndef ANABRANCH_UTF8_H
#define ANABRANCH_UTF8_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The length of a character (Unicode 15, table 3-7: no overlong forms, no surrogates).
 *
 * @param p  where it begins, in a text that ends with 0; no byte behind that 0 is read
 * @return   1 to 4 bytes, 1 for the final 0; 0 where no character begins
 */
static inline size_t anb_utf8_character(const unsigned char *p)
{
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    unsigned char least = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    unsigned char most = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < n; i++, least = 0x80, most = 0xbf)
        if (p[i] < least || p[i] > most)
            return 0;
    return n;
}

#ifdef __cplusplus
}
#endif
#endif
