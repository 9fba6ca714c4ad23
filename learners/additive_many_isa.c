/* Predictions of `additive` for eight rows, one to a lane, compiled once per instruction set: the sums of predict in
 * additive.c in the same order, without the variance, which only learning needs. */
#include "src/simd/lanes.h"
#include "src/simd/turn.h"
#include "additive.h"

typedef float Eight __attribute__((vector_size(32), may_alias));

/* An index for each of eight rows. */
typedef struct Where {
    uint32_t at[LANES];
} Where;

LANES_INLINE Lanes gathered(const double *from, const Where *w)
{
    const uint32_t *at = w->at;
#if LANES_BYTES == 64
    return (Lanes){
        {from[at[0]], from[at[1]], from[at[2]], from[at[3]], from[at[4]], from[at[5]], from[at[6]], from[at[7]]}};
#elif LANES_BYTES == 32
    return (Lanes){{from[at[0]], from[at[1]], from[at[2]], from[at[3]]},
                   {from[at[4]], from[at[5]], from[at[6]], from[at[7]]}};
#else
    return (Lanes){
        {from[at[0]], from[at[1]]}, {from[at[2]], from[at[3]]}, {from[at[4]], from[at[5]]}, {from[at[6]], from[at[7]]}};
#endif
}

/* Whole numbers, from 0 to 2^31. */
LANES_INLINE Where whole(Lanes l)
{
    Where w;
#if LANES_BYTES == 64
    _mm256_storeu_si256((__m256i *)w.at, _mm512_cvttpd_epi32((__m512d)l.a));
#elif LANES_BYTES == 32
    _mm_storeu_si128((__m128i *)w.at, _mm256_cvttpd_epi32((__m256d)l.a));
    _mm_storeu_si128((__m128i *)(w.at + 4), _mm256_cvttpd_epi32((__m256d)l.b));
#else
    double all[LANES];
    lanes_store(all, l);
    for (size_t i = 0; i < LANES; i++)
        w.at[i] = (uint32_t)(int32_t)all[i];
#endif
    __asm__("" : "+m"(w)); /* forces a store: reading the lanes from memory is faster than extracting them */
    return w;
}

/* n + 1 where r > knot, else n. With AVX-512 n is a double, by a masked addition; elsewhere n is an integer in the bits
 * of a double, from which the mask (-1) is subtracted. */
LANES_INLINE Lanes one_more_above(Lanes n, Lanes r, double knot)
{
#if LANES_BYTES == 64
    __mmask8 above = _mm512_cmp_pd_mask((__m512d)r.a, _mm512_set1_pd(knot), _CMP_GT_OQ);
    return (Lanes){(LanesPart)_mm512_mask_add_pd((__m512d)n.a, above, (__m512d)n.a, _mm512_set1_pd(1))};
#else
#define LANES_OP(p, at) n.p = (LanesPart)((LanesMask)n.p - (r.p > knot));
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return n;
#endif
}

/* The sum of three such counts, as doubles. */
LANES_INLINE Lanes counted(const Lanes n[3])
{
#if LANES_BYTES == 64
    return lanes_add(lanes_add(n[0], n[1]), n[2]);
#else
    const LanesMask shift = (LanesMask)(0x1p52 - (LanesPart){0});
    Lanes sum;
#define LANES_OP(p, at) sum.p = (LanesPart)(shift + (LanesMask)n[0].p + (LanesMask)n[1].p + (LanesMask)n[2].p) - 0x1p52;
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return sum;
#endif
}

/* How many knots lie below; 0 where the value is missing. */
LANES_INLINE Lanes knots_below(const double *knots, Lanes r)
{
    Lanes n[3] = {lanes_zero(), lanes_zero(), lanes_zero()};
    for (size_t i = 0; i < ANB_KNOTS; i += 3)
        for (size_t k = 0; k < 3; k++)
            n[k] = one_more_above(n[k], r, knots[i + k]);
    return counted(n);
}

