/* Columns as options name them: by name, quoted or not, or by number. */
#ifndef ANB_CLI_COLUMNS_H
#define ANB_CLI_COLUMNS_H

#include "table.h"

/**
 * Chooses columns by a list: names with commas between them, a name with commas in quotes, an empty one as nothing or
 * "", a number from 1 where no column is called so, #3 always the third. A name that several columns have chooses all.
 *
 * @param list    the list; NULL chooses nothing, "" the columns without a name
 * @param what    of the option, for the complaint
 * @param chosen  a flag a column, set for those that are
 * @return        0, or BAD_USE with the message printed
 */
int columns_choose(const Table *table, const char *list, const char *what, bool *chosen);

/* As columns_choose, for one column; a name that several have is refused with their numbers. */
int columns_find(const Table *table, const char *word, const char *what, size_t *found);

/* Whether no other column has the name of column i, nor is it empty. */
bool columns_distinct(const Table *table, size_t i);

/* A column as an option takes it: the name, or the number where the name is not unique; room is 64 bytes. */
const char *columns_word(const Table *table, size_t i, char *room);

#endif
