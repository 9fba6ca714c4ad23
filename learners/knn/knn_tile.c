/* Four queries at once, over rows whose codes may be of two kinds. */
#include "knn_tile.h"
#include "knn_coarse.h"

void anb_knn_tile_squares(const AnbKnnSearch *near, const AnbKnnTile *tile, int32_t *row_square)
{
    const KnnParts p = anb_knn_parts(near, 1);
    const size_t pairs = anb_knn_search_pairs(near->d);
    const AnbKnnTileSquares newer = {near->code, p.newer, pairs, tile->alike, tile->last, row_square};
    const AnbKnnTileSquares older = {near->code + p.newer * pairs, p.older, pairs, tile->alike, tile->older_last,
                                     row_square + p.newer};
    anb_knn_tile_kernels.squares(&newer);
    anb_knn_tile_kernels.squares(&older);
}

/* Writes words of the codes times -2; returns the sum of the squares of the codes. */
static int32_t turn(const uint32_t *code, size_t pairs, uint32_t *out)
{
    int32_t square = 0;
    for (size_t j = 0; j < pairs; j++) {
        int low = anb_knn_search_low(code[j]), high = anb_knn_search_high(code[j]);
        square += low * low + high * high;
        out[j] = anb_knn_search_pair(-2 * low, -2 * high);
    }
    return square;
}

void anb_knn_tile_take(AnbKnnTile *tile, size_t q, size_t pairs, const uint32_t *code, const uint32_t *older)
{
    const size_t own = pairs - tile->alike;
    tile->square[q] = turn(code, own, tile->query + q * own);
    tile->last = code[pairs - 1];
    if (!older)
        return;
    tile->older_square[q] = turn(older, own, tile->older + q * own);
    tile->older_last = older[pairs - 1];
}

/* How many bits a number >= 0 has. */
static int bits_of(int32_t value)
{
    return value > 0 ? 32 - __builtin_clz((unsigned)value) : 0;
}

void anb_knn_tile_aim(const AnbKnnSearch *near, AnbKnnTile *tile, const uint32_t *code)
{
    enum {
        BLOCKS = 2,
        ROWS = BLOCKS * ANB_KNN_SEARCH_ROWS,
        NEARER = 8,
        BITS = 13
    }; /* of a distance that eight rows have */
    int32_t distance[ROWS], minima[ANB_KNN_SEARCH_ROWS];
    const size_t rows = near->rows < ROWS ? near->rows : ROWS;
    anb_knn_search_distances(near->code, rows, anb_knn_search_pairs(near->d), code, distance, minima, 1);
    const int bits = bits_of(anb_knn_search_bound(minima, ANB_KNN_SEARCH_ROWS, NEARER));
    tile->shift = bits > BITS ? bits - BITS : 0;
    tile->guess = 1 << (BITS - 1);
}

/* The largest distance that is `half` without its last bits. */
static int32_t whole(int32_t half, int shift)
{
    const int64_t end = ((int64_t)half + 1) << shift;
    return end < INT32_MAX ? (int32_t)(end - 1) : INT32_MAX - 1;
}

void anb_knn_tile_follow(AnbKnnTile *tile, size_t n)
{
    enum { BITS = 12, STEP = 4, MOST = 16 };
    int32_t most = 0;
    int64_t sum = 0;
    for (size_t q = 0; q < n; q++) {
        most = tile->bound[q] > most ? tile->bound[q] : most;
        sum += tile->bound[q];
    }
    const int bits = bits_of(whole(most, tile->shift)), shift = most < INT16_MAX - 1 ? bits - BITS : tile->shift + STEP;
    const int32_t mean = whole((int32_t)(sum / (int64_t)n), tile->shift);
    tile->shift = shift < 0 ? 0 : shift < MOST ? shift : MOST;
    tile->guess = mean >> tile->shift < INT16_MAX ? mean >> tile->shift : INT16_MAX - 1;
}

