/* The compact text of a schema: `distance carrier:category "flight no":code when:time-dmy missing=na|x`. */
#include "arena.h"
#include "plan.h"
#include "schema.h"
#include "src/text/given.h"

typedef struct Parser {
    const char *text;
    size_t at;
    AnbArena *arena;
    AnbError *error;
} Parser;

static bool is_blank(char c)
{
    return c != 0 && strchr(" \t\r\n\v\f", c) != NULL;
}

static int fail_at(Parser *p, size_t at, int code, const char *what)
{
    anb_fail(p->error, code, "the schema at byte %zu: %s", at, what);
    if (p->error)
        p->error->position = at;
    return code;
}

/* Where a quoted text that begins before `at` is over. */
static size_t quoted_end(const char *text, size_t at)
{
    while (text[at] && (text[at] != '"' || text[++at] == '"'))
        at++;
    return at;
}

/* The text behind a first quote, up to its end; doubled ones are one. */
static int read_quoted(Parser *p, char **name)
{
    size_t start = p->at++, n = 0;
    *name = anb_arena_take(p->arena, quoted_end(p->text, p->at) - start);
    if (!*name)
        return fail_at(p, start, ANB_E_MEMORY, "no memory");
    for (;; p->at++) {
        if (p->text[p->at] == 0)
            return fail_at(p, start, ANB_E_SYNTAX, "this quote has no end");
        if (p->text[p->at] == '"' && p->text[++p->at] != '"')
            return 0;
        (*name)[n++] = p->text[p->at];
    }
}

static int read_name(Parser *p, char **name, bool *quoted)
{
    *quoted = p->text[p->at] == '"';
    if (*quoted)
        return read_quoted(p, name);
    size_t n = strcspn(p->text + p->at, " \t\r\n\v\f:=\"");
    *name = anb_arena_text(p->arena, p->text + p->at, n);
    if (!*name)
        return fail_at(p, p->at, ANB_E_MEMORY, "no memory");
    if (n == 0)
        return fail_at(p, p->at, ANB_E_SYNTAX, "a column's name is wanted here; write an empty one as \"\"");
    p->at += n;
    return 0;
}

static int read_kind(Parser *p, AnbColumn *column)
{
    size_t start = ++p->at, n = 0;
    while (p->text[start + n] && !is_blank(p->text[start + n]))
        n++;
    p->at += n;
    if (anb_column_kind(p->text + start, n, column) == 0)
        return 0;
    return fail_at(p, start, ANB_E_UNKNOWN,
                   "an unknown kind; there are number, category, code, boolean, time, time-dmy, time-mdy and ignored");
}

static int read_setting(Parser *p, size_t start, const char *key, AnbSchemaOptions *options)
{
    bool quoted;
    char *value;
    p->at++;
    int code = read_name(p, &value, &quoted);
    if (code != 0)
        return code;
    if (strcmp(key, "missing") == 0)
        options->missing = value;
    else if (strcmp(key, "decimal") == 0 && strlen(value) == 1)
        options->decimal = *value;
    else
        return fail_at(p, start, ANB_E_UNKNOWN, "an unknown setting; there are missing=WORDS and decimal=MARK");
    return 0;
}

/* One column or setting. */
static int read_item(Parser *p, AnbColumn *columns, size_t *n, AnbSchemaOptions *options)
{
    size_t start = p->at;
    bool quoted;
    char *name;
    int code = read_name(p, &name, &quoted);
    if (code != 0)
        return code;
    if (p->text[p->at] == '=' && !quoted) {
        code = read_setting(p, start, name, options);
    } else {
        AnbColumn column = {.name = name};
        if (p->text[p->at] == ':')
            code = read_kind(p, &column);
        columns[(*n)++] = column;
    }
    if (code == 0 && p->text[p->at] && !is_blank(p->text[p->at]))
        code = fail_at(p, p->at, ANB_E_SYNTAX, "a blank is wanted between two columns");
    return code;
}

static size_t skip_blanks(const char *text, size_t at)
{
    while (is_blank(text[at]))
        at++;
    return at;
}

AnbSchema *anb_schema_parse(const char *text, const AnbSchemaOptions *options, AnbError *error)
{
    AnbSchemaOptions chosen;
    if (!anb_given(text, "text of a schema", error) || anb_schema_options_take(options, &chosen, error) != 0)
        return NULL;
    AnbArena arena = {.allocator = anb_allocator_of(&(AnbModelOptions){.allocator = chosen.allocator})};
    Parser p = {.text = text, .arena = &arena, .error = error};
    AnbSchema *schema = NULL;
    size_t n = 0;
    /* Every item takes two bytes and more. */
    AnbColumn *columns = anb_arena_take(&arena, (strlen(text) / 2 + 1) * sizeof *columns);
    int code = columns ? 0 : fail_at(&p, 0, ANB_E_MEMORY, "no memory");
    for (p.at = skip_blanks(text, 0); code == 0 && text[p.at]; p.at = skip_blanks(text, p.at))
        code = read_item(&p, columns, &n, &chosen);
    if (code == 0)
        schema = anb_schema_new(columns, n, &chosen, error);
    anb_arena_free(&arena);
    return schema;
}
