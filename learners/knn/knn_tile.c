/* Four queries at once, over rows whose codes may be of two kinds. */
#include "knn_tile.h"
#include "knn_parts.h"

void anb_knn_tile_squares(const AnbKnnSearch *near, int32_t *row_square)
{
    anb_knn_tile_kernels.squares(near->code, near->rows, anb_knn_search_pairs(near->d), row_square);
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
    tile->square[q] = turn(code, pairs, tile->query + q * pairs);
    if (older)
        tile->older_square[q] = turn(older, pairs, tile->older + q * pairs);
}

void anb_knn_tile_search(const AnbKnnSearch *near, AnbKnnTile *tile, size_t k, const AnbKnnTileWork *work)
{
    const KnnParts p = anb_knn_parts(near, work->sets);
    const size_t pairs = anb_knn_search_pairs(near->d), newer = p.newer_sets * ANB_KNN_SEARCH_ROWS;
    const size_t older = p.older_sets * ANB_KNN_SEARCH_ROWS, next = newer + older;
    AnbKnnTilePart part = {near->code,
                           p.newer,
                           pairs,
                           work->row_square,
                           tile->query,
                           tile->square,
                           work->distance,
                           work->minima,
                           anb_knn_tile_next(near->rows),
                           next,
                           p.newer_sets};
    if (p.newer)
        anb_knn_tile_kernels.distances(&part);
    if (p.older) {
        AnbKnnTilePart rest = {part.code + p.newer * pairs,
                               p.older,
                               pairs,
                               part.row_square + p.newer,
                               tile->older,
                               tile->older_square,
                               part.distance + p.newer,
                               part.minima + newer,
                               part.next_distance,
                               next,
                               p.older_sets};
        anb_knn_tile_kernels.distances(&rest);
        for (size_t q = 0; q < ANB_KNN_TILE; q++)
            anb_knn_parts_stretch(rest.minima + q * next, older, near);
    }
    if (next > k)
        anb_knn_tile_kernels.bounds(work->minima, next, next, k, tile->bound);
    else
        for (size_t q = 0; q < ANB_KNN_TILE; q++)
            tile->bound[q] = INT32_MAX;
}

size_t anb_knn_tile_collect(const AnbKnnSearch *near, const AnbKnnTile *tile, size_t q, const AnbKnnTileWork *work,
                            uint32_t *index)
{
    const KnnParts p = anb_knn_parts(near, work->sets);
    return anb_knn_parts_collect(near, &p, work->distance + q * anb_knn_tile_next(near->rows), tile->bound[q], index);
}
