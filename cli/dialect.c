#include "dialect.h"
#include <string.h>

static const char candidates[] = ",;\t|";
enum { CANDIDATES = sizeof candidates - 1 };

static bool separates(char c, char delimiter)
{
    if (delimiter == BLANKS)
        return c == ' ' || c == '\t';
    return delimiter ? c == delimiter : c != 0 && strchr(candidates, c) != NULL;
}

enum Place next_place(enum Place place, char c, char delimiter)
{
    if (place == QUOTED)
        return c == '"' ? QUOTE : QUOTED;
    if (c == '"' && place != PLAIN)
        return QUOTED;
    if (separates(c, delimiter) || c == '\n')
        return CELL;
    return place == CELL && is_blank(c, delimiter) ? CELL : PLAIN;
}

/* How often each candidate stands outside quotes, and in the last place how many words there are between blanks. */
static void count_candidates(const char *p, size_t n, size_t *count)
{
    bool word = false;
    memset(count, 0, (CANDIDATES + 1) * sizeof *count);
    enum Place place = CELL;
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < CANDIDATES && place != QUOTED; c++)
            count[c] += p[i] == candidates[c];
        bool blank = place != QUOTED && is_blank(p[i], 0);
        count[CANDIDATES] += !blank && !word;
        word = !blank;
        place = next_place(place, p[i], 0);
    }
}

static char most_frequent(const size_t *one, const size_t *two)
{
    int best = -1;
    for (int c = 0; c < CANDIDATES; c++)
        if (one[c] > 0 && one[c] == two[c] && (best < 0 || one[c] > one[best]))
            best = c;
    return best < 0 ? 0 : candidates[best];
}

char guess_delimiter(const char *first, size_t n1, const char *second, size_t n2)
{
    size_t one[CANDIDATES + 1], two[CANDIDATES + 1];
    count_candidates(first, n1, one);
    count_candidates(second, n2, two);
    char both = second ? most_frequent(one, two) : 0;
    if (!both)
        both = most_frequent(one, one);
    if (!both)
        both = one[CANDIDATES] > 1 && (!second || one[CANDIDATES] == two[CANDIDATES]) ? BLANKS : ',';
    return both;
}

bool can_delimit(char c)
{
    return c && (unsigned char)c < 128 && !strchr("\"\r\n.-+", c) && (c < '0' || c > '9');
}

char named_delimiter(const char *line, size_t n)
{
    if (n > 1 && line[0] == '"' && line[n - 1] == '"') {
        line++;
        n -= 2;
    }
    if (n == 6 && memcmp(line, "sep=\\t", 6) == 0)
        return '\t';
    return n == 5 && memcmp(line, "sep=", 4) == 0 && can_delimit(line[4]) ? line[4] : 0;
}
