/* Quantile bins: reservoir sampling (Vitter 1985) and edges halfway between neighbouring values. */
#include "bins.h"
#include "src/numeric/fields.h"

enum {
    LATER = 4,   /* factor of the number of rows from these edges to the next ones */
    PART = 256,  /* cells merged in a step */
    STEP = 200,  /* moves of cells that a step makes at least while the reservoir fills; twice as many later */
    EDGES = 16,  /* edges made in a step */
    RUN = 32,    /* cells that are sorted while the reservoir fills, */
    BLOCK = 128, /* and merged into blocks: */
    AHEAD = 16   /* each step of all features in so many rows */
};

/* A feature's edges in use, or those under way. */
static AnbEdges *edges_of(AnbBins *bins, size_t feature, bool next)
{
    return (AnbEdges *)(bins + 1) + ((bins->made + next) & 1) * bins->features + feature;
}

static double *sample_of(AnbBins *bins, size_t features, size_t feature)
{
    return (double *)((AnbEdges *)(bins + 1) + 2 * features) + feature * ANB_BINS_SAMPLE;
}

static AnbSorterRoom sorted_of(AnbBins *bins, size_t features)
{
    return (AnbSorterRoom){sample_of(bins, features, features), ANB_BINS_SAMPLE};
}

size_t anb_bins_bytes(size_t features)
{
    return sizeof(AnbBins) + features * (2 * sizeof(AnbEdges) + ANB_BINS_SAMPLE * sizeof(double)) +
           2 * ANB_BINS_SAMPLE * sizeof(double);
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
    for (size_t j = 0; j < 2 * features; j++)
        anb_edges_init(edges_of(bins, j, false));
}

static bool rises(const double *v, size_t n)
{
    bool fine = true;
    for (size_t i = 1; i < n; i++)
        fine &= v[i - 1] <= v[i];
    return fine;
}

/* Sorts up to BLOCK cells whose runs of so many are sorted. Returns how often a cell was moved. */
static uint32_t sort_block(double *cell, uint32_t n, uint32_t run)
{
    double work[2 * BLOCK];
    const AnbSorterRoom room = {work, BLOCK};
    AnbSorter sorter = {.n = n, .run = run};
    uint32_t moved = 0;
    memcpy(work, cell, n * sizeof *cell);
    while (!anb_sorter_done(&sorter))
        moved += anb_sorter_slice(&sorter, &room, PART);
    memcpy(cell, anb_sorter_buffer(&room, sorter.from), n * sizeof *cell);
    return moved;
}

/* Whether the runs of so many cells are sorted. None that holds a missing cell is, but for one cell alone. */
static bool runs_rise(const double *cell, size_t n, size_t run)
{
    bool fine = true;
    for (size_t i = 0; i < n; i += run)
        fine &= rises(cell + i, n - i < run ? n - i : run);
    return fine;
}

/* Sorts up to BLOCK cells, of which runs may be sorted, where none is missing. Returns how often a cell was moved. */
static uint32_t sort_part(double *cell, uint32_t n)
{
    bool present = true;
    uint32_t run = BLOCK / 2;
    for (size_t i = 0; i < n; i++)
        present &= cell[i] == cell[i];
    while (run >= RUN && !runs_rise(cell, n, run))
        run /= 2;
    return present ? sort_block(cell, n, run >= RUN ? run : 0) : 0;
}

/* Sorts the last `cells` cells before the last multiple of so many rows, of some features: from `start` rows after it
 * on, of the last feature first, as edges are made. */
static void sort_some(AnbBins *bins, uint32_t cells, uint64_t start)
{
    const uint64_t d = bins->features, since = bins->seen % cells, row = since - start;
    if (bins->seen < cells || since < start || row >= AHEAD)
        return;
    for (uint64_t i = row * d / AHEAD; i < (row + 1) * d / AHEAD; i++)
        sort_part(sample_of(bins, d, d - 1 - i) + (bins->seen - since - cells), cells);
}

/* While the reservoir fills, its cells are sorted in place, which is allowed since the row that a later one
 * replaces is drawn at random. When edges are due only blocks have to be merged. One step a row; no long one while
 * edges are made. */
