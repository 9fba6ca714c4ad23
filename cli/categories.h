/* The most frequent categories of a model's columns with their texts and effects on the target: as a table, as JSON,
 * and as a note in the model's file. */
#ifndef ANB_CLI_CATEGORIES_H
#define ANB_CLI_CATEGORIES_H

#include "json.h"
#include <anabranch/anabranch.h>
#include <anabranch/schema.h>

/* The model and the store of its categories' texts. */
typedef struct Categories {
    const StreamingLearner *model;
    const AnbSchema *schema; /* of the model's columns; NULL: numbers, which have none */
    const AnbCategoryNames *names;
} Categories;

/* A list under the key `categories`: of each column that has some its name and up to k of them. */
void categories_json(Json *json, const Categories *of, size_t k);
/* A table for each such column; a sentence where there is none. */
void categories_print(FILE *file, const Categories *of, size_t k);

/* The note that holds the texts: lines of a column's number and a text. The caller's to free; NULL where memory is
 * out. */
char *categories_note(const Categories *of);
/* Reads the texts of such a note; other notes are ignored. */
void categories_take(AnbCategoryNames *names, const AnbSchema *schema, const char *note);

#endif
