/*
 * Four queries of one window at once: each row's codes are loaded once for all of them.
 *
 *     |c - q|^2 = |c|^2 + |q|^2 + sum over the features of c_j (-2 q_j)
 *
 * in whole numbers, so that the distances are those of anb_knn_search_distances. With the squares |c|^2 of the rows
 * known, this takes two operations for two features instead of three.
 *
 * The time of arrival is the same for all queries of a batch. Where its code is alone in the last word of a row,
 * (c_j - q_j)^2 of it is added to the row's square once, and the codes of a query end before that word.
 *
 * Sums are kept in 16 bits, without their last `shift` bits; larger ones, and those of rows that do not
 * exist, are INT16_MAX. The shift follows from the bounds of earlier queries, so that twelve bits of a bound are kept.
 * Bounds are widened by the lost bits, so that none of the nearest rows is missed.
 *
 *     anb_knn_tile_aim, anb_knn_tile_take, anb_knn_tile_squares -> anb_knn_tile_search
 *     -> anb_knn_tile_collect for each query
 */
#ifndef ANB_LEARNERS_KNN_KNN_TILE_H
#define ANB_LEARNERS_KNN_KNN_TILE_H

#include "knn_parts.h"

enum { ANB_KNN_TILE = 4 }; /* queries */

/* Rows with codes by one set of factors, and where their distances are written. */
typedef struct AnbKnnTilePart {
    const uint32_t *code;
    size_t rows, pairs, own;        /* words of a row; of a query */
    const int32_t *row_square;      /* of each row */
    const uint32_t *query;          /* of the queries: `own` words, the codes times -2 */
    const int32_t *square;          /* of the queries */
    int16_t *distance, *minima;     /* out, of the queries */
    size_t next_distance, next_set; /* from one query to the next */
    size_t sets;                    /* as in anb_knn_search_distances */
    int shift;
} AnbKnnTilePart;

/* Rows with codes by one set of factors, and their squares. */
typedef struct AnbKnnTileSquares {
    const uint32_t *code;
    size_t rows, pairs;
    bool alike;    /* the last word counts by its difference from `last` */
    uint32_t last; /* word of all queries */
    int32_t *square;
} AnbKnnTileSquares;

typedef struct AnbKnnTileKernels {
    void (*squares)(const AnbKnnTileSquares *rows);
    void (*distances)(const AnbKnnTilePart *part);
    void (*bounds)(const int16_t *value, size_t next, size_t n, size_t k, int32_t *bound);
} AnbKnnTileKernels;

ANB_ISA_TABLE(AnbKnnTileKernels, anb_knn_tile_kernels);

/* The codes of the queries, by the factors and by those of older rows. */
typedef struct AnbKnnTile {
    uint32_t *query, *older; /* ANB_KNN_TILE times the words of a row, or one less where the last ones are the same */
    int32_t square[ANB_KNN_TILE], older_square[ANB_KNN_TILE];
    int32_t
        bound[ANB_KNN_TILE]; /* of the squared distances of codes, without their last bits; INT16_MAX: none is known */
    int32_t newer[ANB_KNN_TILE], older_most[ANB_KNN_TILE]; /* what a candidate's distance may be, by either factors */
    int shift;                                             /* bits that are left out */
    int32_t guess;                                         /* what a bound may be, 0 to INT16_MAX - 1 */
    bool alike;                                            /* the last words of all queries are the same */
    uint32_t last, older_last;                             /* that word, by either factors */
    KnnParts parts;                                        /* of the last search */
} AnbKnnTile;

/* Room of a search. */
typedef struct AnbKnnTileWork {
    int32_t *row_square; /* anb_knn_search_blocks(rows) * 32, from anb_knn_tile_squares */
    int16_t *distance;   /* ANB_KNN_TILE times anb_knn_tile_next(rows) */
    int16_t *minima;     /* ANB_KNN_TILE times (sets + 1) * 32 */
    size_t sets;
} AnbKnnTileWork;

/* From the distances of one query to those of the next: a block more than they take, so that stores for different
 * queries do not have the same address within a page, which would slow them down. */
static inline size_t anb_knn_tile_next(size_t rows)
{
    return (anb_knn_search_blocks(rows) + 1) * ANB_KNN_SEARCH_ROWS;
}

/* The shift and the guess for the first search, by the distances of a query's codes, by the factors of now, from the
 * first rows. */
void anb_knn_tile_aim(const AnbKnnSearch *near, AnbKnnTile *tile, const uint32_t *code);

/* Takes the codes of a query in as number q; `older` where there are older rows. */
void anb_knn_tile_take(AnbKnnTile *tile, size_t q, size_t pairs, const uint32_t *code, const uint32_t *older);

/* Squares of the codes of the rows in use; where the queries' last words are the same, for any queries with the last
 * word of those that were taken in. */
void anb_knn_tile_squares(const AnbKnnSearch *near, const AnbKnnTile *tile, int32_t *row_square);

/* Distances of all rows, and for each query a bound within which k rows or more lie, 1 <= k <= near->rows. No code of
 * the window or of a query may be bounded. */
void anb_knn_tile_search(const AnbKnnSearch *near, AnbKnnTile *tile, size_t k, const AnbKnnTileWork *work);

/* The shift and the guess for the next search, by the bounds of the first n queries of this one. */
void anb_knn_tile_follow(AnbKnnTile *tile, size_t n);

/* Rows that may be among the k nearest of query q, in order, all where no bound is known; returns how many. `index` as
 * in anb_knn_search_collect. */
size_t anb_knn_tile_collect(const AnbKnnSearch *near, const AnbKnnTile *tile, size_t q, const AnbKnnTileWork *work,
                            uint32_t *index);

#endif
