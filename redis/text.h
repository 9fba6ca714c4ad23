/* Words and numbers in texts. */
#ifndef ANB_REDIS_TEXT_H
#define ANB_REDIS_TEXT_H

#include "api.h"
#include <stdbool.h>
#include <stddef.h>

/* Whether n bytes, or a text, are a word, in capitals or not. */
bool anb_word_is(const char *text, size_t n, const char *word);
bool anb_text_is(RedisModuleString *text, const char *wanted);
/* A missing cell of any column that is not a category: an empty text, nan with or without a sign, NA. */
bool anb_text_missing(const char *text, size_t n);
/* A number, a missing cell, or false. */
bool anb_text_number(RedisModuleString *text, double *value);

#endif
