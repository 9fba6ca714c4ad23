#include "record.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 8, KEY = 200 };

typedef struct Reader {
    Record *to;
    const char *at, *end;
    char key[KEY]; /* the path so far */
    bool failed;
} Reader;

/* ---- room -------------------------------------------------------------------------------------------------------- */

static void *grown(void *array, size_t *room, size_t wanted, size_t each)
{
    if (wanted <= *room)
        return array;
    void *moved = realloc(array, (wanted * 2 + 64) * each);
    *room = moved ? wanted * 2 + 64 : *room;
    return moved;
}

/* Room for `wanted` entries of one of the record's arrays; false where memory is out. */
#define GROW(record, array, room, wanted)                                                                              \
    (grow_##array(record, grown((record)->array, &(record)->room, wanted, sizeof *(record)->array)))

#define DEFINE_GROW(array)                                                                                             \
    static bool grow_##array(Record *record, void *moved)                                                              \
    {                                                                                                                  \
        if (moved)                                                                                                     \
            record->array = moved;                                                                                     \
        return moved != NULL;                                                                                          \
    }
DEFINE_GROW(field)
DEFINE_GROW(number)
DEFINE_GROW(text)

static void fail(Reader *r)
{
    r->failed = true;
    r->at = r->end;
}

static void add_text(Reader *r, const char *text, size_t n)
{
    Record *to = r->to;
    if (!GROW(to, text, text_room, to->n_text + n)) {
        fail(r);
        return;
    }
    memcpy(to->text + to->n_text, text, n);
    to->n_text += n;
}

static void add_number(Reader *r, double value)
{
    Record *to = r->to;
    if (!GROW(to, number, number_room, to->n_numbers + 1)) {
        fail(r);
        return;
    }
    to->number[to->n_numbers++] = value;
}

static Field *add_field(Reader *r)
{
    Record *to = r->to;
    if (!GROW(to, field, field_room, to->n_fields + 1)) {
        fail(r);
        return NULL;
    }
    size_t key = to->n_text;
    add_text(r, r->key, strlen(r->key) + 1);
    to->field[to->n_fields] = (Field){key, to->n_numbers, 0, to->n_text, 0};
    return &to->field[to->n_fields++];
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static char peek(Reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
        r->at++;
    return (char)(r->at < r->end ? *r->at : 0);
}

static bool take(Reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static void need(Reader *r, char c)
{
    if (!take(r, c))
        fail(r);
}

/* Four hexadecimal digits, or -1. */
static int code_point(const char *s)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int letter = s[i] | 32;
        if (s[i] >= '0' && s[i] <= '9')
            code = 16 * code + s[i] - '0';
        else if (letter >= 'a' && letter <= 'f')
            code = 16 * code + letter - 'a' + 10;
        else
            return -1;
    }
    return code;
}

/* A code point of four hexadecimal digits as UTF-8; what is no character of its own becomes `?`. */
static void add_escape(Reader *r)
{
    char utf8[3];
    int code = r->end - r->at < 4 ? -1 : code_point(r->at);
    if (code < 0) {
        fail(r);
        return;
    }
    r->at += 4;
    code = code == 0 || (code >= 0xd800 && code < 0xe000) ? '?' : code;
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
    for (size_t i = n; i-- > 1; code >>= 6)
        utf8[i] = (char)(0x80 | (code & 0x3f));
    utf8[0] = (char)(n == 1 ? code : n == 2 ? 0xc0 | code : 0xe0 | code);
    add_text(r, utf8, n);
}

/* The characters of a string whose opening quote was taken, ended by 0. */
static void add_string(Reader *r)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    while (r->at < r->end && *r->at != '"') {
        if (*r->at != '\\') {
            add_text(r, r->at++, 1);
            continue;
        }
        r->at++;
        const char *which = r->at < r->end && *r->at ? strchr(plain, *r->at) : NULL;
        if (which)
            add_text(r, meant + (which - plain), 1);
        else if (r->at == r->end || *r->at != 'u')
            fail(r);
        r->at += r->at < r->end;
        if (!which)
            add_escape(r);
    }
    need(r, '"');
    add_text(r, "", 1);
}

