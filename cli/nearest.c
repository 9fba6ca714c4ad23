#include "nearest.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 40 }; /* longer words have no nearest name */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to insert, remove or change, or neighbours to swap (optimal string alignment). Capitals count as
 * small ones. Both at most LONGEST bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), rows[3][LONGEST + 1], *above = rows[0], *row = rows[1], *spare = rows[2];
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *two_above = above;
        above = row;
        row = spare;
        spare = two_above;
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            row[j] = least(above[j - 1] + !same(a[i - 1], b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], two_above[j - 2] + 1);
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
    size_t size = strlen(nearest->word), most = size > 2 ? 1 + size / 4 : 0; /* a short word is near to any other */
    *hint = 0;
    if (nearest->name && nearest->distance <= most)
        snprintf(hint, HINT_SIZE, " (did you mean \"%s\"?)", nearest->name);
    return hint;
}
