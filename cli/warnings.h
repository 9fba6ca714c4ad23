/* Warnings of guessed columns that a person may have meant otherwise. */
#ifndef ANB_CLI_WARNINGS_H
#define ANB_CLI_WARNINGS_H

#include "layout.h"

/* Tells on stderr, a line each: columns with nothing in them so far, numbers in the line of names, categories whose
 * cells are numbers with a unit, and the first one that holds more numbers than texts. */
void warnings_print(const Rows *rows, const Layout *layout);

#endif
