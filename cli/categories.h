/* The most frequent categories of a model's columns with what they do to the target, by their texts: for people, as JSON,
 * and as a note in the model's file. */
#ifndef ANB_CLI_CATEGORIES_H
#define ANB_CLI_CATEGORIES_H

#include "json.h"
#include <anabranch/anabranch.h>
#include <anabranch/schema.h>

/* Whose categories, and what knows their texts. */
typedef struct Categories {
    const StreamingLearner *model;
    const AnbSchema *schema; /* of the model's columns; NULL: numbers, which have none */
    const AnbCategoryNames *names;
} Categories;

/* A list under the key `categories`: of each column that has some its name and up to k of them. */
void categories_json(Json *json, const Categories *of, size_t k);
/* A table for each such column; a sentence where there is none. */
void categories_print(FILE *file, const Categories *of, size_t k);

/* The note that holds the texts: lines of a column's number and a text. The caller's to free; NULL where memory is out. */
char *categories_note(const Categories *of);
/* Takes the texts of such a note over; what is no such note is passed over. */
void categories_take(AnbCategoryNames *names, const AnbSchema *schema, const char *note);

#endif
