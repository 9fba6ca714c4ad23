/* What an unknown word of an expression may have been meant for. */
#ifndef ANB_CLI_HINT_H
#define ANB_CLI_HINT_H

#include "nearest.h"

/* ` (did you mean "NAME"?)` for the learner or the option that begins at byte `at` of an expression, or "". */
const char *hint_of(const char *text, size_t at, char hint[HINT_SIZE]);

#endif
