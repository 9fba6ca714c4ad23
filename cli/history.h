/* Records of diagnostics over a long run, in bounded memory: when it is full every second record is dropped. */
#ifndef ANB_CLI_HISTORY_H
#define ANB_CLI_HISTORY_H

#include <anabranch/anabranch.h>
#include <stdio.h>

enum { HISTORY_MAX = 1000 };

typedef struct History {
    char *line[HISTORY_MAX];
    size_t n;
    uint64_t every, seen; /* a record each `every` samples */
} History;

/* Counts a sample; adds a record of the diagnostics where one is due. */
void history_sample(History *history, AnbDiagnostics *d);
void history_write(const History *history, FILE *out);
void history_free(History *history);

#endif
