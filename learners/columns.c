/*
 * Typed columns as numbers for a child: statistics of the target for each category, and the calendar of times.
 *
 *     mean    (w m + prior G) / (w + prior)     w, m: weight and mean of the category's targets, G: mean of all targets
 *     recent  a mix of the category's last target, the mean of its last `memory` ones and its smoothed mean, weighted
 *             by how well each predicted in the column (dictionary.h); in models of layout 1 the fading mean alone
 *     count   log(1 + w)
 *     effect  e_c, learned by backfitting, one sample at a time:
 *             err = y - (G + a.z + sum of the row's effects)          a.z: linear model of numbers, times (line.h)
 *             g_c = weight / (w + prior)     e_c += g_c err / (1 + sum of all g)
 *
 * The hour of the week of each time column is a category as well.
 *
 * Outliers. For means and effects a target is clipped to a range around the prediction by mean, linear model and
 * effects: the bound of src/numeric/error_scale.h, or the width of the range of the targets so far beyond that range,
 * whichever allows more. So one wrong target moves a category by at most that, and a new level is followed within some
 * ten rows.
 *
 * A category that was never seen has the mean of all targets, count 0 and effect 0; predicting adds no category. All
 * statistics are from before the row, so the child never sees the row's own target.
 *
 * State: target's mean, calendars, dictionaries' heads, moments and weights of the linear model, shares of the columns,
 * then the sets of every dictionary. Scratch: the child's row, z, the times, the categories and where they were found.
 * Cost: about 25 ns a category, 55 a time; a number costs a copy.
 * Micci-Barreca 2001 on the means; Prokhorenkova et al. 2018 on taking them in order.
 */
#include "columns/line.h"
#include <anabranch/reach.h>
#include "src/numeric/moments.h"

enum { GATHER = 256 };

typedef AnbColumns Columns;
typedef AnbColumnsView View;
typedef AnbColumnsWork Work;

static const AnbParam params[] = {
    {"kinds", ANB_RUNS, offsetof(AnbColumnsOptions, kinds), 0, 0, 0, 0, "ncktx",
     "of the columns: n number, c category, k code, t time, x ignored; none: all numbers"},
    {"slots", ANB_COUNT, offsetof(AnbColumnsOptions, slots), 8192, 8, 1 << 24, 0, NULL,
     "categories that a column's dictionary has room for"},
    {"memory", ANB_REAL, offsetof(AnbColumnsOptions, memory), 20, 1, 1e9, 0, NULL,
     "span of a category's faded mean, in its samples"},
    {"prior", ANB_REAL, offsetof(AnbColumnsOptions, prior), 10, 0, 1e9, ANB_OPEN_MIN, NULL,
     "samples at the mean of all targets that a category's mean starts from"},
    {0}};

static AnbColumnsLayout layout_of(const AnbNode *self)
{
    return anb_columns_layout(self->options, self->n_features);
}

static size_t times(const AnbNode *self)
{
    return layout_of(self).times;
}

static size_t categories(const AnbNode *self)
{
    return layout_of(self).categories;
}

/* Moments of the linear model, which only rows with categories need. */
static size_t moments(const AnbNode *self)
{
    AnbColumnsLayout l = layout_of(self);
    return l.categories > 0 ? l.numbers : 0;
}

static size_t inputs(const AnbNode *self)
{
    AnbColumnsLayout l = layout_of(self);
    return l.categories > 0 ? l.inputs : 0;
}

static size_t sets(const AnbNode *self)
{
    AnbColumnsLayout l = layout_of(self);
    return l.categories * l.n_sets;
}

