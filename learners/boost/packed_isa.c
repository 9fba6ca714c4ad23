/* The kernels of packed.h, compiled once per instruction set: whole numbers, and no sums across lanes. */
#include "src/simd/lanes.h"
#include "packed.h"

typedef uint64_t Words __attribute__((vector_size(LANES_BYTES), may_alias));
typedef uint64_t WordsMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(8)));

/* 1.5 * 2^52 added to a small number leaves its nearest whole number in the low bits. */
static void pack(double *cells, size_t n, double per_unit)
{
    const double shift = 6755399441055744.0;
    uint64_t zero;
    memcpy(&zero, &shift, sizeof zero);
    for (size_t i = 0; i < n; i++) {
        double near = cells[i] * per_unit + shift;
        uint64_t word;
        memcpy(&word, &near, sizeof word);
        word = (word - zero) * ANB_PACKED_ONE + 1;
        memcpy(&cells[i], &word, sizeof word);
    }
}

static void fill(AnbPacked *h, size_t m, const AnbPacked *cells, const uint16_t *rows, size_t n, const uint8_t *codes,
                 size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *code = codes + rows[i] * stride;
        AnbPacked word = cells[rows[i]], *column = h;
        size_t k = 0;
        for (; k + 4 <= m; k += 4, column += 4 * ANB_CODES) {
            column[anb_coarse(code[k])] += word;
            column[ANB_CODES + anb_coarse(code[k + 1])] += word;
            column[2 * ANB_CODES + anb_coarse(code[k + 2])] += word;
            column[3 * ANB_CODES + anb_coarse(code[k + 3])] += word;
        }
        for (; k < m; k++, column += ANB_CODES)
            column[anb_coarse(code[k])] += word;
    }
}

static void subtract(AnbPacked *parent, const AnbPacked *child, size_t n)
{
    for (size_t i = 0; i < n; i++)
        parent[i] -= child[i];
}

/* Converts whole numbers below 2^52 to doubles by setting the exponent bits. */
LANES_INLINE LanesPart counts_of(Words w)
{
    const Words low = (Words){0} + (ANB_PACKED_ONE - 1), exponent = (Words){0} + 0x4330000000000000u;
    return (LanesPart)((w & low) | exponent) - 4503599627370496.0;
}

LANES_INLINE LanesPart sums_of(Words w)
{
    const Words sign = (Words){0} + 0x8000000000000000u, exponent = (Words){0} + 0x4330000000000000u;
    return (LanesPart)(((w ^ sign) >> 20) | exponent) - (4503599627370496.0 + 8796093022208.0);
}

typedef struct Best {
    double value;
    uint64_t at;
} Best;

/* The greatest of the lanes, the first of equals. */
static Best first_of(LanesPart value, Words at)
{
    Best best = {-1, 0};
    for (size_t i = 0; i < LANES_STEP; i++)
        if (value[i] > best.value || (value[i] == best.value && at[i] < best.at))
            best = (Best){value[i], at[i]};
    return best;
}

/* The best cut among n prefix sums, each plus `offset`; n is a multiple of 8. */
static Best scan(const AnbPacked *prefix, size_t n, AnbPacked offset, const AnbPackedRule *rule)
{
    const Words plus = (Words){0} + (uint64_t)offset, all = (Words){0} + (uint64_t)rule->total;
    const LanesPart rows = counts_of(all), sum = sums_of(all), ridge = rule->ridge - (LanesPart){0};
    const LanesPart min = rule->min_rows - (LanesPart){0};
    LanesPart best = (LanesPart){0} - 1;
    Words at = {0}, index;
    for (size_t i = 0; i < LANES_STEP; i++)
        index[i] = i;
    for (size_t i = 0; i < n; i += LANES_STEP, index += LANES_STEP) {
        Words left = *(const WordsMemory *)(prefix + i) + plus;
        LanesPart count = counts_of(left), s = sums_of(left), other = rows - count, rest = sum - s;
        LanesPart a = count + ridge, b = other + ridge, value = (s * s * b + rest * rest * a) / (a * b);
        Words better = (Words)((count >= min) & (other >= min) & (value > best));
        best = (LanesPart)((better & (Words)value) | (~better & (Words)best));
        at = (better & index) | (~better & at);
    }
    return first_of(best, at);
}

/* Prefix n, and what fills its eight, has all values on the left: a cut only where missing cells stay right. */
static void consider(const AnbPacked *prefix, size_t n, AnbPacked missing, const AnbPackedRule *rule, uint32_t column,
                     AnbPackedCut *best)
{
    Best found = scan(prefix, n / 8 * 8 + 8, missing, rule);
    double sum = anb_packed_sum(rule->total), whole = sum * sum / (anb_packed_count(rule->total) + rule->ridge);
    double gain = found.value - whole;
    if (gain > best->gain)
        *best = (AnbPackedCut){.gain = gain,
                               .left = prefix[found.at] + missing,
                               .column = column,
                               .code = (uint16_t)found.at,
                               .missing_left = missing != 0};
}

static void cut(const AnbPacked *h, size_t edges, const AnbPackedRule *rule, uint32_t column, AnbPackedCut *best)
{
    AnbPacked prefix[ANB_CODES], sum = 0, missing = h[ANB_MISSING];
    double before = best->gain;
    for (size_t i = 0; i < edges; i++)
        prefix[i] = sum += h[i];
    for (size_t i = edges; i < ANB_CODES; i++)
        prefix[i] = rule->total - missing;
    consider(prefix, edges, 0, rule, column, best);
    if (missing)
        consider(prefix, edges, missing, rule, column, best);
    else if (best->gain > before)
        best->missing_left = 2 * anb_packed_count(best->left) >= anb_packed_count(rule->total);
}

const AnbPackedKernels ANB_PER_ISA(anb_packed_kernels) = {
    .pack = pack,
    .fill = fill,
    .subtract = subtract,
    .cut = cut,
};

ANB_ISA_REGISTER(AnbPackedKernels, anb_packed_kernels)
