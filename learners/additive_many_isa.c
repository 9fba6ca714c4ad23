/* Predictions of `additive` for eight rows, one to a lane, compiled once per instruction set: what predict of additive.c does
 * of each, in its order, but for the variance, which only learning wants. */
#include "src/simd/lanes.h"
#include "additive.h"

typedef float Eight __attribute__((vector_size(32), may_alias));

/* Where values of eight rows lie behind a place. */
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
    __asm__("" : "+m"(w)); /* read from memory: to take each out of a vector costs more */
    return w;
}

/* Row r of n, or the last one. */
LANES_INLINE Where rows_of(size_t n, size_t stride)
{
    Where w;
    for (size_t r = 0; r < LANES; r++)
        w.at[r] = (uint32_t)((r < n ? r : n - 1) * stride);
    return w;
}

/* How many knots lie below; 0 where the value is missing. */
LANES_INLINE Lanes knots_below(const double *knots, Lanes r)
{
    const Lanes one = lanes_all(1), none = lanes_zero();
    Lanes n[3] = {none, none, none};
    for (size_t i = 0; i < ANB_KNOTS; i += 3)
        for (size_t k = 0; k < 3; k++)
            n[k] = lanes_add(n[k], lanes_where_above(r, lanes_all(knots[i + k]), one, none));
    return lanes_add(lanes_add(n[0], n[1]), n[2]);
}

/* The values that lie between two knots, and where. */
typedef struct Spots {
    Lanes share;
    Where low, high; /* knots */
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
    Spots s = {none, whole(low), whole(high), whole(lanes_where_number(r, band, lanes_all(bands)))};
    Lanes from = gathered(knots, &s.low), width = lanes_sub(gathered(knots, &s.high), from);
    Lanes share = lanes_div(lanes_sub(r, from), width);
    share = lanes_where_above(share, none, lanes_where_above(share, one, none, share), none);
    s.share = lanes_where_above(high, low, share, none);
    s.low = whole(lanes_where_number(r, lanes_add(low, low), lanes_add(missing, missing)));
    s.high = whole(lanes_where_number(r, lanes_add(high, high), lanes_add(missing, missing)));
    return s;
}

/* Bands as rows and columns of tables. */
typedef struct Bands {
    uint32_t row[ANB_ADDITIVE_MANY_D][LANES], column[ANB_ADDITIVE_MANY_D][LANES];
} Bands;

/* The terms of single features. */
LANES_INLINE Lanes say_features(const AdditiveView *v, const AnbRows *rows, Bands *bands)
{
    const Where x_at = rows_of(rows->n, rows->x_stride), raw_at = rows_of(rows->n, rows->raw_stride);
    const Lanes one = lanes_all(1), none = lanes_zero(), far = lanes_all(ANB_FARTHEST), near = lanes_all(-ANB_FARTHEST);
    Lanes sum = none;
    for (size_t j = 0; j < v->d; j++) {
        Lanes x = gathered(rows->x + j, &x_at);
        const Spots s = spots_of(v, j, gathered(rows->raw + j, &raw_at));
        const double *curve = &v->curve[j * ANB_NODES].w;
        Lanes at = lanes_add(lanes_mul(gathered(curve, &s.low), lanes_sub(one, s.share)),
                             lanes_mul(gathered(curve, &s.high), s.share));
        x = lanes_where_number(x, lanes_max(near, lanes_min(far, x)), none);
        sum = lanes_add(sum, lanes_add(lanes_mul(lanes_all(v->lift[j]), at), lanes_mul(lanes_all(v->line[j].w), x)));
        for (size_t r = 0; r < LANES; r++) {
            bands->column[j][r] = s.band.at[r];
            bands->row[j][r] = s.band.at[r] * (uint32_t)v->stride;
        }
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
LANES_INLINE Lanes say_pairs(const AdditiveView *v, const Bands *bands)
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

static void say_many(const AdditiveView *v, const AnbRows *rows, double *out)
{
    Bands bands;
    Lanes own = say_features(v, rows, &bands), sum = lanes_add(own, say_pairs(v, &bands)), none = lanes_zero();
    Lanes f = lanes_add(lanes_all(v->head->constant), lanes_mul(lanes_all(v->head->unit), sum));
    lanes_store(out, lanes_where_number(lanes_sub(f, f), f, none));
}

const AdditiveManyKernels ANB_PER_ISA(anb_additive_many_kernels) = {say_many};
ANB_ISA_REGISTER(AdditiveManyKernels, anb_additive_many_kernels)
