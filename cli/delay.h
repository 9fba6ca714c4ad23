/* Delayed labels: a queue of rows until their labels are due. */
#ifndef ANB_CLI_DELAY_H
#define ANB_CLI_DELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DELAYED_MOST = 1 << 22 }; /* most rows in the queue */

typedef struct Delayed {
    double due;   /* a row's number or a time */
    uint64_t row; /* its number */
    double y, weight;
    double *x;
} Delayed;

typedef struct Delay {
    Delayed *heap; /* the one that is due first at the front */
    size_t n, room, width;
    double *spare; /* a row's cells that are free again */
} Delay;

void delay_start(Delay *delay, size_t width);
void delay_end(Delay *delay);

/* Adds a row whose label is due at `due`; x is copied. 0, or the exit status with the message printed. */
int delay_add(Delay *delay, uint64_t row, double due, const double *x, double y, double weight);

/* Removes the row that is due first, if it is due by `now`. Its x is valid until the next call. */
bool delay_due(Delay *delay, double now, Delayed *out);

#endif
