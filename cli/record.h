/*
 * One line of JSON as flat fields: what `eval --diag` writes, read back. Numbers, lists of numbers, lists of lists and
 * texts; a key inside an object is `outer.inner`, one inside a list's object `outer.0.inner`.
 */
#ifndef ANB_CLI_RECORD_H
#define ANB_CLI_RECORD_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Field {
    size_t key;            /* where it starts in `text` */
    size_t first, n;       /* its numbers; null is NaN */
    size_t texts, n_texts; /* where its texts start, one after the other, each ended by 0 */
} Field;

typedef struct Record {
    Field *field;
    size_t n_fields, field_room;
    double *number;
    size_t n_numbers, number_room;
    char *text;
    size_t n_text, text_room;
} Record;

/* Reads a line into a record, which may hold an earlier one; starts zeroed. False where it is no JSON object, or memory
 * is out. */
bool record_read(Record *record, const char *line, size_t size);
void record_free(Record *record);
/* A copy of its own; false where memory is out. */
bool record_copy(Record *to, const Record *from);

/* NULL where there is none. */
const Field *record_field(const Record *record, const char *key);
/* Number i of a field; NaN where there is none. */
double record_number(const Record *record, const char *key, size_t i);
/* How many numbers a field has. */
size_t record_size(const Record *record, const char *key);
/* Whether expert i is dead and it shows: behind a dense router, where every expert learns from every row, being used
 * little is no fault. */
bool record_dead(const Record *record, size_t i);
/* Text i of a field; NULL where there is none. */
const char *record_text(const Record *record, const char *key, size_t i);

#endif