/* ---- tables of one feature, looked up in registers where they fit ------------------------------------------------ */

#if LANES_BYTES == 64
/* Whole numbers as the low bits of each lane. */
LANES_INLINE __m512i low_bits(Lanes index)
{
    return (__m512i)(index.a + 0x1p52);
}

LANES_INLINE __mmask8 from_on(Lanes index, double first)
{
    return _mm512_cmp_pd_mask((__m512d)index.a, _mm512_set1_pd(first), _CMP_GE_OQ);
}

/* Knots 0 to 23. */
LANES_INLINE Lanes knots_at(const double *knots, Lanes index)
{
    const __m512i at = low_bits(index);
    __m512d low = _mm512_permutex2var_pd(_mm512_loadu_pd(knots), at, _mm512_loadu_pd(knots + 8));
    return (Lanes){(LanesPart)_mm512_mask_permutexvar_pd(low, from_on(index, 16), at, _mm512_loadu_pd(knots + 16))};
}

/* The weights of eight nodes of a curve: every second double of it. */
LANES_INLINE __m512d nodes_at(const double *curve, __m512i at)
{
    return _mm512_permutex2var_pd(_mm512_loadu_pd(curve), at, _mm512_loadu_pd(curve + 8));
}

/* The weights of nodes 0 to 24. */
LANES_INLINE Lanes curve_at(const AdditiveTerm *curve, Lanes index)
{
    const double *w = &curve->w;
    const __m512i at = low_bits(lanes_add(index, index));
    __m512d value = _mm512_mask_blend_pd(from_on(index, 8), nodes_at(w, at), nodes_at(w + 16, at));
    value = _mm512_mask_blend_pd(from_on(index, 16), value, nodes_at(w + 32, at));
    return (Lanes){(LanesPart)_mm512_mask_blend_pd(from_on(index, 24), value, _mm512_set1_pd(curve[24].w))};
}
#else
LANES_INLINE Lanes knots_at(const double *knots, Lanes index)
{
    const Where at = whole(index);
    return gathered(knots, &at);
}

LANES_INLINE Lanes curve_at(const AdditiveTerm *curve, Lanes index)
{
    const Where at = whole(lanes_add(index, index));
    return gathered(&curve->w, &at);
}
#endif

/* The values that lie between two knots, and where. */
typedef struct Spots {
    Lanes share;
    Lanes low, high; /* nodes of the curve */
    Where band;
} Spots;

LANES_INLINE Spots spots_of(const AdditiveView *v, size_t j, Lanes r)
{
    const double *knots = v->knots + j * ANB_KNOTS, bands = (double)v->bands, count = v->count[j];
    const Lanes none = lanes_zero(), one = lanes_all(1), all = lanes_all(count), missing = lanes_all(ANB_KNOTS);
    Lanes below = lanes_min(knots_below(knots, r), all), low = lanes_max(lanes_sub(below, one), none);
    Lanes high = lanes_where_above(all, below, below, low), band = below;
    if (count > bands) /* a quotient of such numbers is whole, or a 24th from it at least */
        band = lanes_add(lanes_mul(below, lanes_all(bands / count)), lanes_all(1e-6));
    band = lanes_min(band, lanes_all(bands - 1));
    Lanes from = knots_at(knots, low), width = lanes_sub(knots_at(knots, high), from);
    Lanes share = lanes_div(lanes_sub(r, from), width);
    share = lanes_where_above(share, none, lanes_where_above(share, one, none, share), none);
    return (Spots){.share = lanes_where_above(high, low, share, none),
                   .low = lanes_where_number(r, low, missing),
                   .high = lanes_where_number(r, high, missing),
                   .band = whole(lanes_where_number(r, band, lanes_all(bands)))};
}

/* Bands as rows and columns of tables. */
typedef struct Bands {
    uint32_t row[ANB_ADDITIVE_MANY_D][LANES], column[ANB_ADDITIVE_MANY_D][LANES];
} Bands;

