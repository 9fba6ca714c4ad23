/*
 * Permutation importance and changes of features, sample by sample.
 *
 *     mean += (v - mean) / w      w <- g w + 1      g = 1 - 2 / (span / every + 1)
 */
#include "importance.h"
#include "src/text/sized.h"
#include "src/text/given.h"

enum { KEPT = 256, GENERATIONS = 8 /* generations of kept rows in a span */ };

static const AnbImportanceOptions usual = {sizeof usual, 1000, 1, 1, 0};
static const double certain = 1e-4; /* of a false alarm, a cut */

void anb_importance_options_init(AnbImportanceOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

/* The row with one cell after the other replaced by that of a kept row. */
static void permute(AnbImportance *m, const StreamingLearner *model, const double *x, double y, double prediction)
{
    double plain = (y - prediction) * (y - prediction), f[ANB_ROWS];
    size_t d = m->kept.width;
    for (size_t at = 0; at < d; at += ANB_ROWS) {
        size_t n = d - at < ANB_ROWS ? d - at : ANB_ROWS;
        for (size_t i = 0; i < n; i++) {
            uint32_t row = anb_random_below(&m->kept.random, (uint32_t)m->kept.used);
            memcpy(m->mixed + i * d, x, d * sizeof *x);
            m->mixed[i * d + at + i] = m->kept.row[row * d + at + i];
        }
        anb_predict_many_with(model, m->reader, m->mixed, n, f);
        for (size_t i = 0; i < n; i++) {
            double more = (y - f[i]) * (y - f[i]) - plain;
            if (more - more == 0)
                m->watched[at + i].mean += (more - m->watched[at + i].mean) / m->weight;
        }
    }
}

static void measure(AnbImportance *m, const StreamingLearner *model, const double *x, double y)
{
    double prediction = anb_predict_with(model, m->reader, x);
    y = anb_target_bounded(&m->scale, prediction, y);
    m->weight = m->keep * m->weight + 1;
    permute(m, model, x, y, prediction);
    if (m->options.sage_rows > 0 && m->kept.used > 1 && prediction - prediction == 0)
        anb_importance_walk(m, model, x, y, prediction);
}

/* The share of earlier cells below it; of equal ones half. */
static double rank(const AnbWatchedFeature *w, double cell)
{
    double below = 0;
    for (size_t i = 0; i < ANB_WATCHED_CELLS; i++)
        below += (w->cell[i] < cell) + .5 * (w->cell[i] == cell);
    return below / ANB_WATCHED_CELLS;
}

static void watch(AnbImportance *m, AnbWatchedFeature *w, double cell)
{
    if (cell != cell)
        return;
    if (w->n < ANB_WATCHED_CELLS) {
        w->cell[w->n++] = cell;
        return;
    }
    if (anb_adwin_add(&w->window, rank(w, cell), certain) == 0)
        return;
    w->window = (AnbAdwin){0};
    w->n = 0;
    w->changed = m->samples;
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    AnbImportance *m = (AnbImportance *)self;
    bool fits = m->reader->plan == model->plan || anb_plans_fit(m->reader->plan, model->plan);
    bool learned = anb_n_samples_seen(model) != m->observed;
    m->observed = anb_n_samples_seen(model);
    if (!x || !fits || before != before || !learned)
        return;
    if (m->samples++ % (uint64_t)m->options.every == 0 && m->kept.used > 0)
        measure(m, model, x, y);
    for (size_t j = 0; j < m->kept.width; j++)
        watch(m, &m->watched[j], x[j]);
    double *row = anb_kept_place(&m->kept);
    if (row)
        memcpy(row, x, m->kept.width * sizeof *row);
}

AnbObserver *anb_importance_observer(AnbImportance *m)
{
    return &m->base;
}

double anb_importance_value(const AnbImportance *m, size_t j)
{
    return m->watched[j].mean;
}

double anb_importance_sage(const AnbImportance *m, size_t j)
{
    return m->options.sage_rows > 0 ? m->watched[j].sage : ANB_NAN;
}

uint64_t anb_importance_changed(const AnbImportance *m, size_t j)
{
    return m->watched[j].changed ? m->samples - m->watched[j].changed : UINT64_MAX;
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static int check_options(const AnbImportanceOptions *o, AnbError *error)
{
    if (!(o->span >= 100 && o->span < 1e15))
        return anb_fail(error, ANB_E_ARGUMENT, "span = %g is not within 100 to 1e15", o->span);
    if (o->every < 1)
        return anb_fail(error, ANB_E_ARGUMENT, "every = %d is below 1", o->every);
    if (o->sage_rows != 0 && (o->sage_rows < 2 || o->sage_rows > ANB_SAGE_ROWS))
        return anb_fail(error, ANB_E_ARGUMENT, "sage_rows = %d is neither 0 nor within 2 to %d", o->sage_rows,
                        ANB_SAGE_ROWS);
    return 0;
}

/* The arrays lie behind the struct. */
static void lay_out(AnbImportance *m, size_t d)
{
    m->watched = (AnbWatchedFeature *)(m + 1);
    m->mixed = (double *)(m->watched + d);
    m->gain = m->mixed + anb_mixed_rows(&m->options) * d;
    m->kept.row = m->gain + d;
    m->order = (uint32_t *)(m->kept.row + (size_t)KEPT * d);
}

/* The discount for a memory of `span` rows, of which one in `every` is measured. */
static double keep_of(const AnbImportanceOptions *o)
{
    double rows = o->span / o->every;
    return rows > 1 ? 1 - 2 / (rows + 1) : 0;
}

void anb_importance_reset(AnbImportance *m)
{
    m->samples = 0;
    m->weight = m->mean_prediction = m->prediction_weight = 0;
    m->scale = (AnbErrorScale){0};
    m->kept.used = 0;
    m->kept.seen = 0;
    anb_random_seed(&m->kept.random, anb_seed_mix(m->options.seed, 0));
    memset(m->watched, 0, m->kept.width * sizeof *m->watched);
}

static AnbImportance *allocate(const StreamingLearner *model, const AnbImportanceOptions *options)
{
    size_t d = anb_n_features(model);
    size_t of_feature =
        sizeof(AnbWatchedFeature) + (anb_mixed_rows(options) + 1 + KEPT) * sizeof(double) + sizeof(uint32_t);
    size_t bytes = sizeof(AnbImportance) + d * of_feature;
    AnbImportance *m = model->plan->allocator.alloc(bytes, model->plan->allocator.context);
    if (!m)
        return NULL;
    memset(m, 0, bytes);
    m->base.observe = observe;
    m->allocator = model->plan->allocator;
    m->options = *options;
    m->observed = anb_n_samples_seen(model);
    m->keep = keep_of(options);
    m->bytes = bytes + anb_reader_bytes(model->plan);
    m->kept = (AnbKept){.width = d, .capacity = KEPT, .span = options->span / GENERATIONS};
    lay_out(m, d);
    anb_importance_reset(m);
    return m;
}

AnbImportance *anb_importance_new(const StreamingLearner *model, const AnbImportanceOptions *options, AnbError *error)
{
    AnbImportanceOptions own = usual;
    if (!anb_given(model, "model", error))
        return NULL;
    if (options && anb_sized_take("importance", &own, sizeof own, options, error))
        return NULL;
    if (check_options(&own, error))
        return NULL;
    AnbImportance *m = allocate(model, &own);
    if (!m) {
        anb_fail(error, ANB_E_MEMORY, "out of memory for importances");
        return NULL;
    }
    m->reader = anb_reader_new(model, error);
    if (m->reader)
        return m;
    anb_importance_free(m);
    return NULL;
}

size_t anb_importance_bytes(const AnbImportance *m)
{
    return m->bytes;
}

void anb_importance_free(AnbImportance *m)
{
    if (!m)
        return;
    AnbAllocator allocator = m->allocator;
    anb_reader_free(m->reader);
    allocator.free(m, allocator.context);
}
