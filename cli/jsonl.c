#include "jsonl.h"
#include "cli.h"
#include <anabranch/number.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HAVE_JANSSON

int jsonl_open(Jsonl **json, Table *table, int first)
{
    (void)json, (void)first;
    return complain(BAD_DATA, "%s: this is JSON, and the program was built without jansson", table->name);
}

void jsonl_close(Jsonl *json)
{
    (void)json;
}

int jsonl_next(Jsonl *json, Table *table)
{
    (void)json, (void)table;
    return BAD_DATA;
}

#else
#include <jansson.h>

enum { NUMBER = ANB_NUMBER_SIZE + 24, PADDING = 64 };

struct Jsonl {
    json_t *row;
    Cell *cell;
    char *numbers;    /* NUMBER bytes a column */
    bool first;       /* the row was read with the header and was not given yet */
    uint64_t unknown; /* keys that the first line has not */
};

static int read_object(Jsonl *json, Table *table)
{
    char *line = NULL;
    size_t size = 0;
    json_error_t error;
    int status = csv_line(&table->csv, &line, &size);
    if (status)
        return status;
    table->line = table->csv.line;
    table->cells = 0;
    json_decref(json->row);
    json->row = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json->row)
        return bad_row(table->problem, "no JSON at byte %d: %s%s", error.position, error.text,
                       strstr(error.text, "too big integer") ? "; written in quotes, the number is read as a text"
                                                             : "");
    if (!json_is_object(json->row))
        return bad_row(table->problem, "an object a line is wanted; `jq -c .[] %s` writes the elements of a list so",
                       table->name);
    return 0;
}

/* A number as text: the shortest that reads back as the same one. */
static Cell number_cell(json_t *value, char *room)
{
    if (json_is_integer(value))
        return (Cell){room, (size_t)snprintf(room, NUMBER, "%lld", (long long)json_integer_value(value))};
    anb_number_format(json_real_value(value), room);
    return (Cell){room, strlen(room)};
}

static int read_value(const Jsonl *json, Table *table, size_t i, json_t *value, Cell *cell)
{
    if (json_is_string(value))
        *cell = (Cell){(char *)json_string_value(value), json_string_length(value)};
    else if (json_is_number(value))
        *cell = number_cell(value, json->numbers + i * NUMBER);
    else if (json_is_boolean(value))
        *cell = json_is_true(value) ? (Cell){(char *)"true", 4} : (Cell){(char *)"false", 5};
    else if (!value || json_is_null(value))
        *cell = (Cell){(char *)"", 0};
    else
        return bad_row(table->problem, "\"%s\" is a list or an object; jq can take it apart or leave it out",
                       table->names[i]);
    return 0;
}

static int read_cells(Jsonl *json, Table *table)
{
    size_t found = 0;
    int status = 0;
    for (size_t i = 0; i < table->columns && !status; i++) {
        json_t *value = json_object_get(json->row, table->names[i]);
        found += value != NULL;
        status = read_value(json, table, i, value, &json->cell[i]);
    }
    if (!status && json_object_size(json->row) > found && json->unknown++ == 0)
        fprintf(stderr, "anabranch: %s:%llu: keys that the first line has not are left out\n", table->name,
                (unsigned long long)table->line);
    table->cell = json->cell;
    table->cells = status ? 0 : table->columns;
    table->limit = NULL;
    return status;
}

static int take_keys(Jsonl *json, Table *table)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    table->columns = json_object_size(json->row);
    table->names = calloc(table->columns + 1, sizeof *table->names);
    json->cell = calloc(table->columns + 1, sizeof *json->cell);
    json->numbers = calloc(table->columns + 1, NUMBER);
    if (!table->names || !json->cell || !json->numbers)
        return complain(BAD_DATA, "out of memory");
    json_object_foreach(json->row, key, value) if (!(table->names[i++] = strdup(key))) return complain(BAD_DATA,
                                                                                                       "out of memory");
    return 0;
}

int jsonl_open(Jsonl **json, Table *table, int first)
{
    if (first == '[')
        return complain(BAD_DATA, "%s: a JSON list: `jq -c .[] %s` writes it as one object a line", table->name,
                        table->name);
    *json = calloc(1, sizeof **json);
    if (!*json)
        return complain(BAD_DATA, "out of memory");
    int status = read_object(*json, table);
    (*json)->first = true;
    if (status == BAD_ROW)
        return complain(BAD_DATA, "%s:%llu: %s", table->name, (unsigned long long)table->line, table->problem);
    return status ? status : take_keys(*json, table);
}

void jsonl_close(Jsonl *json)
{
    if (!json)
        return;
    json_decref(json->row);
    free(json->cell);
    free(json->numbers);
    free(json);
}

int jsonl_next(Jsonl *json, Table *table)
{
    int status = json->first ? 0 : read_object(json, table);
    json->first = false;
    return status ? status : read_cells(json, table);
}
#endif
