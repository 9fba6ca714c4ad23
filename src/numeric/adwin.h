/*
 * ADWIN: a window over a sequence of numbers in [0, 1] that drops its old part when the mean has changed
 * (Bifet & Gavalda, "Learning from time-changing data with adaptive windowing", 2007).
 *
 * The window W of n values is cut in two, W0 older and W1 newer, wherever their means differ by more than
 *
 *     sqrt(2/m var(W) ln(2/d)) + 2/(3m) ln(2/d)      1/m = 1/n0 + 1/n1      d = delta / ln n
 *
 * It is kept as an exponential histogram, at most 5 buckets of 1, 2, 4, ... values (6 while a value is added):
 *
 *     row 3            row 1      row 0
 *     [8][8][8] ...    [2][2]     [1][1][1]      older ... newer; cuts are tried between buckets
 *
 * Memory: fixed, about 2.5 KB; a window that would exceed it (80 million values) drops its oldest bucket. Cost: an add
 * is a few operations; cuts are tested at every 32nd value, with about 100 divisions and the like.
 */
#ifndef ANB_NUMERIC_ADWIN_H
#define ANB_NUMERIC_ADWIN_H

#include <anabranch/type.h>

enum { ANB_ADWIN_ROWS = 24, ANB_ADWIN_WIDTH = 5, ANB_ADWIN_PERIOD = 32 };

/* Values of a bucket: their sum and their sum of squares about their mean. */
typedef struct AnbAdwinBucket {
    double sum, squares;
} AnbAdwinBucket;

typedef struct AnbAdwin {
    uint64_t n;     /* values in the window */
    uint64_t ticks; /* values added since the last reset */
    double sum, squares;
    uint8_t filled[ANB_ADWIN_ROWS]; /* buckets of each row, oldest first */
    AnbAdwinBucket bucket[ANB_ADWIN_ROWS][ANB_ADWIN_WIDTH + 1];
} AnbAdwin;

/**
 * Adds a value.
 *
 * @param window  zeroed at first
 * @param value   0 to 1
 * @param delta   confidence, (0, 1): the chance of a false alarm
 * @return        0, or where the window was cut: 1 where the mean had risen, -1 where it had fallen
 */
int anb_adwin_add(AnbAdwin *window, double value, double delta);

/* A window as a part of a state. */
extern const AnbPart anb_adwin_part;
/* Every used field of one within another part. */
void anb_adwin_visit(AnbAdwin *window, AnbVisitor *visitor);
/* Whether a window that was read from a file can be one. */
bool anb_adwin_valid(const AnbAdwin *window);

#endif