static void read_number(Reader *r)
{
    double value;
    size_t left = (size_t)(r->end - r->at), n = 0;
    if (left >= 4 && memcmp(r->at, "null", 4) == 0) {
        r->at += 4;
        add_number(r, ANB_NAN);
        return;
    }
    if (left >= 4 && (memcmp(r->at, "true", 4) == 0 || memcmp(r->at, "fals", 4) == 0)) {
        add_number(r, *r->at == 't');
        r->at += *r->at == 't' ? 4 : left > 4 ? 5 : 4;
        return;
    }
    while (n < left && n < 60 && strchr("+-.0123456789eE", r->at[n]))
        n++;
    int used = anb_number_parse(r->at, n, &value);
    if (used <= 0)
        fail(r);
    else {
        r->at += used;
        add_number(r, value);
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void read_value(Reader *r, int depth);

/* Extends the path, reads, and shortens it again. */
static void read_below(Reader *r, const char *name, int depth)
{
    size_t length = strlen(r->key);
    int n = snprintf(r->key + length, KEY - length, "%s%s", length ? "." : "", name);
    if (n < 0 || (size_t)n >= KEY - length)
        fail(r);
    else
        read_value(r, depth);
    r->key[length] = 0;
}

static void read_object(Reader *r, int depth)
{
    if (take(r, '}'))
        return;
    do {
        char name[KEY];
        size_t start = r->to->n_text;
        need(r, '"');
        if (r->failed)
            return;
        add_string(r);
        need(r, ':');
        if (r->failed || r->to->n_text - start > sizeof name) {
            fail(r);
            return;
        }
        memcpy(name, r->to->text + start, r->to->n_text - start);
        r->to->n_text = start;
        read_below(r, name, depth);
    } while (take(r, ','));
    need(r, '}');
}

/* Numbers, texts and lists of numbers join one field; an object in a list has fields of its own. */
static void read_list(Reader *r, size_t field, int depth)
{
    if (take(r, ']'))
        return;
    for (int i = 0;; i++) {
        char c = peek(r), index[16];
        if (depth > DEPTH) {
            fail(r);
            return;
        }
        if (c == '{') {
            snprintf(index, sizeof index, "%d", i);
            read_below(r, index, depth + 1);
        } else if (c == '[') {
            r->at++;
            read_list(r, field, depth + 1);
        } else if (c == '"') {
            r->at++;
            add_string(r);
            r->to->field[field].n_texts++;
        } else {
            read_number(r);
            r->to->field[field].n++;
        }
        if (r->failed || !take(r, ','))
            break;
    }
    need(r, ']');
}

static void read_value(Reader *r, int depth)
{
    char c = peek(r);
    if (depth > DEPTH) {
        fail(r);
        return;
    }
    if (c == '{') {
        r->at++;
        read_object(r, depth + 1);
        return;
    }
    size_t at = r->to->n_fields;
    if (!add_field(r))
        return;
    if (c == '[') {
        r->at++;
        read_list(r, at, depth + 1);
    } else if (c == '"') {
        r->at++;
        add_string(r);
        r->to->field[at].n_texts = 1;
    } else {
        read_number(r);
        r->to->field[at].n = 1;
    }
}

bool record_read(Record *record, const char *line, size_t size)
{
    Reader r = {.to = record, .at = line, .end = line + size};
    record->n_fields = record->n_numbers = record->n_text = 0;
    if (peek(&r) != '{')
        return false;
    read_value(&r, 0);
    return !r.failed && peek(&r) == 0;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

void record_free(Record *record)
{
    free(record->field);
    free(record->number);
    free(record->text);
    *record = (Record){0};
}

bool record_copy(Record *to, const Record *from)
{
    *to = (Record){0};
    if (!GROW(to, field, field_room, from->n_fields + 1) || !GROW(to, number, number_room, from->n_numbers + 1) ||
        !GROW(to, text, text_room, from->n_text + 1)) {
        record_free(to);
        return false;
    }
    if (from->n_fields)
        memcpy(to->field, from->field, from->n_fields * sizeof *to->field);
    if (from->n_numbers)
        memcpy(to->number, from->number, from->n_numbers * sizeof *to->number);
    if (from->n_text)
        memcpy(to->text, from->text, from->n_text);
    to->n_fields = from->n_fields;
    to->n_numbers = from->n_numbers;
    to->n_text = from->n_text;
    return true;
}

const Field *record_field(const Record *record, const char *key)
{
    for (size_t i = 0; i < record->n_fields; i++)
        if (strcmp(record->text + record->field[i].key, key) == 0)
            return &record->field[i];
    return NULL;
}

double record_number(const Record *record, const char *key, size_t i)
{
    const Field *field = record_field(record, key);
    return field && i < field->n ? record->number[field->first + i] : ANB_NAN;
}

size_t record_size(const Record *record, const char *key)
{
    const Field *field = record_field(record, key);
    return field ? field->n : 0;
}

const char *record_text(const Record *record, const char *key, size_t i)
{
    const Field *field = record_field(record, key);
    if (!field || i >= field->n_texts)
        return NULL;
    const char *at = record->text + field->texts;
    for (; i > 0; i--)
        at += strlen(at) + 1;
    return at;
}

bool record_dead(const Record *record, size_t i)
{
    return record_number(record, "expert_dead", i) == 1 && !(record_number(record, "expert_load", i) > .999);
}