static void sort_ahead(AnbBins *bins)
{
    const bool making = bins->seen >= bins->due;
    const uint64_t needed = making && LATER * bins->due > ANB_BINS_SAMPLE ? bins->due : ANB_BINS_SAMPLE;
    if (bins->due > ANB_BINS_SAMPLE || bins->seen >= needed + RUN)
        return;
    sort_some(bins, RUN, 0);
    if (making)
        return;
    sort_some(bins, 2 * RUN, AHEAD);
    sort_some(bins, BLOCK, 3 * AHEAD);
}

/* Cells are not replaced while edges are made of them. */
bool anb_bins_see(AnbBins *bins, const double *row, uint32_t draw)
{
    uint64_t slot = bins->seen++;
    if (slot >= ANB_BINS_SAMPLE) /* the draw's share of what was seen: exact enough below 2^32 rows */
        slot = (uint64_t)(draw / 4294967296.0 * (double)bins->seen);
    if (slot < ANB_BINS_SAMPLE && (bins->seen <= ANB_BINS_SAMPLE || bins->due > ANB_BINS_SAMPLE)) {
        double *cell = sample_of(bins, bins->features, 0) + slot;
        for (size_t j = 0; j < bins->features; j++, cell += ANB_BINS_SAMPLE)
            *cell = row[j] == row[j] ? row[j] : ANB_NAN;
    }
    sort_ahead(bins);
    return bins->seen >= bins->due;
}

/* A number e with low <= e < high, halfway where there is such a number: "below" and "above" survive rounding. */
static double between(double low, double high)
{
    double middle = low / 2 + high / 2;
    return middle > low && middle < high ? middle : low;
}

typedef double Two __attribute__((vector_size(16), aligned(8), may_alias));
typedef int64_t TwoBits __attribute__((vector_size(16)));

/* How many of the n values differ from the one behind them. */
static size_t changes(const double *v, size_t n)
{
    TwoBits two[2] = {{0}, {0}};
    size_t i = 0, count = 0;
    for (; i + 4 <= n; i += 4) {
        two[0] -= *(const Two *)(v + i) != *(const Two *)(v + i + 1);
        two[1] -= *(const Two *)(v + i + 2) != *(const Two *)(v + i + 3);
    }
    for (; i < n; i++)
        count += v[i] != v[i + 1];
    two[0] += two[1];
    return count + (size_t)(two[0][0] + two[0][1]);
}

static size_t distinct(const double *v, size_t n)
{
    return n > 0 ? 1 + changes(v, n - 1) : 0;
}

/* distinct that stops counting above `most`: where there are more, some number above it. */
static size_t distinct_up_to(const double *v, size_t n, size_t most)
{
    enum { AT_ONCE = 64 };
    size_t count = n > 0, at = 1;
    for (; at < n && count <= most; at += AT_ONCE)
        count += changes(v + at - 1, n - at < AT_ONCE ? n - at : AT_ONCE);
    return count;
}

/* The first of the ascending values low to high - 1 that is above `limit`; high where none is. */
static size_t first_above(const double *v, size_t low, size_t high, double limit)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v[middle] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many of n ascending values, at least one, equal the first of them. */
static size_t alike(const double *v, size_t n)
{
    size_t low = 1, high = 1;
    while (high < n && v[high] == v[0]) {
        low = high + 1;
        high *= 2;
    }
    return first_above(v, low, high < n ? high : n, v[0]);
}

static void finish_edges(AnbEdges *edges)
{
    for (size_t i = edges->count; i < ANB_CODES; i++)
        edges->edge[i] = INFINITY;
    for (int i = 0; i < 8; i++)
        edges->coarse[i] = edges->edge[8 * i + 7];
}

/* The values that are not assigned to bins yet, on the way up through a sorted sample. */
typedef struct Sharing {
    size_t at;     /* the next value */
    size_t kinds;  /* distinct values from there on */
    size_t filled; /* values of the bin that is being filled */
    size_t left;   /* values of it and of those behind it */
    size_t bins;   /* they and it */
} Sharing;

/* Skips values that an empty bin takes in any case: up to the one behind which as many distinct values as bins are
 * left. */
static void skip(Sharing *s, const double *sample)
{
    size_t due = (s->left + s->bins - 1) / s->bins, more = due > 2 ? due - 2 : 0;
    size_t ends = changes(sample + s->at, more);
    if (s->kinds < ends + s->bins)
        return;
    s->kinds -= ends;
    s->filled = more;
    s->at += more;
}