static const AnbField members[] = {{ANB_MEMBER(Columns, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Columns, mean), .must = ANB_FINITE},
                                   {ANB_MEMBER(Columns, rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Columns, knows_shares), .must = ANB_FINITE},
                                   {ANB_MEMBER(Columns, blends), .must = ANB_FINITE, .since = 2},
                                   {ANB_INNER(Columns, scale, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_INNER(Columns, range, AnbRange, anb_range_fields), .since = 3},
                                   {ANB_INNER(Columns, line, AnbRange, anb_range_fields), .since = 5},
                                   {ANB_MEMBER(Columns, offset), .must = ANB_FINITE, .since = 5},
                                   {0}};

static size_t moves(const AnbNode *self)
{
    AnbColumnsLayout l = layout_of(self);
    return anb_columns_moves(&l) * sizeof(AnbColumnsMove) / sizeof(uint32_t);
}

static const AnbField no_members[] = {{0}};
static const AnbSetsForm sets_form;

enum {
    LAYOUT,
    MOVES,
    HEAD,
    CALENDARS,
    DICTIONARIES,
    WEIGHT,
    AVERAGE,
    M2,
    INV_SD,
    LINEAR,
    AS_THEY_COME,
    SHARES,
    USED,
    SETS
};
static const AnbField fields[] = {
    [LAYOUT] = {ANB_STRUCT(AnbColumnsLayout, no_members), .must = ANB_DERIVED},
    [MOVES] = {.name = "moves", .kind = ANB_U32, .count = moves, .must = ANB_DERIVED},
    [HEAD] = {ANB_STRUCT(Columns, members)},
    [CALENDARS] = {.name = "calendars", .record = anb_calendar_fields, .stride = sizeof(AnbCalendar), .count = times},
    [DICTIONARIES] = {.name = "dictionaries",
                      .record = anb_dictionary_fields,
                      .stride = sizeof(AnbDictionary),
                      .count = categories},
    [WEIGHT] = {.name = "weight", .kind = ANB_F64, .count = moments, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [AVERAGE] = {.name = "average", .kind = ANB_F64, .count = moments, .must = ANB_FINITE},
    [M2] = {.name = "m2", .kind = ANB_F64, .count = moments, .must = ANB_FINITE},
    [INV_SD] = {.name = "inv_sd", .kind = ANB_F64, .count = moments, .must = ANB_FINITE},
    [LINEAR] = {.name = "linear", .kind = ANB_F64, .count = inputs, .must = ANB_FINITE},
    [AS_THEY_COME] = {.name = "as_they_come", .kind = ANB_F64, .count = moments, .must = ANB_FINITE, .since = 5},
    [SHARES] = {.name = "shares", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE},
    [USED] = {.name = "used", .kind = ANB_U8, .count = sets, .since = 2},
    [SETS] = {.name = "sets", .part = &anb_sets_part, .form = &sets_form},
    {0}};
static const AnbSetsForm sets_form = {sets, USED};

static View view_of(const AnbNode *self, const void *state)
{
    void *own = anb_view_of(state);
    return (View){self->options,
                  anb_field(self, own, LAYOUT),
                  anb_field(self, own, MOVES),
                  anb_field(self, own, HEAD),
                  anb_field(self, own, CALENDARS),
                  anb_field(self, own, DICTIONARIES),
                  anb_field(self, own, WEIGHT),
                  anb_field(self, own, AVERAGE),
                  anb_field(self, own, M2),
                  anb_field(self, own, INV_SD),
                  anb_field(self, own, LINEAR),
                  anb_field(self, own, AS_THEY_COME),
                  anb_field(self, own, SHARES),
                  anb_field(self, own, USED),
                  anb_field(self, own, SETS)};
}

static int check(const AnbNode *self, AnbError *error)
{
    AnbColumnsLayout l = layout_of(self);
    if (l.columns != self->n_features)
        return anb_fail(error, ANB_E_ARGUMENT, "columns: the kinds are of %zu columns, the row has %zu", l.columns,
                        self->n_features);
    return l.width > 0 ? 0 : anb_fail(error, ANB_E_ARGUMENT, "columns: every column is ignored");
}

static size_t child_features(const AnbNode *self, size_t i)
{
    (void)i;
    return layout_of(self).width;
}

static size_t scratch_doubles(const AnbNode *self)
{
    AnbColumnsLayout l = layout_of(self);
    return anb_columns_work_doubles(&l);
}

/* The child's row comes first. */
static const AnbField scratch_fields[] = {{.name = "work", .kind = ANB_F64, .count = scratch_doubles}, {0}};

/* Whether all columns are numbers: the child's row is the row itself, and nothing is learned here. */
static bool is_as_it_is(const AnbNode *self, const void *state)
{
    const AnbColumnsLayout *l = anb_field_const(self, state, LAYOUT);
    return l->as_it_is;
}

static AnbRow made_row(const AnbRow *row, const double *made)
{
    return (AnbRow){made, made, NULL, row->counters, row->outcome};
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* The category's entry, made where there was none. */
static AnbCategory *entry_of(const View *v, const Work *w, size_t c)
{
    AnbPlace *place = &w->place[c];
    if (!place->entry)
        place->entry = &place->set->entry[anb_set_insert(place->set, &v->used[place->set - v->sets], place->key)];
    return place->entry;
}

static double effects_of(const View *v, const Work *w)
{
    double effects = 0;
    for (size_t c = 0; c < v->l->categories; c++)
        effects += w->row[v->l->plain + c * ANB_STATISTICS + ANB_EFFECT];
    return effects;
}

/* The step of the row's effects for an error; 0 where it would overflow. */
static double effect_step(const View *v, const Work *w, double error, double weight)
{
    double gains = 0;
    for (size_t c = 0; c < v->l->categories; c++)
        gains += weight * w->place[c].share;
    double step = error / (1 + gains);
    return fabs(step) < 0x1p1000 ? step : 0;
}

/* The target as it is learned: bounded by the running scale of the errors or by the range of the targets so far,
 * whichever bound is farther. */
static double near_of(const View *v, double predicted, double y)
{
    AnbRange *range = &v->s->range;
    double bounded = anb_target_bounded(&v->s->scale, predicted, y), within = anb_range_bounded(range, y);
    bool farther = range->high > range->low && fabs(within - predicted) > fabs(bounded - predicted);
    anb_range_follow(range, y);
    return farther ? within : bounded;
}

/* Scores each memory of the row's known categories by its error. */
static void judge_memories(const View *v, const Work *w, double y, double weight)
{
    double per_error = 1 / v->s->scale.level;
    for (size_t c = 0; c < v->l->categories && v->s->scale.level > 0; c++) {
        if (w->place[c].entry)
            anb_dictionary_judge(&v->heads[c], w->place[c].entry, w->row[v->l->plain + c * ANB_STATISTICS + ANB_MEAN],
                                 y, per_error, weight);
    }
}

static void learn_categories(const View *v, const Work *w, double y, double step, double weight)
{
    double growth = anb_dictionary_growth(v->l->n_sets);
    for (size_t c = 0; c < v->l->categories; c++) {
        AnbCategory *e = entry_of(v, w, c);
        e->effect = anb_within_doubles(e->effect + step * (weight * w->place[c].share));
        anb_category_learn(e, y, weight, v->options->memory);
        anb_dictionary_count(&v->heads[c], growth, e, weight);
        anb_dictionary_bound(&v->heads[c], anb_columns_sets(v, c), v->l->n_sets);
    }
}

static void learn_row(const View *v, const AnbRow *row, const Work *w, double y, double weight)
{
    if (v->s->weight == 0)
        v->s->blends = 1;
    AnbColumnsDue due = anb_columns_line_due(v, weight);
    double predicted = v->s->mean + (effects_of(v, w) + anb_columns_line_predict(v, w, due));
    judge_memories(v, w, y, weight);
    y = near_of(v, predicted, y);
    double step = effect_step(v, w, y - predicted, weight);
    learn_categories(v, w, y, step, weight);
    if (due)
        anb_columns_line_learn(v, w, row, due, step, weight);
    for (size_t t = 0; t < v->l->times; t++)
        anb_calendar_learn(&v->calendars[t], w->times[t], w->logs[v->l->categories + t]);
    v->s->weight += weight;
    v->s->mean = anb_toward(v->s->mean, y, weight / v->s->weight);
}

/* Sums the child's importances up by column, every GATHER rows. */
static void gather_shares(const AnbNode *self, const void *state, const View *v, const Work *w)
{
    if (++v->s->rows < GATHER)
        return;
    v->s->rows = 0;
    if (anb_child_importance(self, 0, state, w->answer) != 0)
        return;
    anb_columns_join(v->options, self->n_features, w->answer, v->shares);
    v->s->knows_shares = 1;
}

/* ---- the type ---------------------------------------------------------------------------------------------------- */

/* After the child has learned the row. */
static void learn(const AnbNode *self, const void *state, const View *v, const Work *w, const AnbRow *row, double y,
                  double weight)
{
    if (v->l->categories > 0)
        learn_row(v, row, w, y, weight);
    gather_shares(self, state, v, w);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow made = made_row(row, row->raw);
    if (!is_as_it_is(self, state)) {
        View v = view_of(self, state);
        Work w = anb_columns_work(v.l, scratch);
        made = made_row(row, anb_columns_map(self, &v, row->raw, &w));
    }
    return anb_child_predict(self, 0, state, &made, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    bool as_it_is = is_as_it_is(self, state);
    AnbRow made = made_row(row, as_it_is ? row->raw : scratch);
    anb_child_update(self, 0, state, &made, y, weight, scratch);
    if (as_it_is)
        return;
    View v = view_of(self, state);
    Work w = anb_columns_work(v.l, scratch);
    learn(self, state, &v, &w, row, y, weight);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = made_row(row, row->raw);
    if (is_as_it_is(self, state))
        return anb_child_step(self, 0, state, &made, y, weight, scratch);
    View v = view_of(self, state);
    Work w = anb_columns_work(v.l, scratch);
    made = made_row(row, anb_columns_map(self, &v, row->raw, &w));
    double f = anb_child_step(self, 0, state, &made, y, weight, scratch);
    learn(self, state, &v, &w, row, y, weight);
    return f;
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    return made_row(row, layout_of(self).as_it_is ? row->raw : scratch);
}

static int column_shares(const AnbNode *self, const void *state, double *out)
{
    if (is_as_it_is(self, state))
        return anb_child_importance(self, 0, state, out);
    View v = view_of(self, state);
    if (v.s->knows_shares == 0)
        return ANB_E_UNSUPPORTED;
    memcpy(out, v.shares, self->n_features * sizeof *out);
    return 0;
}

static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    (void)child;
    anb_columns_source(self->options, self->n_features, i, out);
}

static size_t frequent(const AnbNode *self, const void *state, size_t column, AnbCategoryEffect *out, size_t n)
{
    View v = view_of(self, state);
    size_t c = anb_columns_dictionary(self->options, self->n_features, column);
    return c < v.l->categories ? anb_dictionary_frequent(&v.heads[c], anb_columns_sets(&v, c), v.l->n_sets, out, n) : 0;
}

static int init(const AnbNode *self, void *state)
{
    AnbColumnsLayout *l = anb_field(self, state, LAYOUT);
    *l = layout_of(self);
    anb_columns_list(self->options, self->n_features, l, anb_field(self, state, MOVES));
    return 0;
}

static const AnbFeatureTable features = {source};
static const AnbCategoryTable category_table = {frequent};
static const AnbWrapperTable wrapper = {.row = shown};
static const AnbImportanceTable importance = {column_shares};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = view_of(self, state);
    for (size_t c = 0; c < v.l->categories; c++)
        if (!anb_dictionary_valid(&v.heads[c], anb_columns_sets(&v, c), v.l->n_sets, self->seed))
            return anb_fail(error, ANB_E_STATE, "columns: dictionary %zu has an entry that learning cannot reach", c);
    return 0;
}

/* Does nothing: the child sees raw cells, whose units stay as they are. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    (void)self, (void)state, (void)alpha, (void)beta;
}

const StreamingLearnerType anb_columns = {
    .name = "columns",
    .brief = "categories and times as numbers for a learner",
    .example = "columns(scale(linear), kinds=\"k t *n\", slots=64)",
    .options_size = sizeof(AnbColumnsOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_KEEPS_MISSING | ANB_WEIGHT_SCALED |
             ANB_READS_OLDER | ANB_SINCE_0_3,
    .version = 5,
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .child_features = child_features,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .importance = &importance,
    .features = &features,
    .categories = &category_table,
    .validate = validate,
    .reframe = reframe,
};
