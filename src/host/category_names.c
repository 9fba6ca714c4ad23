/*
 * Names of categories in bounded memory, in sets of 8 by a hash of the category's number. When a set is full the least
 * frequent name is replaced, and the new one inherits its count, so that a frequent name stays (space saving: Metwally,
 * Agrawal & El Abbadi 2005).
 */
#include "schema.h"
#include "src/text/bits.h"
#include "src/text/given.h"
#include <anabranch/features.h>
#include <anabranch/number.h>
#include <stdio.h>
#include <string.h>

enum { WAYS = 8, SETS = 16, TEXT = ANB_CATEGORY_NAME - 4, HOURS = 24, WEEK_HOURS = 168 };

typedef struct Entry {
    uint64_t key; /* 0: free */
    uint32_t count;
    char text[TEXT];
} Entry;

struct AnbCategoryNames {
    AnbSchema *schema;
    AnbAllocator allocator;
    Entry *entries;   /* SETS * WAYS for each column that has a place */
    uint32_t place[]; /* of each column, from 1; 0: it holds no categories */
};

static bool holds_categories(const AnbColumn *column)
{
    return column->kind == ANB_COLUMN_CATEGORY || column->kind == ANB_COLUMN_CODE;
}

AnbCategoryNames *anb_category_names_new(const AnbSchema *schema, AnbError *error)
{
    if (!anb_given(schema, "schema", error))
        return NULL;
    size_t n = anb_schema_size(schema), places = 0;
    for (size_t i = 0; i < n; i++)
        places += holds_categories(&anb_schema_columns(schema)[i]);
    size_t head = (sizeof(AnbCategoryNames) + n * sizeof(uint32_t) + 7) / 8 * 8;
    size_t bytes = head + places * SETS * WAYS * sizeof(Entry);
    AnbCategoryNames *names = schema->allocator.alloc(bytes, schema->allocator.context);
    if (!names) {
        anb_fail(error, ANB_E_MEMORY, "out of memory for the names of categories");
        return NULL;
    }
    memset(names, 0, bytes);
    names->schema = anb_schema_keep(schema);
    names->allocator = schema->allocator;
    names->entries = (Entry *)((char *)names + head);
    for (size_t i = 0, next = 1; i < n; i++)
        names->place[i] = holds_categories(&anb_schema_columns(schema)[i]) ? (uint32_t)next++ : 0;
    return names;
}

void anb_category_names_free(AnbCategoryNames *names)
{
    if (!names)
        return;
    AnbAllocator allocator = names->allocator;
    anb_schema_drop(names->schema);
    allocator.free(names, allocator.context);
}

static Entry *set_of(const AnbCategoryNames *names, size_t column, uint64_t key)
{
    size_t set = (size_t)(key * 0x9e3779b97f4a7c15 >> 32) % SETS; /* Knuth 1998, multiplicative hashing */
    return names->entries + ((names->place[column] - 1) * (size_t)SETS + set) * WAYS;
}

/* The entry of the key in a set, or NULL. */
static Entry *find(Entry *set, uint64_t key)
{
    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

static Entry *least(Entry *set)
{
    Entry *victim = set;
    for (int i = 1; i < WAYS; i++)
        if (set[i].count < victim->count)
            victim = &set[i];
    return victim;
}

/* Copies as much of a text as fits, without cutting a character of UTF-8. */
static void put_text(char *to, const char *text, size_t n)
{
    size_t kept = n < TEXT ? n : TEXT - 1;
    while (kept < n && kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80)
        kept--;
    memcpy(to, text, kept);
    to[kept] = 0;
}

void anb_category_names_keep(AnbCategoryNames *names, size_t column, const char *text, size_t n, double cell)
{
    if (column >= anb_schema_size(names->schema) || names->place[column] == 0 || n == 0 || cell != cell)
        return;
    uint64_t key = anb_to_bits(cell);
    Entry *set = set_of(names, column, key), *entry = find(set, key);
    if (!entry && cell >= 0x1p52) {
        entry = least(set);
        entry->key = key;
        put_text(entry->text, text, n);
    }
    if (entry && entry->count < UINT32_MAX)
        entry->count++;
}

static const char *hour_of_week(double hour, char *out)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    bool known = hour >= 0 && hour < WEEK_HOURS;
    int h = known ? (int)hour : 0;
    if (!known)
        return strcpy(out, "(missing)");
    snprintf(out, ANB_CATEGORY_NAME, "%s %02d:00", days[h / HOURS], h % HOURS);
    return out;
}

const char *anb_category_name(const AnbCategoryNames *names, size_t column, double cell, char *out)
{
    bool known = column < anb_schema_size(names->schema);
    if (known && anb_schema_columns(names->schema)[column].kind == ANB_COLUMN_TIME)
        return hour_of_week(cell, out);
    if (cell != cell || cell == anb_category(NULL, 0))
        return strcpy(out, "(missing)");
    if (cell < 0x1p52) {
        anb_number_format(cell, out);
        return out;
    }
    uint64_t key = anb_to_bits(cell);
    const Entry *entry = known && names->place[column] ? find(set_of(names, column, key), key) : NULL;
    return strcpy(out, entry ? entry->text : "(not known)");
}