/* What is left to share out behind the first `count` edges. */
static Sharing sharing_of(const double *edge, size_t count, const double *sample, size_t n, size_t most)
{
    size_t kinds = distinct_up_to(sample, n, most), bins = kinds < most + 1 ? kinds : most + 1;
    size_t low = count > 0 ? first_above(sample, 0, n, edge[count - 1]) : 0;
    size_t left = low == 0 && kinds <= most ? kinds : distinct(sample + low, n - low);
    return (Sharing){.at = low, .kinds = left, .left = n - low, .bins = bins - count};
}

/* add_edges where all values are distinct: left % bins of the bins take one value more than the others, and they come
 * first. */
static bool add_even_edges(double *edge, uint64_t *count, const double *sample, Sharing s, size_t more)
{
    size_t each = s.left / s.bins, larger = s.left % s.bins;
    for (; s.bins > 1 && more > 0; s.bins--, more--) {
        s.at += each + (larger > 0);
        larger -= larger > 0;
        edge[(*count)++] = between(sample[s.at - 1], sample[s.at]);
    }
    return s.bins <= 1;
}

/* Adds edges behind the *count that there are, `more` of them at most: whether these are all. */
static bool add_edges(double *edge, uint64_t *count, const double *sample, size_t n, size_t most, size_t more)
{
    Sharing s = sharing_of(edge, (size_t)*count, sample, n, most);
    if (s.kinds == s.left && s.bins > 0)
        return add_even_edges(edge, count, sample, s, more);
    while (s.at + 1 < n && *count < most) {
        if (s.filled == 0 && more-- == 0)
            return false;
        if (s.filled == 0)
            skip(&s, sample);
        size_t same = alike(sample + s.at, n - s.at), i = s.at + same - 1;
        s.at += same;
        s.filled += same;
        if (s.at == n)
            break;
        s.kinds--;
        if (s.filled * s.bins < s.left && s.kinds >= s.bins)
            continue;
        edge[(*count)++] = between(sample[i], sample[i + 1]);
        s.left -= s.filled;
        s.bins--;
        s.filled = 0;
    }
    return true;
}

size_t anb_quantile_edges(double *edge, const double *sample, size_t n, size_t most)
{
    uint64_t count = 0;
    add_edges(edge, &count, sample, n, most, most + 1);
    return (size_t)count;
}

bool anb_edges_more(AnbEdges *edges, const double *sample, size_t n, size_t most, size_t more)
{
    bool all = add_edges(edges->edge, &edges->count, sample, n, most, more);
    if (all)
        finish_edges(edges);
    return all;
}

/* Copies the cells `start` to `end` of a feature that are not missing behind the n that are there; how many there are
 * then. */
static uint32_t copy_present(const double *sample, uint32_t start, uint32_t end, double *to, uint32_t n)
{
    for (uint32_t i = start; i < end; i++) {
        to[n] = sample[i];
        n += sample[i] == sample[i];
    }
    return n;
}

/* Where the last of the blocks that n cells are in begins. */
static uint32_t last_block(uint32_t n)
{
    return n > 0 ? (n - 1) / BLOCK * BLOCK : 0;
}

/* Whether the last block is a run of the sorting, or there are no runs: a cell is missing, or the reservoir was
 * full. */
static bool last_block_done(const AnbBins *bins, const double *to)
{
    const uint32_t n = bins->sorter.n, last = last_block(n);
    return bins->sorter.run == 0 || rises(to + last, n - last);
}

/* Cells of the reservoir that edges are made from: while it fills, those of the whole runs that were there when they
 * were due; the older layout took later ones too. */
static uint32_t cells_taken(const AnbBins *bins)
{
    uint32_t rows = (uint32_t)(bins->due < ANB_BINS_SAMPLE ? bins->due / RUN * RUN : ANB_BINS_SAMPLE);
    return rows > bins->taken ? rows : bins->taken;
}

/* Copies the next block of the reservoir to the sorter; a block that is not sorted takes a step more. Returns how often
 * a cell was moved. */
