/*
 * A look at the window: the nearest rows, the plane through them, and what the two say.
 */
#ifndef ANB_LEARNERS_KNN_KNN_LOOK_H
#define ANB_LEARNERS_KNN_KNN_LOOK_H

#include "knn_state.h"

static const double knn_ridge = 0.1, knn_soft = 0.02; /* of the plane; of the weights */

/* Of one look. */
typedef struct KnnLook {
    bool fitted; /* there is a plane */
    double mean, plane, miss, out;
} KnnLook;

typedef struct KnnScratch {
    KnnLook *look;
    double *pull;          /* d: how b_j moves f */
    double *adds;          /* d: what the plane adds for the feature */
    double *query, *slope; /* d: as floats hold them, padded by zeros; 0 where the plane lacks the feature */
    double *u, *y, *weight, *distance, *rest; /* of the neighbours */
    double *far, *part, *fit;                 /* part: the plane's metric and slopes */
    double *square;                           /* ANB_KNN_PLANE, a multiple of eight */
    float *low;                               /* d: the query */
    uint32_t *code, *which, *index; /* of the query, by both factors; the plane's features; the window's rows */
    int32_t *near, *minima;
} KnnScratch;

enum { ANB_KNN_WAITING = 16 };
enum { ANB_KNN_NEARBY = 3 }; /* rows looked at for each neighbour. Chosen on the streams of docs/accuracy.md */

/* Queries of a batch that wait with their candidates; fewer where their features would take a good part of a window. */
static inline size_t anb_knn_waiting(size_t d)
{
    return d > ANB_KNN_PLANE ? ANB_KNN_WAITING / 2 : ANB_KNN_WAITING;
}

extern const AnbField anb_knn_scratch_fields[];
KnnScratch anb_knn_scratch(const AnbNode *self, double *scratch);

/* a: the share of the plane that was best lately. */
static inline double anb_knn_share(const Knn *s)
{
    return s->spread > 0 ? anb_clamp(s->cross / s->spread, 0, 1) : 1;
}

/* The mean and the plane of the last look, in those shares. */
static inline double anb_knn_both(const Knn *s, const KnnLook *look)
{
    return look->mean + anb_knn_share(s) * (look->plane - look->mean);
}

/* The neighbours' targets lie between. */
typedef struct KnnSide {
    double low, high;
} KnnSide;

static inline double anb_knn_within(const KnnSide *side, double f)
{
    double margin = 0.25 * side->high - 0.25 * side->low;
    return anb_clamp(f, side->low - margin, side->high + margin);
}

/* Whether so many rows and the plane through them may speak. */
static inline bool anb_knn_fits(const View *v, size_t k, double plane)
{
    return plane - plane == 0 && !(k < 10 && k <= v->plane);
}

/* Which features the plane has: all, or those that the metric weighs most, in order. */
void anb_knn_look_choose(const View *v, const KnnScratch *w);
/* The row as floats hold it, in doubles as well, and its codes. Whether one of them was bounded. */
bool anb_knn_look_begin(const View *v, const double *x, const KnnScratch *w);

/* A search of the first n rows of the window for the query that was begun. */
typedef struct KnnSearch {
    AnbKnnSearch near;
    AnbKnnSearchQuery query;
    AnbKnnSearchWork work;
} KnnSearch;
KnnSearch anb_knn_look_search(const View *v, size_t n, bool bounded, const KnnScratch *w);

/* Where not all features have codes: ANB_KNN_NEARBY rows of the first n for each neighbour, and some more, into `index`: from
 * those with codes of now and from those with older ones in proportion. Returns how many, k or n at least. */
size_t anb_knn_look_nearby(const View *v, size_t n, const KnnScratch *w);

/* As AnbNode's functions of those names. */
double anb_knn_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
void anb_knn_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out);

#endif
