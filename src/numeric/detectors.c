#include "detectors.h"
#include "sort.h"
#include "src/simd/kernels.h"
#include "elementary.h"

bool anb_page_hinkley_add(AnbPageHinkley *p, double value)
{
    const double allowed = ANB_PAGE_HINKLEY_ALLOWED, threshold = ANB_PAGE_HINKLEY_THRESHOLD;
    p->n++;
    p->mean += (value - p->mean) / p->n;
    p->sum += value - p->mean - allowed;
    p->least = p->sum < p->least ? p->sum : p->least;
    return p->n >= 30 && p->sum - p->least > threshold;
}

double anb_ks_distance(const double *a, const double *b, size_t n)
{
    size_t i = 0, j = 0;
    double largest = 0;
    while (i < n && j < n) {
        double at = a[i] < b[j] ? a[i] : b[j];
        while (i < n && a[i] <= at)
            i++;
        while (j < n && b[j] <= at)
            j++;
        double away = fabs((double)i - (double)j) / (double)n;
        largest = away > largest ? away : largest;
    }
    return largest;
}

static double mean_size(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(v[i]);
    return sum / (double)n;
}

bool anb_kswin_add(AnbKswin *k, AnbRandom *random, double value, double delta)
{
    enum { N = ANB_KSWIN_STAT, OLDER = ANB_KSWIN_WINDOW - ANB_KSWIN_STAT };
    double newer[N], drawn[N];
    k->value[anb_ring_push(&k->ring, ANB_KSWIN_WINDOW)] = value;
    if (k->ring.pushed < ANB_KSWIN_WINDOW || k->ring.pushed % ANB_KSWIN_PERIOD != 0)
        return false;
    for (size_t i = 0; i < N; i++) {
        newer[i] = k->value[anb_ring_at(&k->ring, ANB_KSWIN_WINDOW, OLDER + i)];
        drawn[i] = k->value[anb_ring_at(&k->ring, ANB_KSWIN_WINDOW, anb_random_below(random, OLDER))];
    }
    if (mean_size(newer, N) <= mean_size(drawn, N))
        return false;
    anb_sort(newer, N);
    anb_sort(drawn, N);
    return anb_ks_distance(newer, drawn, N) > sqrt(-anb_log(delta / ANB_KSWIN_TESTS / 2) / 2) * sqrt(2.0 / N);
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

const AnbField anb_page_hinkley_fields[] = {{ANB_MEMBER(AnbPageHinkley, n), .must = ANB_FINITE},
                                            {ANB_MEMBER(AnbPageHinkley, mean), .must = ANB_FINITE},
                                            {ANB_MEMBER(AnbPageHinkley, sum), .must = ANB_FINITE},
                                            {ANB_MEMBER(AnbPageHinkley, least), .must = ANB_FINITE},
                                            {0}};

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(AnbKswin);
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbKswin *k = part;
    (void)self, (void)field, (void)state;
    anb_ring_visit(&k->ring, visitor);
    anb_visit(visitor, "value", k->value, ANB_F64, anb_ring_size(&k->ring, ANB_KSWIN_WINDOW));
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    const AnbKswin *k = part;
    (void)state;
    if (anb_ring_valid(&k->ring) && anb_nonfinite(k->value, anb_ring_size(&k->ring, ANB_KSWIN_WINDOW)) == 0)
        return 0;
    return anb_fail(error, ANB_E_STATE, "%s: %s is no window", self->type->name, field->name);
}

const AnbPart anb_kswin_part = {part_size, part_visit, part_validate};
