/* Schemas: made once, in one piece of memory, and shared. */
#include "schema.h"
#include "plan.h"
#include "src/text/hash.h"
#include "src/text/sized.h"
#include "src/text/given.h"
#include "src/text/words.h"

enum { COLUMNS_MAX = 1 << 20 };

static const char *const kinds[] = {"number", "category", "code", "boolean", "time", "ignored"};
static const char *const times[] = {"time", "time-dmy", "time-mdy"};
static const char usual_missing[] = "na|n/a|#n/a|nan|null|none|?|-";

static const AnbSchemaOptions usual = {.size = sizeof usual, .missing = usual_missing, .decimal = '.'};

void anb_schema_options_init(AnbSchemaOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

int anb_schema_options_take(const AnbSchemaOptions *given, AnbSchemaOptions *own, AnbError *error)
{
    *own = usual;
    int code = given ? anb_sized_take("a schema", own, sizeof *own, given, error) : 0;
    return code ? code : anb_allocator_check(own->allocator, error);
}

int anb_column_kind(const char *word, size_t n, AnbColumn *column)
{
    if (!word || !column)
        return ANB_E_ARGUMENT;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (anb_same_word(kinds[k], word, n)) {
            column->kind = (AnbColumnKind)k;
            column->order = ANB_TIME_YMD;
            return 0;
        }
    for (size_t k = 0; k < sizeof times / sizeof *times; k++)
        if (anb_same_word(times[k], word, n)) {
            column->kind = ANB_COLUMN_TIME;
            column->order = (AnbTimeOrder)k;
            return 0;
        }
    return ANB_E_UNKNOWN;
}

const char *anb_column_word(const AnbColumn *column)
{
    return column->kind == ANB_COLUMN_TIME ? times[column->order] : kinds[column->kind];
}

/* ---- the compact text ------------------------------------------------------------------------------------------- */

/* A text of unknown length: counted where `out` is NULL. */
typedef struct Writer {
    char *out;
    size_t n;
} Writer;

static void put(Writer *w, const char *text, size_t n)
{
    if (w->out && n > 0)
        memcpy(w->out + w->n, text, n);
    w->n += n;
}

static void put_text(Writer *w, const char *text)
{
    put(w, text, strlen(text));
}

/* Writes a name, in quotes where it holds a character that ends a name, or begins like a comment of a file. */
static void put_name(Writer *w, const char *name)
{
    if (*name && *name != '#' && !strpbrk(name, " \t\r\n\v\f:=\"")) {
        put_text(w, name);
        return;
    }
    put(w, "\"", 1);
    for (const char *c = name; *c; c++)
        put(w, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    put(w, "\"", 1);
}

static size_t write_text(const AnbColumn *columns, size_t n, const AnbSchemaOptions *options, char *out)
{
    Writer w = {.out = out};
    for (size_t j = 0; j < n; j++) {
        put(&w, " ", j > 0);
        put_name(&w, columns[j].name);
        if (columns[j].kind != ANB_COLUMN_NUMBER) {
            put(&w, ":", 1);
            put_text(&w, anb_column_word(&columns[j]));
        }
    }
    if (strcmp(options->missing, usual_missing) != 0) {
        put_text(&w, " missing=");
        put_name(&w, options->missing);
    }
    if (options->decimal == ',')
        put_text(&w, " decimal=,");
    put(&w, "", 1);
    return w.n;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static int refuse(const AnbColumn *columns, size_t n, const AnbSchemaOptions *options, AnbError *error)
{
    if (n == 0 || n > COLUMNS_MAX)
        return anb_fail(error, ANB_E_LIMIT, "a schema has 1 to %d columns, not %zu", COLUMNS_MAX, n);
    if (!anb_given(columns, "columns", error))
        return ANB_E_ARGUMENT;
    if (!options->missing || (options->decimal != '.' && options->decimal != ','))
        return anb_fail(error, ANB_E_ARGUMENT, "the decimal mark of a schema is '.' or ',', its missing words a text");
    for (size_t j = 0; j < n; j++) {
        bool known = columns[j].kind >= ANB_COLUMN_NUMBER && columns[j].kind <= ANB_COLUMN_IGNORED &&
                     columns[j].order >= ANB_TIME_YMD && columns[j].order <= ANB_TIME_MDY;
        if (!columns[j].name || !known)
            return anb_fail(error, ANB_E_ARGUMENT, "column %zu of the schema has %s", j + 1,
                            columns[j].name ? "an unknown kind" : "no name (NULL)");
    }
    return 0;
}

static size_t slots_for(size_t n)
{
    size_t slots = 8;
    while (slots < 2 * n)
        slots *= 2;
    return slots;
}

static size_t longest_word(const char *words)
{
    size_t longest = 0;
    for (size_t n; *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* Where a name stands in the index, or the free place for it. */
static size_t place_of(const AnbSchema *s, const char *name, size_t n)
{
    size_t at = anb_hash(name, n) & (s->slots - 1);
    while (s->index[at] && !anb_same_word(s->columns[s->index[at] - 1].name, name, n))
        at = (at + 1) & (s->slots - 1);
    return at;
}

/* Copies names and texts behind the index; the columns are the caller's. */
static void fill(AnbSchema *s, const AnbColumn *columns, const AnbSchemaOptions *options)
{
    char *at = (char *)(s->index + s->slots);
    for (size_t j = 0; j < s->n; j++) {
        size_t n = strlen(columns[j].name) + 1;
        s->columns[j] = columns[j];
        s->columns[j].name = memcpy(at, columns[j].name, n);
        at += n;
        s->typed |= anb_column_is_typed(&columns[j]);
        size_t place = place_of(s, columns[j].name, n - 1);
        if (!s->index[place])
            s->index[place] = (uint32_t)j + 1;
    }
    s->missing = strcpy(at, options->missing);
    s->missing_longest = longest_word(options->missing);
    s->decimal = options->decimal;
    at += strlen(at) + 1;
    write_text(columns, s->n, options, at);
    s->text = at;
}

AnbSchema *anb_schema_new(const AnbColumn *columns, size_t n, const AnbSchemaOptions *options, AnbError *error)
{
    AnbSchemaOptions chosen;
    if (anb_schema_options_take(options, &chosen, error) != 0 || refuse(columns, n, &chosen, error) != 0)
        return NULL;
    AnbAllocator allocator = *anb_allocator_of(&(AnbModelOptions){.allocator = chosen.allocator});
    size_t slots = slots_for(n), bytes = sizeof(AnbSchema) + n * sizeof(AnbColumn) + slots * sizeof(uint32_t);
    for (size_t j = 0; j < n; j++)
        bytes += strlen(columns[j].name) + 1;
    bytes += strlen(chosen.missing) + 1 + write_text(columns, n, &chosen, NULL);
    AnbSchema *s = allocator.alloc(bytes, allocator.context);
    if (!s) {
        anb_fail(error, ANB_E_MEMORY, "no memory for a schema of %zu bytes", bytes);
        return NULL;
    }
    memset(s, 0, bytes);
    *s = (AnbSchema){.references = 1, .allocator = allocator, .n = n, .slots = slots, .bytes = bytes};
    s->columns = (AnbColumn *)(s + 1);
    s->index = (uint32_t *)(s->columns + n);
    fill(s, columns, &chosen);
    return s;
}

AnbSchema *anb_schema_keep(const AnbSchema *schema)
{
    AnbSchema *shared = (AnbSchema *)(uintptr_t)schema; /* only the count changes */
    if (shared)
        atomic_fetch_add(&shared->references, 1);
    return shared;
}

void anb_schema_drop(AnbSchema *schema)
{
    if (schema && atomic_fetch_sub(&schema->references, 1) == 1)
        schema->allocator.free(schema, schema->allocator.context);
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

size_t anb_schema_size(const AnbSchema *schema)
{
    return schema->n;
}

const AnbColumn *anb_schema_columns(const AnbSchema *schema)
{
    return schema->columns;
}

const char *anb_schema_text(const AnbSchema *schema)
{
    return schema->text;
}

bool anb_schema_is_typed(const AnbSchema *schema)
{
    return schema->typed;
}

bool anb_schema_equal(const AnbSchema *a, const AnbSchema *b)
{
    return a == b || (a && b && strcmp(a->text, b->text) == 0);
}

ptrdiff_t anb_schema_find(const AnbSchema *schema, const char *name, size_t n)
{
    if (!schema || !name)
        return ANB_E_ARGUMENT;
    uint32_t entry = schema->index[place_of(schema, name, n)];
    return entry ? (ptrdiff_t)entry - 1 : ANB_E_UNKNOWN;
}
