/* Words in texts that have no end of their own. */
#ifndef ANB_TEXT_WORDS_H
#define ANB_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Whether the n bytes of a text are the word. */
static inline bool anb_same_word(const char *word, const char *text, size_t n)
{
    return strlen(word) == n && memcmp(word, text, n) == 0;
}

/* The small letter of an ASCII capital; other bytes as they are, whatever the locale. */
static inline char anb_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
