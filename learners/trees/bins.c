/* Quantile bins: reservoir sampling (Vitter 1985) and edges halfway between neighbouring values. */
#include "bins.h"
#include "src/numeric/sort.h"
#include "src/numeric/fields.h"

static AnbEdges *edges_of(AnbBins *bins, size_t feature)
{
    return (AnbEdges *)(bins + 1) + feature;
}

static double *sample_of(AnbBins *bins, size_t features, size_t feature)
{
    return (double *)(edges_of(bins, 0) + features) + feature * ANB_BINS_SAMPLE;
}

size_t anb_bins_bytes(size_t features)
{
    return sizeof(AnbBins) + features * (sizeof(AnbEdges) + ANB_BINS_SAMPLE * sizeof(double));
}

void anb_edges_init(AnbEdges *edges)
{
    edges->count = 0;
    for (int i = 0; i < ANB_CODES; i++)
        edges->edge[i] = INFINITY;
    for (int i = 0; i < 8; i++)
        edges->coarse[i] = INFINITY;
}

void anb_bins_init(AnbBins *bins, size_t features)
{
    bins->features = features;
    bins->due = ANB_BINS_FIRST;
    for (size_t j = 0; j < features; j++)
        anb_edges_init(edges_of(bins, j));
}

bool anb_bins_see(AnbBins *bins, const double *row, uint32_t draw)
{
    uint64_t slot = bins->seen++;
    if (slot >= ANB_BINS_SAMPLE) /* the draw's share of what was seen: exact enough below 2^32 rows */
        slot = (uint64_t)(draw / 4294967296.0 * (double)bins->seen);
    if (slot < ANB_BINS_SAMPLE) {
        double *cell = sample_of(bins, bins->features, 0) + slot;
        for (size_t j = 0; j < bins->features; j++, cell += ANB_BINS_SAMPLE)
            *cell = row[j] == row[j] ? row[j] : ANB_NAN;
    }
    return bins->seen >= bins->due;
}

/* A number e with low <= e < high, halfway where there is such a number: "below" and "above" survive rounding. */
static double between(double low, double high)
{
    double middle = low / 2 + high / 2;
    return middle > low && middle < high ? middle : low;
}

static size_t distinct(const double *v, size_t n)
{
    size_t count = n > 0;
    for (size_t i = 1; i < n; i++)
        count += v[i] != v[i - 1];
    return count;
}

static void finish_edges(AnbEdges *edges)
{
    for (size_t i = edges->count; i < ANB_CODES; i++)
        edges->edge[i] = INFINITY;
    for (int i = 0; i < 8; i++)
        edges->coarse[i] = edges->edge[8 * i + 7];
}

void anb_edges_from_sorted(AnbEdges *edges, const double *sample, size_t n, size_t most)
{
    size_t kinds = distinct(sample, n), left = n, filled = 0, bins = kinds < most + 1 ? kinds : most + 1;
    edges->count = 0;
    for (size_t i = 0; i + 1 < n && edges->count < most; i++) {
        filled++;
        if (sample[i] == sample[i + 1])
            continue;
        kinds--;
        size_t open = bins - edges->count; /* bins still to be filled, this one included */
        if (filled * open < left && kinds >= open)
            continue;
        edges->edge[edges->count++] = between(sample[i], sample[i + 1]);
        left -= filled;
        filled = 0;
    }
    finish_edges(edges);
}

void anb_edges_make(AnbEdges *edges, double *sample, size_t n)
{
    anb_sort(sample, n);
    anb_edges_from_sorted(edges, sample, n, ANB_EDGES);
}

void anb_bins_make(AnbBins *bins, size_t feature, double *work)
{
    const double *sample = sample_of(bins, bins->features, feature);
    size_t rows = bins->seen < ANB_BINS_SAMPLE ? (size_t)bins->seen : ANB_BINS_SAMPLE, n = 0;
    for (size_t i = 0; i < rows; i++)
        if (sample[i] == sample[i])
            work[n++] = sample[i];
    anb_edges_make(edges_of(bins, feature), work, n);
}

void anb_bins_finish(AnbBins *bins)
{
    bins->made++;
    while (bins->due <= bins->seen)
        bins->due *= 4;
}

void anb_edges_visit(AnbEdges *edges, AnbVisitor *visitor)
{
    anb_visit(visitor, "count", &edges->count, ANB_U64, 1);
    if (edges->count > ANB_EDGES)
        edges->count = ANB_EDGES;
    anb_visit(visitor, "edge", edges->edge, ANB_F64, (size_t)edges->count);
    if (!visitor->value)
        finish_edges(edges);
}

static const AnbField members[] = {{ANB_MEMBER(AnbBins, seen)},
                                   {ANB_MEMBER(AnbBins, due)},
                                   {ANB_MEMBER(AnbBins, made)},
                                   {ANB_MEMBER(AnbBins, features)},
                                   {0}};

void anb_bins_visit(AnbBins *bins, size_t features, AnbVisitor *visitor)
{
    anb_struct_visit(members, bins, visitor);
    if (!visitor->value)
        bins->features = features;
    size_t rows = bins->seen < ANB_BINS_SAMPLE ? (size_t)bins->seen : ANB_BINS_SAMPLE;
    for (size_t j = 0; j < features; j++) {
        anb_edges_visit(edges_of(bins, j), visitor);
        anb_visit(visitor, "sample", sample_of(bins, features, j), ANB_F64, rows);
    }
}
