#include "sizes.h"
#include "src/text/bits.h"

/* ---- codes ------------------------------------------------------------------------------------------------------- */

enum { MANTISSA = 10, LOWEST = 1023 - 32, DROPPED = 52 - MANTISSA };

static uint16_t code_of(double size)
{
    if (size == 0)
        return 0;
    uint64_t rounded = (anb_to_bits(size) + (UINT64_C(1) << DROPPED) - 1) >> DROPPED,
             least = (uint64_t)LOWEST << MANTISSA;
    if (rounded <= least)
        return 1;
    return rounded - least < UINT16_MAX ? (uint16_t)(rounded - least) : UINT16_MAX;
}

static double size_of(uint16_t code)
{
    return code ? anb_from_bits((((uint64_t)LOWEST << MANTISSA) + code) << DROPPED) : 0;
}

/* ---- the lists --------------------------------------------------------------------------------------------------- */

/* How many sorted codes are below this one. */
static size_t below(const uint16_t *sorted, size_t n, uint16_t code)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sorted[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts a code among n sorted ones. */
static void put_in(uint16_t *sorted, size_t n, uint16_t code)
{
    size_t at = below(sorted, n, code);
    memmove(sorted + at + 1, sorted + at, (n - at) * sizeof *sorted);
    sorted[at] = code;
}

enum { EVERY = 2 };

void anb_sizes_add(const AnbSizes *sizes, double size)
{
    size_t n = anb_sizes_count(sizes);
    if ((*sizes->shown)++ % EVERY != 0 && n == sizes->capacity)
        return;
    size_t slot = anb_ring_push(sizes->ring, sizes->capacity);
    uint16_t *sorted = sizes->sorted, code = code_of(size);
    if (n == sizes->capacity) {
        size_t gone = below(sorted, n, sizes->arrived[slot]);
        gone = gone < n ? gone : n - 1; /* never past the end, whatever the two lists hold */
        memmove(sorted + gone, sorted + gone + 1, (n - gone - 1) * sizeof *sorted);
        n--;
    }
    put_in(sorted, n, code);
    sizes->arrived[slot] = code;
}

double anb_sizes_beta(const AnbSizes *sizes, double size)
{
    size_t n = anb_sizes_count(sizes);
    return n == 0 ? 1 : (double)(n - below(sizes->sorted, n, code_of(size))) / (double)n;
}

double anb_sizes_quantile(const AnbSizes *sizes, double level)
{
    size_t n = anb_sizes_count(sizes);
    double rank = ceil(level * (double)(n + 1));
    if (n < ANB_SIZES_LEAST)
        return (double)INFINITY;
    if (!(rank >= 1))
        return 0;
    return size_of(sizes->sorted[rank < (double)n ? (size_t)rank - 1 : n - 1]);
}

/* ---- the part ---------------------------------------------------------------------------------------------------- */

/* Whether every code that arrived has a place of its own among the sorted ones. */
static bool same_codes(const AnbSizes *sizes, size_t n)
{
    uint16_t taken[ANB_SIZES_MOST] = {0}; /* of a run of equals, at its first place */
    for (size_t i = 0; i < n; i++) {
        size_t first = below(sizes->sorted, n, sizes->arrived[i]);
        size_t place = first < n ? first + taken[first]++ : n;
        if (place >= n || sizes->sorted[place] != sizes->arrived[i])
            return false;
    }
    return true;
}

bool anb_sizes_valid(const AnbSizes *sizes)
{
    size_t n = anb_sizes_count(sizes);
    for (size_t i = 1; i < n; i++)
        if (sizes->sorted[i - 1] > sizes->sorted[i])
            return false;
    return anb_ring_valid(sizes->ring) && sizes->ring->pushed <= *sizes->shown && *sizes->shown >> 62 == 0 &&
           same_codes(sizes, n);
}

static size_t capacity_of(const AnbNode *self, const AnbField *field)
{
    return ((const AnbSizesForm *)field->form)->capacity(self);
}

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    return anb_sizes_bytes(capacity_of(self, field));
}

enum { OLDER = 1000 };

/* A thousand as they arrived and the same sorted: the newest of them are kept. */
static void visit_older(const AnbSizes *sizes, AnbVisitor *visitor)
{
    double arrived[OLDER] = {0}, sorted[OLDER];
    anb_visit(visitor, "pushed", sizes->shown, ANB_U64, 1);
    size_t n = *sizes->shown < OLDER ? *sizes->shown : OLDER, kept = n < sizes->capacity ? n : sizes->capacity;
    anb_visit(visitor, "arrived", arrived, ANB_F64, n);
    anb_visit(visitor, "sorted", sorted, ANB_F64, n);
    for (size_t i = 0; i < kept; i++) {
        sizes->arrived[i] = code_of(fabs(arrived[(*sizes->shown - kept + i) % OLDER]));
        put_in(sizes->sorted, i, sizes->arrived[i]);
    }
    sizes->ring->pushed = kept;
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbSizes sizes = anb_sizes_at(part, capacity_of(self, field));
    (void)state;
    if (!anb_visits_since(visitor, ((const AnbSizesForm *)field->form)->since)) {
        visit_older(&sizes, visitor);
        return;
    }
    anb_visit(visitor, "shown", sizes.shown, ANB_U64, 1);
    anb_ring_visit(sizes.ring, visitor);
    size_t n = anb_sizes_count(&sizes);
    anb_visit(visitor, "arrived", sizes.arrived, ANB_U16, n);
    anb_visit(visitor, "sorted", sizes.sorted, ANB_U16, n);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    AnbSizes sizes = anb_sizes_at(anb_view_of(part), capacity_of(self, field));
    (void)state;
    return anb_sizes_valid(&sizes)
               ? 0
               : anb_fail(error, ANB_E_STATE, "%s: scores that no samples lead to", self->type->name);
}

const AnbPart anb_sizes_part = {part_size, part_visit, part_validate};
