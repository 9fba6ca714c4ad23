#define _GNU_SOURCE
#include "categories.h"
#include "show.h"
#include <stdlib.h>
#include <string.h>

enum { KEPT = 32 /* texts of a column in a note */, MOST = 256, COLUMNS = 64 };

/* Up to k of a column's categories; 0 where it has none. */
static size_t frequent(const Categories *of, size_t column, AnbCategoryEffect *out, size_t k)
{
    AnbColumnKind kind = anb_schema_columns(of->schema)[column].kind;
    bool has = kind == ANB_COLUMN_CATEGORY || kind == ANB_COLUMN_CODE || kind == ANB_COLUMN_TIME;
    return has ? anb_frequent_categories(of->model, column, out, k < MOST ? k : MOST) : 0;
}

static size_t columns_of(const Categories *of)
{
    return of->schema && of->names ? anb_schema_size(of->schema) : 0;
}

/* ---- as JSON ----------------------------------------------------------------------------------------------------- */

static void put_category(Json *json, const Categories *of, size_t column, const AnbCategoryEffect *e)
{
    char name[ANB_CATEGORY_NAME];
    json_open(json, NULL, '{');
    json_text(json, "name", anb_category_name(of->names, column, e->cell, name));
    json_number(json, "count", e->count);
    json_number(json, "weight", e->weight);
    json_number(json, "mean", e->mean);
    json_number(json, "recent", e->recent);
    json_number(json, "effect", e->effect);
    json_close(json, '}');
}

void categories_json(Json *json, const Categories *of, size_t k)
{
    AnbCategoryEffect top[MOST];
    size_t shown = 0;
    json_open(json, "categories", '[');
    for (size_t i = 0; i < columns_of(of) && shown < COLUMNS; i++) {
        size_t n = frequent(of, i, top, k);
        if (n == 0)
            continue;
        shown++;
        json_open(json, NULL, '{');
        json_text(json, "column", anb_schema_columns(of->schema)[i].name);
        json_bool(json, "hours", anb_schema_columns(of->schema)[i].kind == ANB_COLUMN_TIME);
        json_open(json, "top", '[');
        for (size_t j = 0; j < n; j++)
            put_category(json, of, i, &top[j]);
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

/* Prints a name from a file without control characters. */
static void print_name(FILE *file, const char *text, int width)
{
    int n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        fputc(*p < ' ' || *p == 127 ? '?' : *p, file);
        n += (*p & 0xc0) != 0x80;
    }
    fprintf(file, "%*s", n < width ? width - n : 0, "");
}

static void print_category(FILE *file, const Categories *of, size_t column, const AnbCategoryEffect *e)
{
    char name[ANB_CATEGORY_NAME], a[SHOW_SIZE], b[SHOW_SIZE], c[SHOW_SIZE], d[SHOW_SIZE];
    fputs("  ", file);
    print_name(file, anb_category_name(of->names, column, e->cell, name), 30);
    fprintf(file, " %12s %12s %12s %12s\n", show_count((uint64_t)e->weight, a), show_number(e->mean, b),
            show_number(e->recent, c), show_number(e->effect, d));
}

void categories_print(FILE *file, const Categories *of, size_t k)
{
    AnbCategoryEffect top[MOST];
    bool any = false;
    for (size_t i = 0; i < columns_of(of); i++) {
        size_t n = frequent(of, i, top, k);
        if (n == 0)
            continue;
        any = true;
        fputc('\n', file);
        print_name(file, anb_schema_columns(of->schema)[i].name, 32);
        fprintf(file, " %12s %12s %12s %12s\n", "samples", "mean", "of late", "effect");
        for (size_t j = 0; j < n; j++)
            print_category(file, of, i, &top[j]);
    }
    if (!any)
        fputs("\nThe model has no categories.\n", file);
}

/* ---- as a note --------------------------------------------------------------------------------------------------- */

/* A text on one line: line ends and backslashes become \n and \\. */
static void put_line(FILE *file, size_t column, const char *text)
{
    fprintf(file, "%zu ", column);
    for (; *text; text++)
        if (*text == '\n' || *text == '\\')
            fprintf(file, "\\%c", *text == '\n' ? 'n' : '\\');
        else
            fputc(*text, file);
    fputc('\n', file);
}

char *categories_note(const Categories *of)
{
    AnbCategoryEffect top[KEPT];
    char *text = NULL, name[ANB_CATEGORY_NAME];
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return NULL;
    for (size_t i = 0; i < columns_of(of); i++) {
        size_t n = frequent(of, i, top, KEPT);
        for (size_t j = 0; j < n; j++)
            if (anb_category_name(of->names, i, top[j].cell, name)[0] != '(')
                put_line(file, i, name);
    }
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

/* One text without its escapes; how many bytes. */
static size_t read_line(const char *line, size_t n, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < n && size < ANB_CATEGORY_NAME; i++) {
        bool escaped = line[i] == '\\' && i + 1 < n;
        i += escaped;
        out[size++] = (char)(escaped && line[i] == 'n' ? '\n' : line[i]);
    }
    return size;
}

void categories_take(AnbCategoryNames *names, const AnbSchema *schema, const char *note)
{
    while (names && note && *note) {
        char *end, text[ANB_CATEGORY_NAME];
        double cell;
        unsigned long long column = strtoull(note, &end, 10);
        if (*end != ' ')
            return;
        size_t length = strcspn(++end, "\n"), n = read_line(end, length, text);
        if (column < anb_schema_size(schema) && anb_schema_cell(schema, column, (AnbCell){text, n}, &cell, NULL) == 0)
            anb_category_names_keep(names, column, text, n, cell);
        note = end + length + (end[length] == '\n');
    }
}
