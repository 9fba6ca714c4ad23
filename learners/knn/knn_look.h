/*
 * One prediction: the nearest rows, the plane through them, and what both predict.
 */
#ifndef ANB_LEARNERS_KNN_KNN_LOOK_H
#define ANB_LEARNERS_KNN_KNN_LOOK_H

#include "knn_plane.h"
#include "knn_state.h"

static const float knn_ridge = 0.1f, knn_soft = 0.02f; /* of the plane; of the weights */

/* What a prediction leaves for learning. */
typedef struct KnnLook {
    bool fitted; /* a plane was fitted */
    double mean, plane, miss, out;
} KnnLook;

typedef struct KnnScratch {
    KnnLook *look;
    double *pull;          /* d: how b_j moves f */
    double *adds;          /* d: what the plane adds for the feature */
    double *slope;         /* d: 0 where the plane lacks the feature */
    float *query, *metric; /* d, padded by zeros; m_j */
    float *square, *far;   /* squared distances of the neighbours, of candidates */
    float *u, *y, *weight, *share,
        *rest; /* of the neighbours, in the units of knn_plane.h; but for u padded to whole lanes */
    float *part, *root, *ask,
        *place;         /* of the plane's features, padded to whole lanes: its metric; sqrt(m_j); the query */
    float *lean, *each; /* its slopes, padded by zeros; sums of each feature */
    float *fit;
    uint32_t *code, *older, *codes; /* of the query, by both factors; of several, by both */
    uint32_t *which, *index;        /* the plane's features; the window's rows */
    int32_t *near, *minima;
} KnnScratch;

enum { ANB_KNN_WAITING = 16 }; /* queries of a batch whose candidates are kept at once */
enum { ANB_KNN_NEARBY = 3 };   /* rows looked at for each neighbour. Chosen on the streams of docs/accuracy.md */

extern const AnbField anb_knn_scratch_fields[];
KnnScratch anb_knn_scratch(const AnbNode *self, const View *view, double *scratch);
/* The part of the scratch that a prediction leaves for the update. */
KnnLook *anb_knn_last_look(const AnbNode *self, double *scratch);

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

/* A prediction in the units of knn_plane.h in those of the target; `first` is y_0. */
static inline double anb_knn_in_units(const KnnSide *side, double first, float predicted)
{
    return first + anb_knn_plane_range(side->low, side->high) * (double)predicted;
}

static inline double anb_knn_within(const KnnSide *side, double f)
{
    double margin = 0.25 * side->high - 0.25 * side->low;
    return anb_clamp(f, side->low - margin, side->high + margin);
}

/* Whether the prediction of a plane through k rows is used. */
static inline bool anb_knn_fits(const View *v, size_t k, double plane)
{
    return plane - plane == 0 && !(k < 10 && k <= v->plane);
}

/* Which features the plane has: all, or those that the metric weighs most, in order. */
void anb_knn_look_choose(const View *v, const KnnScratch *w);
/* The row as floats hold it, padded by zeros. */
void anb_knn_look_take(const View *v, const double *x, float *query);
/* The codes of a query. Whether one of them was bounded. */
bool anb_knn_look_encode(const View *v, const float *query, const KnnScratch *w);

/* A search of the first n rows of the window for the query that was begun. */
typedef struct KnnSearch {
    AnbKnnSearch near;
    AnbKnnSearchQuery query;
    AnbKnnSearchWork work;
} KnnSearch;
KnnSearch anb_knn_look_search(const View *v, size_t n, bool bounded, const KnnScratch *w);

/* Where not all features have codes: ANB_KNN_NEARBY rows of the first n for each neighbour, and some more, into
 * `index`: from those with codes of now and from those with older ones in proportion. Returns how many, k or n at
 * least. */
size_t anb_knn_look_nearby(const View *v, size_t n, const KnnScratch *w);

/* As AnbNode's functions of those names. */
double anb_knn_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch);
void anb_knn_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out);

#endif
