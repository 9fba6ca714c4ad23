/* Letters in runs: "3n c 2t x". */
#include <anabranch/type.h>
#include <stdio.h>

/* The number in front of a letter: 1 where there is none, 0 for '*'; false over the limit or for a plain 0. */
static bool read_count(const char *text, size_t n, size_t *at, uint32_t *count)
{
    *count = 1;
    if (*at < n && text[*at] == '*') {
        *count = 0;
        ++*at;
        return true;
    }
    size_t first = *at;
    for (; *at < n && text[*at] >= '0' && text[*at] <= '9'; ++*at) {
        *count = (*at == first ? 0 : *count * 10) + (uint32_t)(text[*at] - '0');
        if (*count > ANB_RUNS_LETTERS)
            return false;
    }
    return *count > 0;
}

static int add(AnbRuns *runs, char letter, uint32_t n)
{
    int last = runs->count - 1;
    if (last >= 0 && runs->letter[last] == letter && runs->n[last] > 0 && n > 0) {
        runs->n[last] += n;
        return runs->n[last] > ANB_RUNS_LETTERS ? ANB_E_LIMIT : 0;
    }
    if (runs->count == ANB_RUNS_MAX)
        return ANB_E_LIMIT;
    runs->n[runs->count] = n;
    runs->letter[runs->count++] = letter;
    return 0;
}

int anb_runs_parse(const char *text, size_t n, const char *letters, AnbRuns *runs)
{
    size_t at = 0;
    if (!text || !letters || !runs)
        return ANB_E_ARGUMENT;
    memset(runs, 0, sizeof *runs);
    for (;;) {
        uint32_t count;
        while (at < n && (text[at] == ' ' || text[at] == '\t'))
            at++;
        if (at == n)
            return 0;
        if (!read_count(text, n, &at, &count) || at == n || text[at] == 0 || !strchr(letters, text[at]))
            return ANB_E_SYNTAX;
        int code = add(runs, text[at++], count);
        if (code)
            return code;
    }
}

size_t anb_runs_format(const AnbRuns *runs, char *out)
{
    size_t at = 0;
    AnbRuns merged = {0};
    for (int i = 0; i < runs->count; i++)
        add(&merged, runs->letter[i], runs->n[i]);
    out[0] = 0;
    for (int i = 0; i < merged.count; i++) {
        char count[12];
        snprintf(count, sizeof count, "%u", (unsigned)merged.n[i]);
        at += (size_t)snprintf(out + at, ANB_RUNS_TEXT - at, "%s%s%c", i > 0 ? " " : "",
                               merged.n[i] == 0   ? "*"
                               : merged.n[i] == 1 ? ""
                                                  : count,
                               merged.letter[i]);
    }
    return at;
}

size_t anb_runs_length(const AnbRuns *runs, int i, size_t n)
{
    size_t named = 0;
    if (runs->n[i] > 0)
        return runs->n[i];
    for (int k = 0; k < runs->count; k++)
        named += runs->n[k];
    return n > named ? n - named : 0;
}