/* Minima by older codes become bounds of what those by the new factors may be at most. */
static void stretch(const AnbKnnSearch *near, int shift, size_t n, int16_t *minima)
{
    int32_t minimum[ANB_KNN_SEARCH_ROWS];
    for (size_t from = 0; from < n; from += ANB_KNN_SEARCH_ROWS) {
        for (size_t i = 0; i < ANB_KNN_SEARCH_ROWS; i++)
            minimum[i] = minima[from + i] < INT16_MAX ? whole(minima[from + i], shift) : INT32_MAX;
        anb_knn_parts_stretch(minimum, ANB_KNN_SEARCH_ROWS, near);
        for (size_t i = 0; i < ANB_KNN_SEARCH_ROWS; i++)
            minima[from + i] = (int16_t)(minimum[i] >> shift < INT16_MAX ? minimum[i] >> shift : INT16_MAX);
    }
}

/* Limits of single distances by the bounds, of all queries at once: their roots are computed side by side. */
static void widen(const AnbKnnSearch *near, AnbKnnTile *tile)
{
    const double more = anb_knn_search_margin(near->d);
    for (size_t q = 0; q < ANB_KNN_TILE; q++)
        tile->newer[q] = anb_knn_search_widen_by(whole(tile->bound[q], tile->shift), more) >> tile->shift;
    for (size_t q = 0; q < ANB_KNN_TILE && tile->parts.older; q++)
        tile->older_most[q] = anb_knn_parts_widen_older(whole(tile->bound[q], tile->shift), near) >> tile->shift;
}

void anb_knn_tile_search(const AnbKnnSearch *near, AnbKnnTile *tile, size_t k, const AnbKnnTileWork *work)
{
    const KnnParts p = tile->parts = anb_knn_parts(near, work->sets);
    const size_t pairs = anb_knn_search_pairs(near->d), newer = p.newer_sets * ANB_KNN_SEARCH_ROWS;
    const size_t older = p.older_sets * ANB_KNN_SEARCH_ROWS, next = newer + older;
    const AnbKnnTilePart part = {.code = near->code,
                                 .rows = p.newer,
                                 .pairs = pairs,
                                 .own = pairs - tile->alike,
                                 .row_square = work->row_square,
                                 .query = tile->query,
                                 .square = tile->square,
                                 .distance = work->distance,
                                 .minima = work->minima,
                                 .next_distance = anb_knn_tile_next(near->rows),
                                 .next_set = next,
                                 .sets = p.newer_sets,
                                 .shift = tile->shift};
    if (p.newer)
        anb_knn_tile_kernels.distances(&part);
    if (p.older) {
        AnbKnnTilePart rest = part;
        rest.code += p.newer * pairs;
        rest.rows = p.older;
        rest.row_square += p.newer;
        rest.query = tile->older;
        rest.square = tile->older_square;
        rest.distance += p.newer;
        rest.minima += newer;
        rest.sets = p.older_sets;
        anb_knn_tile_kernels.distances(&rest);
        for (size_t q = 0; q < ANB_KNN_TILE; q++)
            stretch(near, tile->shift, older, rest.minima + q * next);
    }
    for (size_t q = 0; q < ANB_KNN_TILE; q++)
        tile->bound[q] = next > k ? tile->guess : INT16_MAX;
    if (next > k)
        anb_knn_tile_kernels.bounds(work->minima, next, next, k, tile->bound);
    widen(near, tile);
}

static size_t list_all(size_t rows, uint32_t *index)
{
    for (size_t i = 0; i < rows; i++)
        index[i] = (uint32_t)i;
    return rows;
}

size_t anb_knn_tile_collect(const AnbKnnSearch *near, const AnbKnnTile *tile, size_t q, const AnbKnnTileWork *work,
                            uint32_t *index)
{
    const KnnParts p = tile->parts;
    const int16_t *distance = work->distance + q * anb_knn_tile_next(near->rows);
    const int32_t newer = tile->newer[q], older = p.older ? tile->older_most[q] : 0;
    if (tile->bound[q] >= INT16_MAX - 1 || newer >= INT16_MAX || older >= INT16_MAX)
        return list_all(near->rows, index);
    size_t found = p.newer ? anb_knn_coarse_collect(distance, p.newer, (int16_t)newer, index) : 0;
    const size_t first = found;
    if (p.older)
        found += anb_knn_coarse_collect(distance + p.newer, p.older, (int16_t)older, index + found);
    for (size_t i = first; i < found; i++)
        index[i] += (uint32_t)p.newer;
    return found;
}
