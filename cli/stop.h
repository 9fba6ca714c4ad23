/* SIGINT and SIGTERM as a wish to come to an end in good order. */
#ifndef ANB_CLI_STOP_H
#define ANB_CLI_STOP_H

#include <stdbool.h>

/* From now on the signals are noted; a second one ends the program as usual. */
void stop_arm(void);
bool stop_requested(void);
/* Becomes readable with the first signal; -1 where nothing was armed. */
int stop_descriptor(void);

#endif
