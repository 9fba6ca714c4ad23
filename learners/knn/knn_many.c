/*
 * Many looks: up to 16 queries find their candidates, four at a time; then eight, one to a lane, choose the nearest of
 * theirs and fit their planes. A query that this does not suit is asked alone: bounded codes, too many candidates, equal
 * distances, the last few rows.
 */
#include "knn_many.h"
#include "knn_look.h"
#include "knn_tile.h"
#include "ridge_plane.h"

enum {
    MANY = ANB_KNN_MANY,
    TILE = ANB_KNN_TILE,
    WAITING = ANB_KNN_WAITING,
    CANDIDATES = 256, /* of one query */
    LISTED = 2048,    /* of all that wait */
    NEIGHBOURS = 2 * ANB_KNN_PLANE,
    FEW = 3
};

/* Queries with candidates. */
typedef struct Waiting {
    size_t n, listed;                      /* queries; candidates of all */
    size_t at[WAITING], slot[WAITING];     /* row of each; where its features are */
    size_t first[WAITING], found[WAITING]; /* its candidates in `index` */
    uint32_t index[LISTED];
} Waiting;

/* Some of them, one to a lane; empty lanes repeat the first. */
typedef struct Lane {
    size_t n, most; /* queries; the most candidates of one, up to a multiple of eight */
    size_t of[MANY];
    _Alignas(64) double query[ANB_KNN_MANY_D * MANY]; /* features of the plane */
    double far[MANY][CANDIDATES];                     /* distances of the candidates of each */
    double value[CANDIDATES * MANY];                  /* the same of lanes */
} Lane;

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
    size_t slots;                /* in use by queries that wait */
    Waiting waiting;
    Lane lane;
} Batch;

/* The k nearest of all lanes. */
typedef struct Nearest {
    _Alignas(64) uint32_t index[NEIGHBOURS * MANY];
    double y[NEIGHBOURS * MANY], weight[NEIGHBOURS * MANY];
} Nearest;

