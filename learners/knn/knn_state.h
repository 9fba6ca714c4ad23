/*
 * The state of knn: a window of rows, their targets and codes, the metric of the codes, and what the metric is made
 * from. knn.c learns, knn_look.c predicts, knn_state.c maintains the state.
 *
 * When the metric changes, the codes follow in pieces, one a sample. Until then the rows from `turned` on have codes by
 * the older factors, which the search allows for (knn_search.h).
 *
 * State: moments, the metric and what it is made from, the window and its codes; anb_knn_fields has the layout.
 */
#ifndef ANB_LEARNERS_KNN_KNN_STATE_H
#define ANB_LEARNERS_KNN_KNN_STATE_H

#include "src/numeric/error_scale.h"
#include "src/numeric/kept_unit.h"
#include "src/numeric/moments.h"
#include "knn_search.h"
#include "src/numeric/ring.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>

enum { ANB_KNN_PLANE = 24 };                      /* features that a plane is fitted in, at most */
enum { ANB_KNN_PIECE = 8 * ANB_KNN_SEARCH_ROWS }; /* rows whose codes follow the metric at once */
static const double knn_bound = 1e15;             /* of a cell */
static const float knn_pace = 2000;               /* samples to a unit of time */

typedef struct Knn {
    AnbRing ring;
    AnbMoments target;
    uint64_t fits;        /* planes that the slopes are an average of */
    uint64_t bounded;     /* whether a code in the window was */
    uint64_t made;        /* samples pushed when the time feature was 0 */
    double cross, spread; /* discounted sums of e g and g^2 */
} Knn;

/* What version 2 added. */
typedef struct KnnWeights {
    AnbErrorScale error; /* of the prediction */
    AnbWeightUnit unit;
    double credit; /* places in the window that weights have earned and no row has taken yet */
    double beyond; /* what the plane's penalty takes beside the metric: 0 for one that was made before version 4 */
    double judged; /* discounted count of the planes that `right` and `said` are sums over */
    double missed; /* discounted sum of their squared errors */
} KnnWeights;

/* What version 3 added: codes that follow the metric. */
typedef struct KnnTurn {
    uint64_t under_way;
    uint64_t turned;    /* the first rows, whose codes are by the factors of now; a multiple of ANB_KNN_SEARCH_ROWS */
    uint64_t bounded;   /* whether a code of theirs was */
    double least, most; /* of the squares of factor / older factor; 1 and 1 where nothing is under way */
} KnnTurn;

extern const AnbField anb_knn_fields[];

/* Sizes, and where everything of one node lies. */
typedef struct View {
    size_t given, d, window, rows; /* features of a row; those and time; the window, and in whole blocks */
    size_t k, plane;               /* neighbours; features that the plane is fitted in */
    size_t coded;                  /* features that codes are of: all, or those that weigh most */
    bool coarse;                   /* rows are found by those alone */
    size_t period;                 /* samples from one metric to the next */
    Knn *s;
    KnnWeights *weights;
    KnnTurn *turn;
    double *slopes, *bends, *squares; /* mean squared slopes; b, and the mean square of its gradient */
    double *right, *said;             /* discounted sums of c_j (e + a c_j) and of c_j^2 (knn.c) */
    double *doubt;                    /* 1 - r_j when the metric was made */
    double *metric, *reach, *y;       /* m in the window's unit, padded by zeros; the largest |x| of it seen, fading */
    double *inverse,
        *origin;       /* (x - origin[j]) inverse[j] is a cell x of the window in the present unit of feature j */
    float *factor, *x; /* of the codes, padded by zeros; the rows */
    float *offset;     /* of the codes, padded by zeros: all are 0 but that of time */
    float *older, *older_offset; /* what factor and offset were before */
    uint32_t *coded_of,
        *older_of; /* where not all features have codes: which have, ascending, and which had; else empty */
    uint32_t *code;
    int8_t *coarse_code; /* in place of `code` where not all features have codes (knn_coarse.h) */
} View;

/* Sizes alone. */
View anb_knn_plan(const AnbNode *self);
View anb_knn_view(const AnbNode *self, const void *state);

/* Makes the metric anew from the present slopes and trust; the codes follow. */
void anb_knn_remake(const View *view, const double *importance);
/* The next piece of the codes that do not follow the metric yet: 256 rows, some .8 us at 12 features. */
void anb_knn_turn(const View *view);
/* The features in another unit, old x_j = alpha_j new x_j + beta_j. The window keeps the unit that its rows came in,
 * and the next metric is made for the new unit. Where the window has few rows, or the unit is far off, rows and codes
 * are converted. With few rows the numbers of the metric stay as they are: it is of slopes in units of deviations, and
 * a noisy one from before a deviation was known would grow with its unit. */
void anb_knn_reframe(const View *view, const double *alpha, const double *beta);
/* Codes of row i of the window, by the factors of now or the older ones. True where one was bounded, and
 * that matters. */
bool anb_knn_encode(const View *view, size_t i, bool older);
/* Those of a query of d floats, side by side: of words, or of bytes where not all features have codes. Whole lanes of x
 * are read and of code written. */
bool anb_knn_encode_query(const View *view, const float *x, bool older, uint32_t *code);
/* Keeps a row of d floats. */
void anb_knn_keep(const View *view, const float *x, double y);

/* For a new metric, in this order: the factors become the older ones; times of the older ones are counted from `by`
 * later on; factors by the metric, `now` being the time, and the first piece of the codes. */
void anb_knn_codes_age(const View *view);
void anb_knn_codes_shift(const View *view, float by);
void anb_knn_codes_begin(const View *view, float now);
/* All codes at once, by factors for rows that have changed their unit. */
void anb_knn_codes_again(const View *view);
/* Whether the codes of a loaded state with `used` rows can be right. */
bool anb_knn_codes_valid(const View *view, size_t used);

/* r_j as it was when the metric was made. */
static inline double anb_knn_trust(const View *v, size_t j)
{
    return 1 - v->doubt[j];
}

/* m_j in the present unit. */
static inline double anb_knn_metric(const View *v, size_t j)
{
    return v->metric[j] / (v->inverse[j] * v->inverse[j]);
}

int anb_knn_validate(const AnbNode *self, const void *state, AnbError *error);

#endif
