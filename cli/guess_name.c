#include "guess_name.h"
#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { WORD = 24 };

static bool is_among(const char *const *words, const char *word)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

/* Puts the next word of the name into `word` in small letters, cut to its room. Returns what follows, or NULL. */
static const char *next_word(const char *at, char *word)
{
    size_t n = 0;
    while (*at && !isalpha((unsigned char)*at))
        at++;
    if (!*at)
        return NULL;
    for (bool small = false; isalpha((unsigned char)*at); at++) {
        if (small && isupper((unsigned char)*at))
            break;
        small = islower((unsigned char)*at) != 0;
        if (n + 1 < WORD)
            word[n++] = (char)tolower((unsigned char)*at);
    }
    word[n] = 0;
    return at;
}

bool guess_name_is_code(const char *name)
{
    static const char *const marks[] = {"id",     "ids",      "code", "key",     "nr",  "no",  "uid",
                                        "userid", "itemid",   "zip",  "zipcode", "plz", "sku", "isbn",
                                        "ean",    "postcode", "fips", "asin",    NULL};
    static const char *const things[] = {
        "user",    "customer", "client", "buyer",   "seller",   "vendor", "merchant",  "supplier",  "agent",
        "company", "employer", "person", "student", "teacher",  "pupil",  "lecturer",  "professor", "school",
        "course",  "patient",  "doctor", "nurse",   "hospital", "player", "team",      "driver",    "rider",
        "item",    "product",  "store",  "shop",    "movie",    "film",   "book",      "track",     "artist",
        "author",  "station",  "device", "machine", "vehicle",  "flight", "household", "subject",   NULL};
    static const char *const times[] = {"year", "month", "week", "day", "date", "hour", "minute", "time", NULL};
    char word[WORD] = "";
    bool time = false;
    for (const char *at = name; (at = next_word(at, word)) != NULL;)
        time |= is_among(times, word);
    return !time && (is_among(marks, word) || is_among(things, word));
}

bool guess_name_is_time(const char *name)
{
    static const char *const words[] = {"time",    "times",    "timestamp", "timestamps", "ts",  "t",
                                        "date",    "datetime", "clock",     "when",       "at",  "on",
                                        "created", "updated",  "epoch",     "unix",       "utc", "since",
                                        "start",   "begin",    "end",       "until",      NULL};
    char word[WORD] = "";
    for (const char *at = name; (at = next_word(at, word)) != NULL;)
        if (is_among(words, word))
            return true;
    return false;
}
