/*
 * Predictions for many rows at once. Up to 16 queries find their candidates, four at a time. Then each query has one
 * lane, in which it selects its nearest candidates and fits its plane.
 *
 * A query is computed alone if its codes are bounded, if it has too many candidates or nearly equal distances, or if it
 * is one of the last few rows.
 */
#include "knn_many.h"
#include "knn_doubles.h"
#include "knn_look.h"
#include "knn_tile.h"
#include "ridge_plane.h"

enum {
    MANY = ANB_KNN_MANY,
    TILE = ANB_KNN_TILE,
    WAITING = ANB_KNN_WAITING,
    CANDIDATES = 256, /* of one query */
    LISTED = 2048,    /* of all queries */
    NEIGHBOURS = ANB_KNN_MANY_K,
    NEXT = ANB_KNN_MANY_NEXT,
    COPIED = 16, /* at once: some more than there are, which costs less than a copy of any length */
    FEW = 3
};

/* Queries with candidates. */
typedef struct Waiting {
    size_t n, listed;                      /* queries; candidates of all */
    size_t at[WAITING], slot[WAITING];     /* row of each; where its features are */
    size_t first[WAITING], found[WAITING]; /* its candidates in `index` */
    uint32_t index[LISTED + CANDIDATES];   /* with room to read whole lanes */
} Waiting;

/* Their candidates, one query to a lane; empty lanes repeat the first. */
typedef struct Lane {
    size_t n, most; /* queries; the most candidates of one, up to a multiple of four */
    size_t of[MANY];
    _Alignas(64) float far[MANY][CANDIDATES]; /* distances of the candidates of each */
    float value[CANDIDATES * MANY];           /* the same of lanes */
} Lane;

/* The k nearest of the queries for which they are known; empty lanes repeat the first. */
typedef struct Nearest {
    size_t n, at[MANY]; /* queries, and the row of each */
    const float *query[MANY];
    _Alignas(64) uint32_t index[MANY * NEXT];
    float least[MANY * NEXT], square[NEXT * MANY]; /* squared distances, of each query and of lanes */
    double y[NEIGHBOURS * MANY];                   /* of lanes */
} Nearest;

typedef struct Batch {
    const AnbNode *self;
    const void *state;
    const AnbRows *rows;
    double *scratch, *out;
    View v;
    KnnScratch w;
    KnnSearch search; /* but for the query */
    size_t n, k;      /* rows of the window; neighbours */
    bool squared;     /* the squares of the window's codes are there */
    AnbKnnTile tile;
    size_t begun, tile_at[TILE]; /* queries with codes, and the row of each */
    size_t slots;                /* in use by waiting queries */
    Waiting waiting;
    Lane lane;
    Nearest nearest;
} Batch;

