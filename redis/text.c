/* Parses arguments: words, numbers, missing cells. */
#include "text.h"
#include <anabranch/anabranch.h>
#include <anabranch/number.h>

/* ASCII alone is folded, whatever the locale. */
static char folded(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool anb_word_is(const char *text, size_t n, const char *word)
{
    size_t i = 0;
    while (i < n && word[i] && folded(text[i]) == folded(word[i]))
        i++;
    return i == n && word[i] == 0;
}

bool anb_text_is(RedisModuleString *text, const char *wanted)
{
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    return anb_word_is(at, n, wanted);
}

bool anb_text_missing(const char *text, size_t n)
{
    static const char *const words[] = {"nan", "-nan", "+nan", "na"};
    bool found = n == 0;
    if (n > 0 && text[n - 1] <= '9') /* no letter: most cells */
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words && !found; i++)
        found = anb_word_is(text, n, words[i]);
    return found;
}

bool anb_text_number(RedisModuleString *text, double *value)
{
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    if (!anb_text_missing(at, n))
        return anb_number_parse_all(at, n, value) == 0;
    *value = ANB_NAN;
    return true;
}
