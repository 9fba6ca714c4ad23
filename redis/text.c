/* What the texts of arguments say: words, numbers, missing cells. */
#include "module.h"
#include <string.h>
#include <strings.h>

bool anb_text_is(RedisModuleString *text, const char *wanted)
{
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    return n == strlen(wanted) && strncasecmp(at, wanted, n) == 0;
}

bool anb_text_missing(const char *text, size_t n)
{
    static const char *const words[] = {"nan", "-nan", "+nan", "na"};
    bool found = n == 0;
    for (size_t i = 0; i < sizeof words / sizeof *words && !found; i++)
        found = n == strlen(words[i]) && strncasecmp(text, words[i], n) == 0;
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
