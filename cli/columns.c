#include "columns.h"
#include "cli.h"
#include "nearest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns by a name: how many, and the first of them. */
static size_t named(const Table *table, const char *name, bool *chosen, size_t *first)
{
    size_t count = 0;
    for (size_t i = table->columns; i-- > 0;)
        if (strcmp(table->names[i], name) == 0) {
            *first = i;
            count++;
            if (chosen)
                chosen[i] = true;
        }
    return count;
}

/* 3 and #3 are the third column. */
static bool numbered(const Table *table, const char *word, size_t *found)
{
    const char *digits = word + (*word == '#');
    char *end;
    unsigned long long number = strtoull(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end || number < 1 || number > table->columns)
        return false;
    *found = (size_t)number - 1;
    return true;
}

static int unknown(const Table *table, const char *word, const char *what)
{
    char names[200] = "", hint[HINT_SIZE];
    size_t size = 0, shown = 0;
    Nearest nearest = {.word = word};
    for (size_t i = 0; i < table->columns && !strchr("#0123456789", *word); i++)
        nearest_try(&nearest, table->names[i]);
    for (; shown < table->columns && size + strlen(table->names[shown]) + 8 < sizeof names; shown++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", shown ? ", " : "", table->names[shown]);
    return complain(BAD_USE, "%s: %s \"%s\" is not the name of a column%s, nor a number from 1 to %zu; there are %s%s",
                    table->name, what, word, nearest_hint(&nearest, hint), table->columns, names,
                    shown < table->columns ? ", ..." : "");
}

/* Takes the next item of a list, without its quotes, into room; false at the end. */
static bool next_item(const char **list, char *room)
{
    const char *p = *list;
    if (!p)
        return false;
    while (*p == ' ')
        p++;
    if (*p == '"') {
        for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
            *room++ = *p;
            p += *p == '"';
        }
        p += strcspn(p, ",");
    } else {
        while (*p && *p != ',')
            *room++ = *p++;
    }
    *room = 0;
    *list = *p == ',' ? p + 1 : NULL;
    return true;
}

static int choose(const Table *table, const char *word, const char *what, bool *chosen)
{
    size_t at;
    if (named(table, word, chosen, &at) > 0)
        return 0;
    if (!numbered(table, word, &at))
        return unknown(table, word, what);
    chosen[at] = true;
    return 0;
}

int columns_choose(const Table *table, const char *list, const char *what, bool *chosen)
{
    size_t at;
    if (!list || named(table, list, chosen, &at) > 0)
        return 0;
    char *item = malloc(strlen(list) + 1);
    int status = item ? 0 : complain(BAD_DATA, "out of memory");
    while (!status && next_item(&list, item))
        status = choose(table, item, what, chosen);
    free(item);
    return status;
}

int columns_find(const Table *table, const char *word, const char *what, size_t *found)
{
    size_t count = named(table, word, NULL, found);
    char *item = malloc(strlen(word) + 1);
    const char *rest = word;
    if (item && count == 0 && next_item(&rest, item) && !rest)
        count = named(table, item, NULL, found);
    free(item);
    if (count == 1 || (count == 0 && numbered(table, word, found)))
        return 0;
    if (count == 0)
        return unknown(table, word, what);
    size_t second = *found + 1;
    while (strcmp(table->names[second], table->names[*found]) != 0)
        second++;
    return complain(BAD_USE, "%s: %s \"%s\" is the name of several columns; by number: #%zu, #%zu%s", table->name, what,
                    word, *found + 1, second + 1, count > 2 ? ", ..." : "");
}

bool columns_distinct(const Table *table, size_t i)
{
    size_t first;
    return *table->names[i] && named(table, table->names[i], NULL, &first) == 1;
}

const char *columns_word(const Table *table, size_t i, char *room)
{
    const char *name = table->names[i];
    bool plain = strlen(name) < 60 && !strpbrk(name, " ,\"'#$\\") && columns_distinct(table, i);
    snprintf(room, 64, plain ? "%.60s" : "%.0s%zu", name, i + 1);
    return room;
}