/* Bands of the rows in feature j. */
LANES_INLINE void note_bands(const AdditiveView *v, size_t j, const Where *band, Bands *bands)
{
    for (size_t r = 0; r < LANES; r++) {
        bands->column[j][r] = band->at[r];
        bands->row[j][r] = band->at[r] * (uint32_t)v->stride;
    }
}

/* The terms of single features, of columns of x and of raw cells. */
LANES_INLINE Lanes sum_features(const AdditiveView *v, const double *x, const double *raw, Bands *bands)
{
    const Lanes one = lanes_all(1), none = lanes_zero(), far = lanes_all(ANB_FARTHEST), near = lanes_all(-ANB_FARTHEST);
    Lanes sum = none;
    for (size_t j = 0; j < v->d; j++, x += LANES, raw += LANES) {
        const Spots s = spots_of(v, j, lanes_load(raw));
        const AdditiveTerm *curve = v->curve + j * ANB_NODES;
        Lanes at = lanes_add(lanes_mul(curve_at(curve, s.low), lanes_sub(one, s.share)),
                             lanes_mul(curve_at(curve, s.high), s.share));
        Lanes cell = lanes_load(x);
        cell = lanes_where_number(cell, lanes_max(near, lanes_min(far, cell)), none);
        sum = lanes_add(sum, lanes_add(lanes_mul(lanes_all(v->lift[j]), at), lanes_mul(lanes_all(v->line[j].w), cell)));
        note_bands(v, j, &s.band, bands);
    }
    return sum;
}

LANES_INLINE Lanes doubles_of(Eight v)
{
    double all[LANES];
    for (size_t i = 0; i < LANES; i++)
        all[i] = (double)v[i];
    return lanes_load(all);
}

/* The tables' cells, summed as `say` of additive_isa.c does: every eighth one together. */
LANES_INLINE Lanes sum_pairs(const AdditiveView *v, const Bands *bands)
{
    Eight sum[LANES] = {{0}};
    const size_t size = v->stride * v->stride;
    const AdditiveCell *cell = v->cell + 1;
    for (size_t k = 0; k < v->pairs; k++, cell += size) {
        const uint32_t *row = bands->row[v->left[k]], *column = bands->column[v->right[k]];
        Eight w;
        for (size_t r = 0; r < LANES; r++)
            w[r] = cell[row[r] + column[r]].w;
        sum[k % LANES] += v->lifts[k] * w;
    }
    Lanes s[LANES];
    for (size_t l = 0; l < LANES; l++)
        s[l] = doubles_of(sum[l]);
    return lanes_add(lanes_add(lanes_add(s[0], s[4]), lanes_add(s[2], s[6])),
                     lanes_add(lanes_add(s[1], s[5]), lanes_add(s[3], s[7])));
}

static void predict_rows(const AdditiveView *v, const AnbRows *rows, double *out)
{
    Bands bands;
    _Alignas(64) double x[ANB_ADDITIVE_MANY_D * LANES], given[ANB_ADDITIVE_MANY_D * LANES], *raw = given;
    anb_turn_rows(rows->x, rows->x_stride, rows->n, v->d, LANES, x);
    if (rows->raw == rows->x)
        raw = x;
    else
        anb_turn_rows(rows->raw, rows->raw_stride, rows->n, v->d, LANES, raw);
    Lanes own = sum_features(v, x, raw, &bands), sum = lanes_add(own, sum_pairs(v, &bands)), none = lanes_zero();
    Lanes f = lanes_add(lanes_all(v->head->constant), lanes_mul(lanes_all(v->head->unit), sum));
    lanes_store(out, lanes_where_number(lanes_sub(f, f), f, none));
}

const AdditiveManyKernels ANB_PER_ISA(anb_additive_many_kernels) = {predict_rows};
ANB_ISA_REGISTER(AdditiveManyKernels, anb_additive_many_kernels)
