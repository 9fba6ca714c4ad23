/*
 * narrow(child, of="12y 2n"): the child sees some of the columns.
 *
 * `of` has a letter for each column: y the child sees it, n it does not. Cells are copied unchanged, missing ones too.
 * Seeds below are those that the child would have at the root, so that a model of fewer columns continues here
 * unchanged (anb_widen).
 *
 * State: room for a change of the child's units. Scratch: the child's x and raw. Cost: two copies of the child's row.
 */
#include <anabranch/learners.h>
#include <anabranch/reach.h>

static const AnbParam params[] = {{"of", ANB_RUNS, offsetof(AnbNarrowOptions, of), 0, 0, 0, 0, "yn",
                                   "a letter for each column: y the child sees it, n not; none: all"},
                                  {0}};

static const AnbRuns all = {.count = 1, .n = {0}, .letter = {'y'}};

static const AnbRuns *runs_of(const AnbNode *self)
{
    const AnbNarrowOptions *o = self->options;
    return o->of.count > 0 ? &o->of : &all;
}

/* How many columns the child sees; *columns: the length of all runs, with a run `*` as long as the others leave. */
static size_t seen(const AnbNode *self, size_t *columns)
{
    const AnbRuns *runs = runs_of(self);
    size_t n = 0;
    *columns = 0;
    for (int i = 0; i < runs->count; i++) {
        size_t length = anb_runs_length(runs, i, self->n_features);
        *columns += length;
        n += runs->letter[i] == 'y' ? length : 0;
    }
    return n;
}

static size_t child_features(const AnbNode *self, size_t i)
{
    size_t columns;
    (void)i;
    return seen(self, &columns);
}

static int check(const AnbNode *self, AnbError *error)
{
    size_t columns, n = seen(self, &columns);
    if (columns != self->n_features)
        return anb_fail(error, ANB_E_ARGUMENT, "narrow: its letters are of %zu columns, the row has %zu", columns,
                        self->n_features);
    return n > 0 ? 0 : anb_fail(error, ANB_E_ARGUMENT, "narrow: the child would see no column");
}

static size_t width(const AnbNode *self)
{
    return child_features(self, 0);
}

static size_t unit_room(const AnbNode *self)
{
    return 2 * width(self);
}

enum { UNIT };
static const AnbField fields[] = {
    /* room for a change of the child's units: see reframe */
    [UNIT] = {.name = "unit", .kind = ANB_F64, .count = unit_room, .must = ANB_DERIVED},
    {0}};

enum { X, RAW };
static const AnbField scratch_fields[] = {[X] = {.name = "x", .kind = ANB_F64, .count = width},
                                          [RAW] = {.name = "raw", .kind = ANB_F64, .count = width},
                                          {0}};

static void pick(const AnbNode *self, const double *from, double *to)
{
    const AnbRuns *runs = runs_of(self);
    for (int i = 0; i < runs->count; i++) {
        size_t n = anb_runs_length(runs, i, self->n_features);
        if (runs->letter[i] == 'y') {
            memcpy(to, from, n * sizeof *to);
            to += n;
        }
        from += n;
    }
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    return (AnbRow){anb_scratch(self, scratch, X), anb_scratch(self, scratch, RAW), NULL, row->counters, row->outcome};
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow made = shown(self, row, scratch);
    pick(self, row->x, anb_scratch(self, scratch, X));
    pick(self, row->raw, anb_scratch(self, scratch, RAW));
    return anb_child_predict(self, 0, state, &made, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = shown(self, row, scratch);
    anb_child_update(self, 0, state, &made, y, weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = shown(self, row, scratch);
    pick(self, row->x, anb_scratch(self, scratch, X));
    pick(self, row->raw, anb_scratch(self, scratch, RAW));
    return anb_child_step(self, 0, state, &made, y, weight, scratch);
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    double *unit = anb_field(self, state, UNIT);
    pick(self, alpha, unit);
    pick(self, beta, unit + width(self));
    anb_node_reframe(&self->children[0], anb_child_state(&self->children[0], state), unit, unit + width(self));
}

/* Writes the child's shares to its columns, from the last one on since the arrays may be the same; 0 elsewhere. */
static int shares(const AnbNode *self, const void *state, double *share)
{
    const AnbRuns *runs = runs_of(self);
    size_t from = width(self), to = self->n_features;
    int code = anb_child_importance(self, 0, state, share);
    for (int i = runs->count; i-- > 0 && !code;)
        for (size_t n = anb_runs_length(runs, i, self->n_features); n > 0; n--)
            share[--to] = runs->letter[i] == 'y' ? share[--from] : 0;
    return code;
}

static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    const AnbRuns *runs = runs_of(self);
    size_t column = 0;
    (void)child;
    for (int r = 0; r < runs->count; r++) {
        size_t n = anb_runs_length(runs, r, self->n_features);
        bool sees = runs->letter[r] == 'y';
        if (sees && i < n)
            break;
        i -= sees ? n : 0;
        column += n;
    }
    *out = (AnbFeatureSource){.column = {column + i}, .n = 1};
}

static const AnbFeatureTable features = {source};
static const AnbWrapperTable wrapper = {.row = shown};
static const AnbImportanceTable importance = {shares};

const StreamingLearnerType anb_narrow = {
    .name = "narrow",
    .brief = "a learner of some of the columns",
    .example = "narrow(scale(rls), of=\"*y n\")",
    .options_size = sizeof(AnbNarrowOptions),
    .params = params,
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_TAKES_MISSING | ANB_KEEPS_MISSING |
             ANB_WEIGHT_SCALED | ANB_SEEDS_ANEW | ANB_SINCE_0_3,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .child_features = child_features,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .importance = &importance,
    .features = &features,
    .reframe = reframe,
};
