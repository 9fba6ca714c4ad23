/* Guesses from the name of a column: whether its whole numbers are codes, whether its cells are times. */
#ifndef ANB_CLI_GUESS_NAME_H
#define ANB_CLI_GUESS_NAME_H

#include <stdbool.h>

/**
 * Looks at the last word of a name: id, code, key and the like (host_id, playerID, zip code), or one that names what
 * tables have numbers of (student, item, store). A word of time before it (yearID, month_key) makes it a number again.
 *
 * @param name  of the column; words are split at anything but letters and where a small letter meets a capital
 * @return      whether its numbers are taken for codes
 */
bool guess_name_is_code(const char *name);

/* Whether a word of a name is one of points in time: date, time, ts, when, created, epoch and the like (event_time,
 * createdAt). */
bool guess_name_is_time(const char *name);

#endif
