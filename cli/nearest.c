#include "nearest.h"
#include <stdio.h>
#include <string.h>

enum { LONGEST = 40 }; /* longer words have no nearest name */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance: letters to insert, remove or change. Both at most LONGEST bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[LONGEST + 1];
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t before = row[0]; /* of the row above, one to the left */
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t changed = before + (a[i - 1] != b[j - 1]);
            before = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

void nearest_try(Nearest *nearest, const char *name)
{
    if (strlen(nearest->word) > LONGEST || strlen(name) > LONGEST)
        return;
    size_t far = distance(nearest->word, name);
    if (nearest->name && far >= nearest->distance)
        return;
    nearest->name = name;
    nearest->distance = far;
}

const char *nearest_hint(const Nearest *nearest, char hint[HINT_SIZE])
{
    *hint = 0;
    if (nearest->name && nearest->distance <= 1 + strlen(nearest->word) / 4)
        snprintf(hint, HINT_SIZE, " (did you mean \"%s\"?)", nearest->name);
    return hint;
}