static void ask_alone(Batch *b, size_t i)
{
    AnbRow row = anb_rows_at(b->rows, i);
    b->out[i] = anb_knn_predict(b->self, b->state, &row, b->scratch);
    b->squared = false;
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

/* Behind the query of one look. */
static double *slot_of(const Batch *b, size_t slot)
{
    return b->w.query + (slot + 1) * anb_knn_search_padded(b->v.d);
}

/* Row i into the tile; one with bounded codes is asked alone. */
static void begin(Batch *b, size_t i)
{
    const size_t pairs = anb_knn_search_pairs(b->v.d), padded = anb_knn_search_padded(b->v.d);
    if (anb_knn_look_begin(&b->v, b->rows->x + i * b->rows->x_stride, &b->w)) {
        ask_alone(b, i);
        return;
    }
    memcpy(slot_of(b, b->slots + b->begun), b->w.query, padded * sizeof *b->w.query);
    anb_knn_tile_take(&b->tile, b->begun, pairs, b->w.code, b->v.turn->under_way ? b->w.code + pairs : NULL);
    b->tile_at[b->begun++] = i;
}

/* Query q of the tile, with its candidates. */
static void wait_its_turn(Batch *b, size_t q, size_t found)
{
    Waiting *w = &b->waiting;
    w->at[w->n] = b->tile_at[q];
    w->slot[w->n] = b->slots + q;
    w->first[w->n] = w->listed;
    w->found[w->n++] = found;
    memcpy(w->index + w->listed, b->w.index, found * sizeof *w->index);
    w->listed += found;
}

/* Row i with its candidates by a few features; there is little in finding them that several queries could share. */
static void begin_coarsely(Batch *b, size_t i)
{
    anb_knn_look_begin(&b->v, b->rows->x + i * b->rows->x_stride, &b->w);
    const size_t found = anb_knn_look_nearby(&b->v, b->n, &b->w);
    if (found > CANDIDATES) {
        ask_alone(b, i);
        return;
    }
    memcpy(slot_of(b, b->slots), b->w.query, anb_knn_search_padded(b->v.d) * sizeof *b->w.query);
    b->tile_at[0] = i;
    wait_its_turn(b, 0, found);
    b->slots++;
}

/* Those with too many candidates are asked alone once the distances have been read. */
static void search_tile(Batch *b)
{
    const AnbKnnTileWork work = {b->w.near, (int32_t *)b->w.far, b->w.minima, b->search.work.sets};
    const AnbKnnSearch *near = &b->search.near;
    size_t alone[TILE], n_alone = 0;
    if (!b->squared)
        anb_knn_tile_squares(near, work.row_square);
    b->squared = true;
    anb_knn_tile_search(near, &b->tile, b->k, &work);
    for (size_t q = 0; q < b->begun; q++) {
        size_t found = anb_knn_tile_collect(near, &b->tile, q, &work, b->w.index);
        if (found <= CANDIDATES)
            wait_its_turn(b, q, found);
        else
            alone[n_alone++] = b->tile_at[q];
    }
    for (size_t i = 0; i < n_alone; i++)
        ask_alone(b, alone[i]);
    b->slots += b->begun;
    b->begun = 0;
}

/* ---- the nearest of them ----------------------------------------------------------------------------------------- */

static const uint32_t *candidates(const Batch *b, size_t lane)
{
    return b->waiting.index + b->waiting.first[b->lane.of[lane]];
}

/* A waiting query into its lane; candidates that it lacks are infinitely far. */
static void take(Batch *b, size_t lane)
{
    const size_t of = b->lane.of[lane], found = b->waiting.found[of];
    const double *query = slot_of(b, b->waiting.slot[of]);
    const bool all = b->v.plane == b->v.d;
    double *far = b->lane.far[lane];
    anb_knn_search_far(b->v.x, b->v.d, candidates(b, lane), found, query, b->v.metric, far);
    for (size_t c = found; c < b->lane.most; c++)
        far[c] = (double)INFINITY;
    for (size_t p = 0; p < b->v.plane; p++)
        b->lane.query[p * MANY + lane] = query[all ? p : b->w.which[p]];
}

/* The first query into an empty lane. */
static void repeat(Batch *b, size_t lane)
{
    memcpy(b->lane.far[lane], b->lane.far[0], b->lane.most * sizeof *b->lane.far[0]);
    for (size_t p = 0; p < b->v.plane; p++)
        b->lane.query[p * MANY + lane] = b->lane.query[p * MANY];
}

/* Up to eight, from `first` on. */
static void fill(Batch *b, size_t first, size_t n)
{
    Lane *l = &b->lane;
    size_t most = 0;
    l->n = n;
    for (size_t q = 0; q < MANY; q++) {
        l->of[q] = first + (q < n ? q : 0);
        most = b->waiting.found[l->of[q]] > most ? b->waiting.found[l->of[q]] : most;
    }
    l->most = (most + MANY - 1) / MANY * MANY;
    for (size_t q = 0; q < n; q++)
        take(b, q);
    for (size_t q = n; q < MANY; q++)
        repeat(b, q);
    anb_knn_many_turn(l->far[0], CANDIDATES, l->most, l->value);
}

/* The candidates within each query's bound. They are k of each: anb_knn_many_bound has counted them. */
static void keep(const Batch *b, const double *bound, Nearest *nearest)
{
    uint32_t place[CANDIDATES + ANB_KNN_SEARCH_SPARE];
    for (size_t q = 0; q < MANY; q++) {
        const uint32_t *index = candidates(b, q);
        const double *far = b->lane.far[q];
        (void)anb_knn_many_within(far, b->lane.most, bound[q], place);
        for (size_t i = 0; i < b->k; i++) {
            const size_t c = place[i], to = i * MANY + q;
            nearest->index[to] = index[c];
            nearest->weight[to] = far[c];
            nearest->y[to] = b->v.y[index[c]];
        }
    }
}

/* What the nearest of each say. */
static void answer(const Batch *b, Nearest *nearest)
{
    double low[MANY], high[MANY], plane[MANY], mean[MANY], inverse[ANB_KNN_MANY_D] = {0};
    const uint32_t *which = b->v.plane == b->v.d ? NULL : b->w.which;
    const AnbKnnNearest near = {b->v.x,         b->v.d,     b->v.plane,      b->k,   which, b->lane.query,
                                nearest->index, nearest->y, nearest->weight, inverse};
    for (size_t p = 0; p < b->v.plane; p++)
        inverse[p] = b->v.inverse[which ? which[p] : p];
    anb_knn_many_moments(&near, knn_soft, b->w.fit, low, high);
    anb_ridge_plane_fit_many(b->w.fit, b->v.plane, b->w.part, knn_ridge, plane, mean);
    for (size_t q = 0; q < b->lane.n; q++) {
        KnnLook look = {.mean = mean[q], .plane = plane[q]};
        KnnSide side = {low[q], high[q]};
        bool fits = anb_knn_fits(&b->v, b->k, plane[q]);
        b->out[b->waiting.at[b->lane.of[q]]] = fits ? anb_knn_within(&side, anb_knn_both(b->v.s, &look)) : mean[q];
    }
}

static void look(Batch *b, size_t first, size_t n)
{
    double bound[MANY];
    Nearest nearest;
    bool together = n >= FEW;
    if (together) {
        fill(b, first, n);
        together = anb_knn_many_bound(b->lane.value, b->lane.most, b->k, bound);
    }
    if (together) {
        keep(b, bound, &nearest);
        answer(b, &nearest);
    } else
        for (size_t q = 0; q < n; q++)
            ask_alone(b, b->waiting.at[first + q]);
}

/* All that wait. */
static void look_all(Batch *b)
{
    const size_t n = b->waiting.n;
    for (size_t first = 0; first < n; first += MANY)
        look(b, first, n - first < MANY ? n - first : MANY);
    b->waiting.n = b->waiting.listed = b->slots = 0;
}

/* ---- all rows ---------------------------------------------------------------------------------------------------- */

static bool suits(const Batch *b)
{
    return b->n > 0 && b->rows->n >= FEW && b->v.plane <= ANB_KNN_MANY_D && b->k <= NEIGHBOURS && !b->v.s->bounded;
}

/* False where the rows are better asked one by one. */
static bool start(Batch *b)
{
    b->v = anb_knn_view(b->self, b->state);
    b->w = anb_knn_scratch(b->self, b->scratch);
    b->n = anb_ring_size(&b->v.s->ring, b->v.window);
    b->k = b->n < b->v.k ? b->n : b->v.k;
    b->squared = false;
    b->begun = b->slots = b->waiting.n = b->waiting.listed = 0;
    const size_t words = anb_knn_search_pairs(b->v.d);
    b->tile.query = b->w.code + 2 * words;
    b->tile.older = b->tile.query + TILE * words;
    if (!suits(b))
        return false;
    memset(b->tile.query, 0, 2 * TILE * words * sizeof *b->tile.query);
    memset(b->tile.square, 0, sizeof b->tile.square);
    memset(b->tile.older_square, 0, sizeof b->tile.older_square);
    memset(b->lane.query, 0, sizeof b->lane.query);
    anb_knn_look_choose(&b->v, &b->w);
    b->search = anb_knn_look_search(&b->v, b->n, false, &b->w);
    return true;
}

/* Whether one more tile, or one more query, may not find room. */
static bool full(const Batch *b)
{
    if (b->v.coarse)
        return b->slots == MANY;
    return b->slots + TILE > anb_knn_waiting(b->v.d) || b->waiting.listed + TILE * CANDIDATES > LISTED;
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
