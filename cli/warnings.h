/* Warnings of guessed columns that a person may have meant otherwise. */
#ifndef ANB_CLI_WARNINGS_H
#define ANB_CLI_WARNINGS_H

#include "layout.h"

/* Tells on stderr, a line each: numbers in the line of names; columns with nothing in them so far; categories whose
 * cells are numbers with a unit or with other marks, look like times, are mostly numbers or times, or are dates in
 * several orders; numbers that may be times or have points between thousands; and times that fall from row to row. */
void warnings_print(const Rows *rows, const Layout *layout);

#endif