static void predict_alone(Batch *b, size_t i)
{
    AnbRow row = anb_rows_at(b->rows, i);
    b->out[i] = anb_knn_predict(b->self, b->state, &row, b->scratch);
    b->squared = false;
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

/* The features of waiting queries: behind the query of a single prediction. */
static float *slot_of(const Batch *b, size_t slot)
{
    return b->w.query + (slot + 1) * anb_knn_search_padded(b->v.d);
}

/* Row i into the tile. */
static void begin(Batch *b, size_t i)
{
    anb_knn_look_take(&b->v, b->rows->x + i * b->rows->x_stride, slot_of(b, b->slots + b->begun));
    b->tile_at[b->begun++] = i;
}

/* The codes of the rows of the tile; a row with a bounded code is predicted alone. All are encoded together, some time
 * after they were taken: a load of what was just stored in parts is slow. */
static void encode_tile(Batch *b)
{
    const size_t pairs = anb_knn_search_pairs(b->v.d), padded = anb_knn_search_padded(b->v.d);
    size_t kept = 0;
    for (size_t q = 0; q < b->begun; q++) {
        const float *query = slot_of(b, b->slots + q);
        if (anb_knn_look_encode(&b->v, query, &b->w)) {
            predict_alone(b, b->tile_at[q]);
            continue;
        }
        if (b->tile.shift < 0)
            anb_knn_tile_aim(&b->search.near, &b->tile, b->w.code);
        if (kept < q)
            memcpy(slot_of(b, b->slots + kept), query, padded * sizeof *query);
        anb_knn_tile_take(&b->tile, kept, pairs, b->w.code, b->v.turn->under_way ? b->w.older : NULL);
        b->tile_at[kept++] = b->tile_at[q];
    }
    b->begun = kept;
}

/* Query q of the tile, with its candidates. */
static void add_waiting(Batch *b, size_t q, size_t found)
{
    Waiting *w = &b->waiting;
    w->at[w->n] = b->tile_at[q];
    w->slot[w->n] = b->slots + q;
    w->first[w->n] = w->listed;
    w->found[w->n++] = found;
    for (size_t c = 0; c < found; c += COPIED)
        memcpy(w->index + w->listed + c, b->w.index + c, COPIED * sizeof *w->index);
    w->listed += found;
}

/* Row i with its candidates by a few features. Finding them for several queries at once is no faster
 * (docs/performance.md). */
static void begin_coarsely(Batch *b, size_t i)
{
    float *query = slot_of(b, b->slots);
    anb_knn_look_take(&b->v, b->rows->x + i * b->rows->x_stride, query);
    anb_knn_look_encode(&b->v, query, &b->w);
    const size_t found = anb_knn_look_nearby(&b->v, b->n, &b->w);
    if (found > CANDIDATES) {
        predict_alone(b, i);
        return;
    }
    b->tile_at[0] = i;
    add_waiting(b, 0, found);
    b->slots++;
}

/* Queries with too many candidates are computed alone after the distances of the tile have been read. */
static void search_tile(Batch *b)
{
    const AnbKnnTileWork work = {b->w.near, (int16_t *)b->w.far, (int16_t *)b->w.minima, b->search.work.sets};
    const AnbKnnSearch *near = &b->search.near;
    size_t alone[TILE], n_alone = 0;
    encode_tile(b);
    if (b->begun == 0)
        return;
    if (!b->squared)
        anb_knn_tile_squares(near, &b->tile, work.row_square);
    b->squared = true;
    anb_knn_tile_search(near, &b->tile, b->k, &work);
    for (size_t q = 0; q < b->begun; q++) {
        size_t found = anb_knn_tile_collect(near, &b->tile, q, &work, b->w.index);
        if (found <= CANDIDATES)
            add_waiting(b, q, found);
        else
            alone[n_alone++] = b->tile_at[q];
    }
    anb_knn_tile_follow(&b->tile, b->begun);
    for (size_t i = 0; i < n_alone; i++)
        predict_alone(b, alone[i]);
    b->slots += b->begun;
    b->begun = 0;
}

/* ---- the nearest of them ----------------------------------------------------------------------------------------- */

static const uint32_t *candidates(const Batch *b, size_t lane)
{
    return b->waiting.index + b->waiting.first[b->lane.of[lane]];
}

/* The distances of a waiting query's candidates; those that it lacks are infinitely far. */
static void take(Batch *b, size_t lane)
{
    const size_t of = b->lane.of[lane], found = b->waiting.found[of];
    float *far = b->lane.far[lane];
    anb_knn_search_far(b->v.x, b->v.d, candidates(b, lane), found, slot_of(b, b->waiting.slot[of]), b->w.metric, far);
    for (size_t c = found; c < anb_knn_search_padded(b->lane.most); c++)
        far[c] = INFINITY;
}

/* The first n waiting queries. */
static void fill(Batch *b, size_t n)
{
    Lane *l = &b->lane;
    size_t most = 0;
    l->n = n;
    for (size_t q = 0; q < MANY; q++) {
        l->of[q] = q < n ? q : 0;
        most = b->waiting.found[l->of[q]] > most ? b->waiting.found[l->of[q]] : most;
    }
    l->most = (most + 3) / 4 * 4;
    for (size_t q = 0; q < n; q++)
        take(b, q);
    for (size_t q = n; q < MANY; q++)
        memcpy(l->far[q], l->far[0], anb_knn_search_padded(l->most) * sizeof *l->far[0]);
    anb_knn_many_turn(l->far[0], CANDIDATES, l->most, l->value);
}

/* The k nearest of a query of which more lie within its bound, where the farthest of these are equally far: of the
 * latter the first ones, as anb_knn_search_nearest has it. False where they are not. */
static bool keep_tied(const Batch *b, size_t lane, float bound, uint32_t *index, float *least)
{
    const uint32_t *candidate = candidates(b, lane);
    const float *far = b->lane.far[lane];
    const size_t found = b->waiting.found[lane];
    size_t nearer = 0, within = 0, taken = 0;
    float last = 0;
    for (size_t c = 0; c < found; c++)
        last = far[c] <= bound && far[c] > last ? far[c] : last;
    for (size_t c = 0; c < found; c++) {
        nearer += far[c] < last;
        within += far[c] <= last;
    }
    if (nearer >= b->k || within < b->k)
        return false;
    size_t ties = b->k - nearer;
    for (size_t c = 0; c < found && taken < b->k; c++) {
        const bool tie = far[c] == last;
        if (far[c] > last || (tie && ties == 0))
            continue;
        ties -= tie;
        least[taken] = far[c];
        index[taken++] = candidate[c];
    }
    return true;
}

/* The nearest of a query by its bound, which k do not exceed if it is exact; false where they are not known. */
static bool keep(Batch *b, size_t lane, float bound, bool exact)
{
    Nearest *nearest = &b->nearest;
    const size_t to = nearest->n;
    uint32_t *index = nearest->index + to * NEXT;
    float *least = nearest->least + to * NEXT;
    if (exact)
        anb_knn_many_pick(b->lane.far[lane], candidates(b, lane), anb_knn_search_padded(b->lane.most), bound, index,
                          least);
    else if (!keep_tied(b, lane, bound, index, least))
        return false;
    for (size_t i = 0; i < b->k; i++)
        nearest->y[i * MANY + to] = b->v.y[index[i]];
    nearest->query[to] = slot_of(b, b->waiting.slot[lane]);
    nearest->at[nearest->n++] = b->waiting.at[lane];
    return true;
}

/* Fills the lanes behind the last query. */
static void repeat_first(Batch *b)
{
    Nearest *of = &b->nearest;
    for (size_t q = of->n; q < MANY; q++) {
        memcpy(of->index + q * NEXT, of->index, b->k * sizeof *of->index);
        memcpy(of->least + q * NEXT, of->least, b->k * sizeof *of->least);
        for (size_t i = 0; i < b->k; i++)
            of->y[i * MANY + q] = of->y[i * MANY];
        of->query[q] = of->query[0];
    }
}

/* Predictions from the nearest rows of each query. */
static void predict_nearest(Batch *b)
{
    _Alignas(64) float target[NEIGHBOURS * MANY], place[(ANB_KNN_MANY_D + 4) * MANY], plane[MANY], mean[MANY];
    double low[MANY], high[MANY];
    const Nearest *of = &b->nearest;
    const uint32_t *which = b->v.plane == b->v.d ? NULL : b->w.which;
    const AnbKnnNearest nearest = {b->v.x,    b->v.d,    b->v.plane, b->k,       which,
                                   b->w.root, of->index, of->query,  of->square, target};
    const AnbRidgeRule rule = {b->w.part, place, knn_ridge};
    repeat_first(b);
    anb_knn_many_turn(of->least, NEXT, (b->k + 3) / 4 * 4, b->nearest.square);
    anb_knn_doubles_targets(of->y, b->k, low, high, target);
    anb_knn_many_moments(&nearest, knn_soft, b->w.fit, place);
    anb_ridge_plane_fit_many(b->w.fit, b->v.plane, &rule, plane, mean);
    for (size_t q = 0; q < of->n; q++) {
        const KnnSide side = {low[q], high[q]};
        const KnnLook look = {.mean = anb_knn_in_units(&side, of->y[q], mean[q]),
                              .plane = anb_knn_in_units(&side, of->y[q], plane[q])};
        const bool fits = anb_knn_fits(&b->v, b->k, look.plane);
        b->out[of->at[q]] = fits ? anb_knn_within(&side, anb_knn_both(b->v.s, &look)) : look.mean;
    }
}

/* The nearest rows of the waiting queries; returns how many rows have to be predicted alone, and which. */
static size_t keep_all(Batch *b, size_t *alone)
{
    float bound[MANY];
    size_t left = 0;
    fill(b, b->waiting.n);
    const uint32_t exact = anb_knn_many_bound(b->lane.value, b->lane.most, b->k, bound);
    for (size_t q = 0; q < b->waiting.n; q++)
        if (!keep(b, q, bound[q], exact >> q & 1))
            alone[left++] = b->waiting.at[q];
    return left;
}

/* All waiting queries: alone where they are few, and where it is not known which rows are nearest. */
static void look_all(Batch *b)
{
    const size_t n = b->waiting.n;
    size_t alone[WAITING], left = 0;
    b->nearest.n = 0;
    if (n >= FEW)
        left = keep_all(b, alone);
    else
        for (; left < n; left++)
            alone[left] = b->waiting.at[left];
    if (b->nearest.n > 0)
        predict_nearest(b);
    for (size_t i = 0; i < left; i++)
        predict_alone(b, alone[i]);
    b->waiting.n = b->waiting.listed = b->slots = 0;
}

/* ---- all rows ---------------------------------------------------------------------------------------------------- */

static bool suits(const Batch *b)
{
    return b->n > 0 && b->rows->n >= FEW && b->v.plane <= ANB_KNN_MANY_D && b->k <= NEIGHBOURS && !b->v.s->bounded;
}

/* False where the rows are better predicted one by one. */
static bool start(Batch *b)
{
    b->v = anb_knn_view(b->self, b->state);
    b->w = anb_knn_scratch(b->self, &b->v, b->scratch);
    b->n = anb_ring_size(&b->v.s->ring, b->v.window);
    b->k = b->n < b->v.k ? b->n : b->v.k;
    b->squared = false;
    b->begun = b->slots = b->waiting.n = b->waiting.listed = 0;
    const size_t words = anb_knn_search_pairs(b->v.d);
    b->tile.query = b->w.codes;
    b->tile.older = b->tile.query + TILE * words;
    b->tile.shift = -1; /* none yet */
    /* Time, the same in all rows, is alone in its word. */
    b->tile.alike = b->v.given < b->v.d && b->v.d % 2 == 1;
    if (!suits(b))
        return false;
    memset(b->tile.query, 0, 2 * TILE * words * sizeof *b->tile.query);
    memset(b->tile.square, 0, sizeof b->tile.square);
    memset(b->tile.older_square, 0, sizeof b->tile.older_square);
    anb_knn_look_choose(&b->v, &b->w);
    b->search = anb_knn_look_search(&b->v, b->n, false, &b->w);
    return true;
}

/* Whether one more tile, or one more query, may not find room. */
static bool full(const Batch *b)
{
    if (b->v.coarse)
        return b->slots == WAITING || b->waiting.listed + CANDIDATES > LISTED;
    return b->slots + TILE > WAITING || b->waiting.listed + TILE * CANDIDATES > LISTED;
}

void anb_knn_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    Batch b; /* its arrays are filled as far as they are read */
    b.self = self;
    b.state = state;
    b.rows = rows;
    b.scratch = scratch;
    b.out = out;
    if (!start(&b)) {
        anb_predict_each(self, state, rows, scratch, out);
        return;
    }
    for (size_t i = 0; i < rows->n; i++) {
        if (b.v.coarse)
            begin_coarsely(&b, i);
        else
            begin(&b, i);
        if (b.begun == TILE)
            search_tile(&b);
        if (b.begun == 0 && full(&b))
            look_all(&b);
    }
    if (b.begun > 0)
        search_tile(&b);
    look_all(&b);
}
