/*
 * A view of the state of `columns`, and the mapping of a row's cells to the child's row.
 */
#ifndef ANB_COLUMNS_ROW_H
#define ANB_COLUMNS_ROW_H

#include "dictionary.h"
#include "layout.h"
#include "src/numeric/error_scale.h"
#include "src/numeric/moments.h"

typedef struct AnbColumns {
    double weight, mean; /* of all targets */
    double rows;         /* learned since the shares were gathered, up to GATHER */
    double knows_shares; /* 1 once the child had importances */
    double blends;       /* 1 in models that started with layout 2 or later: `recent` is a mix of three means */
    AnbErrorScale scale; /* of the linear model's residual */
    AnbRange range;      /* of the targets, learned as if they may be wrong */
    AnbRange line;       /* of the linear model's predictions from numbers, for rows that it learned */
    double offset;       /* b . mean */
} AnbColumns;

/* The state's parts, and those of the scratch. */
typedef struct AnbColumnsView {
    const AnbColumnsOptions *options;
    const AnbColumnsLayout *l;
    const AnbColumnsMove *moves;
    AnbColumns *s;
    AnbCalendar *calendars;
    AnbDictionary *heads;
    double *weight, *average, *m2, *inv_sd, *a; /* of the linear model */
    double *b; /* a of the numbers as they come: a / sd, once the model is no longer young */
    double *shares;
    uint8_t *used; /* entries of each set */
    AnbSet *sets;
} AnbColumnsView;

/* The entry of a row's category. */
typedef struct AnbPlace {
    uint64_t key;
    AnbSet *set;
    AnbCategory *entry; /* NULL: it is new */
    double share;       /* 1 / (its weight + prior) */
} AnbPlace;

typedef struct AnbColumnsWork {
    double *row, *z, *times, *cells;
    double *logs;    /* of the categories' weights, then of the times' gaps: log(1 + what is there) */
    AnbPlace *place; /* of the categories */
    double *answer;
    double *norm; /* z . z */
} AnbColumnsWork;

/* The places of a category's statistics in the child's row. */
enum { ANB_MEAN, ANB_RECENT, ANB_COUNT_LOG, ANB_EFFECT };

static inline AnbSet *anb_columns_sets(const AnbColumnsView *v, size_t c)
{
    return v->sets + c * v->l->n_sets;
}

/* The features of a time in the child's row. */
static inline double *anb_columns_calendar(const AnbColumnsView *v, const AnbColumnsWork *w, size_t t)
{
    return w->row + v->l->numbers + t * ANB_CALENDAR;
}

/* Doubles of the work, and where its parts lie; the child's row comes first. */
size_t anb_columns_work_doubles(const AnbColumnsLayout *l);
AnbColumnsWork anb_columns_work(const AnbColumnsLayout *l, double *scratch);
/* Fills w->row, the child's row, which it returns, and finds the places of the categories. */
const double *anb_columns_map(const AnbNode *self, const AnbColumnsView *v, const double *cells,
                              const AnbColumnsWork *w);
#endif