static uint32_t take(AnbBins *bins, size_t feature)
{
    double *to = sorted_of(bins, bins->features).buffer;
    const uint32_t rows = cells_taken(bins), start = bins->taken, end = rows < start + BLOCK ? rows : start + BLOCK;
    const bool runs = start == 0 ? bins->due < ANB_BINS_SAMPLE : bins->sorter.run > 0;
    uint32_t moved = end - start, n = bins->sorter.n;
    if (!last_block_done(bins, to)) {
        moved = sort_part(to + last_block(n), n - last_block(n));
    } else {
        n = copy_present(sample_of(bins, bins->features, feature), start, end, to, n);
        anb_sorter_start(&bins->sorter, n);
        bins->sorter.run = runs && n == end ? BLOCK : 0;
        bins->taken = end;
    }
    const bool done = last_block_done(bins, to);
    bins->sorting = bins->taken == rows && done;
    edges_of(bins, feature, true)->count = 0;
    return moved;
}

static bool make(AnbBins *bins, size_t feature, const double *sorted)
{
    AnbSorter *sorter = &bins->sorter;
    if (!anb_edges_more(edges_of(bins, feature, true), sorted, sorter->n, ANB_EDGES, EDGES))
        return false;
    anb_sorter_start(sorter, 0);
    bins->taken = bins->sorting = 0;
    return true;
}

bool anb_bins_step(AnbBins *bins, size_t feature)
{
    AnbSorter *sorter = &bins->sorter;
    AnbSorterRoom room = sorted_of(bins, bins->features);
    if (bins->sorting && anb_sorter_done(sorter))
        return make(bins, feature, anb_sorter_buffer(&room, sorter->from));
    const size_t least = bins->due < ANB_BINS_SAMPLE ? STEP : 2 * STEP;
    for (size_t moved = 0; moved < least && !(bins->sorting && anb_sorter_done(sorter));)
        moved += bins->sorting ? anb_sorter_slice(sorter, &room, PART) : take(bins, feature);
    return false;
}

void anb_bins_finish(AnbBins *bins)
{
    bins->made++;
    for (size_t j = 0; j < bins->features; j++) /* older ones, which a snapshot does not hold */
        edges_of(bins, j, true)->count = 0;
    while (bins->due <= bins->seen)
        bins->due *= LATER;
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
                                   {ANB_MEMBER(AnbBins, taken), .since = 3},
                                   {ANB_MEMBER(AnbBins, sorting), .since = 3},
                                   {0}};

/* Before version 3 a feature's new edges were in use at once: they are the ones in use for all that were made, and the
 * next ones as well. */
static void keep_made(AnbBins *bins, size_t features, size_t making)
{
    for (size_t j = making; making > 0 && j < features; j++)
        *edges_of(bins, j, true) = *edges_of(bins, j, false);
}

static void visit_making(AnbBins *bins, size_t features, size_t making, AnbVisitor *visitor)
{
    AnbSorterRoom room = sorted_of(bins, features);
    anb_sorter_visit(&bins->sorter, &room, visitor);
    for (size_t j = making - 1; j < features; j++)
        anb_edges_visit(edges_of(bins, j, true), visitor);
}

void anb_bins_visit(AnbBins *bins, size_t features, size_t making, AnbVisitor *visitor)
{
    anb_struct_visit(members, bins, visitor);
    if (!visitor->value)
        bins->features = features;
    size_t rows = bins->seen < ANB_BINS_SAMPLE ? (size_t)bins->seen : ANB_BINS_SAMPLE;
    for (size_t j = 0; j < features; j++) {
        anb_edges_visit(edges_of(bins, j, false), visitor);
        anb_visit(visitor, "sample", sample_of(bins, features, j), ANB_F64, rows);
    }
    if (!anb_visits_since(visitor, 3))
        keep_made(bins, features, making);
    else if (making > 0)
        visit_making(bins, features, making, visitor);
}

static bool rising(const AnbEdges *edges)
{
    for (size_t i = 0; i < edges->count; i++)
        if (edges->edge[i] - edges->edge[i] != 0 || (i > 0 && !(edges->edge[i - 1] < edges->edge[i])))
            return false;
    return true;
}

bool anb_bins_valid(const AnbBins *bins, size_t features)
{
    uint64_t rows = bins->seen < ANB_BINS_SAMPLE ? bins->seen : ANB_BINS_SAMPLE;
    bool fine = bins->due > 0 && bins->taken <= rows && bins->sorter.n <= bins->taken && bins->sorting <= 1;
    for (size_t j = 0; j < 2 * features; j++)
        fine = fine && rising((const AnbEdges *)(bins + 1) + j);
    return fine && anb_sorter_valid(&bins->sorter, ANB_BINS_SAMPLE, PART);
}
