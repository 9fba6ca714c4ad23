/* SIGINT, SIGTERM and SIGHUP as a wish to come to an end in good order. */
#ifndef ANB_CLI_STOP_H
#define ANB_CLI_STOP_H

#include <stdbool.h>

/* From now on the signals are noted; a second SIGINT or SIGTERM ends the program as usual. A SIGHUP that is ignored
 * (nohup) stays so. */
void stop_arm(void);
bool stop_requested(void);
/* Becomes readable with the first signal; -1 where nothing was armed. */
int stop_descriptor(void);

#endif
