/* Records of diagnostics over a long run, in bounded memory: when it is full every second one is let go. */
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

/* One more sample; where its turn has come, a record of the diagnostics as they are. */
void history_sample(History *history, AnbDiagnostics *d);
void history_write(const History *history, FILE *out);
void history_free(History *history);

#endif
