/*
 * Standardises the features for its child, and limits the child's predictions and targets.
 *
 *     z_j = (x_j - centre_j) / spread_j, clipped to +-bound_j
 *     z_j = 0 where x_j is missing or beyond a limit, and where the spread is 0
 *
 * Features. Centre and spread follow the mean and the deviation of the earlier rows, without missing cells. They change
 * only at re-framings, at which learners below that keep coefficients transform them (reframe in type.h). A cell far
 * out has a limited effect on them. bound_j, and whether the tail of a feature is cut, passed on or left out, is found
 * by comparing two predictions of the child on rows with a cell in a tail; with `whole` all tails are passed on without
 * comparing. src/numeric/frame.h has the rules.
 *
 * Predictions. Before the first target the prediction is the child's. Later it is clipped to the range of the targets
 * so far, widened by 10 % of its width on each side. On rows with a cell in a tail that is passed on it may go further
 * once predictions without that limit have had small errors (src/numeric/outlook.h): those of the child or, of a
 * mixture, of its linear experts. From then on cells are passed on as far out as `trust` allows.
 *
 * Targets. A target farther from the prediction than the bound of src/numeric/error_scale.h is moved toward it, but not
 * beyond the range of the targets, before the child and the range learn it. So one wrong target has a limited effect on
 * both.
 *
 * State: the range of the targets, a frame, the errors' scale and an outlook. Scratch: the frame's, z[d] first. Cost: 2
 * passes over the row.
 */
#include "scale_state.h"
#include "src/text/field_reader.h"
#include <anabranch/reach.h>

static const AnbParam params[] = {
    {"clip", ANB_REAL, offsetof(AnbScaleOptions, clip), 4, 1, 1000, 0, NULL,
     "standard deviations at which cells are clipped"},
    {"far", ANB_REAL, offsetof(AnbScaleOptions, far), 2, 1, 1e6, ANB_OPEN_MIN, NULL,
     "a cell beyond so many times the feature's reach counts as missing"},
    {"tails", ANB_BOOL, offsetof(AnbScaleOptions, tails), 1, 0, 0, 0, NULL,
     "cells beyond clip are passed on unclipped, or replaced by 0, where the child predicts better with that"},
    {"trust", ANB_REAL, offsetof(AnbScaleOptions, trust), 1, 1, 1e6, 0, NULL,
     "replaces far, if larger, for features whose cells beyond clip are passed on"},
    {"whole", ANB_BOOL, offsetof(AnbScaleOptions, whole), 0, 0, 0, 0, NULL,
     "cells beyond clip are passed on from the first row on, without comparing"},
    {0}};

static double clipped(const void *state, double f)
{
    AnbRange range = range_of(state);
    return anb_range_clip(&range, f);
}

/* Limits the move of a target y to `bounded` by the range of the targets. */
static double in_range(const void *state, double bounded, double y)
{
    AnbRange range = range_of(state);
    return anb_range_target(&range, bounded, y);
}

/* The prediction, where the child predicts f, and `far` without limits. */
static double limited(const void *state, double f, double far)
{
    AnbRange range = range_of(state);
    return anb_outlook_limit(&range, &((const Scale *)state)->outlook, f, far);
}

static const AnbField members[] = {{ANB_MEMBER(Scale, low)},
                                   {ANB_MEMBER(Scale, high)},
                                   {ANB_MEMBER(Scale, level)},
                                   {ANB_MEMBER(Scale, evidence)},
                                   {ANB_INNER(Scale, outlook, AnbOutlook, anb_outlook_fields), .since = OUTLOOK_SINCE},
                                   {0}};

static size_t state_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return sizeof(Scale) + anb_frame_state(self->n_features);
}

static void visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbFrame frame = frame_of(self, state);
    (void)field;
    anb_struct_visit(members, part, visitor);
    anb_frame_visit(&frame, frame_in(part), visitor);
}

static const AnbPart all_of_it = {.size = state_size, .visit = visit};
static const AnbField fields[] = {{.name = "scale", .part = &all_of_it}, {0}};

static size_t scratch_size(const AnbNode *self)
{
    return anb_frame_scratch(self->n_features);
}

enum { SMALL = 64, LARGE = 1024 };

/* Doubles for a copy of the child's scratch while the child predicts another row. A small scratch is copied to the
 * stack, others to here; one that is much larger than a row is not copied: the child predicts again. */
static size_t kept_size(const AnbNode *self)
{
    size_t size = self->children[0].scratch_size;
    return size > SMALL && size <= 2 * self->n_features + LARGE ? size : 0;
}

/* The prediction for the row; the child's before clipping; the outlook, or NAN. */
typedef struct Predicted {
    double f, child, far;
} Predicted;

enum { Z, PREDICTED, KEPT };
static const AnbField scratch_fields[] = {[Z] = {.name = "z", .kind = ANB_F64, .count = scratch_size},
                                          [PREDICTED] = {.name = "said", .kind = ANB_F64, .fixed = 3},
                                          [KEPT] = {.name = "kept", .kind = ANB_F64, .count = kept_size},
                                          {0}};

static int init(const AnbNode *self, void *state)
{
    AnbFrame frame = frame_of(self, state);
    put_range(state, &(AnbRange){0});
    put_errors(state, &(AnbErrorScale){0});
    ((Scale *)state)->outlook = (AnbOutlook){0};
    anb_frame_init(&frame, frame_in(state));
    return 0;
}

static Predicted *predicted_in(const AnbNode *self, double *scratch)
{
    return anb_scratch(self, scratch, PREDICTED);
}

static void standardize(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbFrame frame = frame_of(self, state);
    anb_frame_apply(&frame, frame_in(state), row->x, scratch);
}

/* The child's row. */
static AnbRow made_row(const AnbRow *row, const double *z)
{
    return (AnbRow){z, row->raw, row->importance, row->counters, row->outcome};
}

/* Whether the child has an outlook that differs from its prediction, as a mixture. */
static bool has_outlook(const AnbNode *self)
{
    return anb_node_can(&self->children[0], ANB_CAN_FORESEE);
}

/* The child's prediction without limits for the row in the scratch, where its prediction is f; NAN where it is not
 * needed. */
static double outlook(const AnbNode *self, const void *state, double f, double *scratch)
{
    AnbFrame frame = frame_of(self, state);
    AnbRange range = range_of(state);
    bool mixture = has_outlook(self);
    if (targets_seen(state) < ANB_RANGE_SURE ||
        (!mixture && !anb_outlook_leaves(&range, &((const Scale *)state)->outlook, f)))
        return ANB_NAN;
    if (!anb_frame_in_tail(&frame, frame_in(state), scratch, anb_frame_place(&frame, scratch)))
        return ANB_NAN;
    AnbAsked at = anb_child_asked(self, 0, state, NULL, scratch);
    return mixture && anb_reach(&at, ANB_CAN_FORESEE) ? at.node->type->mixture->outlook(at.node, at.state, at.scratch)
                                                      : f;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    standardize(self, state, row, scratch);
    double f = anb_child_predict(self, 0, state, &inner, scratch), far = outlook(self, state, f, scratch);
    Predicted *predicted = predicted_in(self, scratch);
    *predicted = (Predicted){limited(state, f, far), f, far};
    return predicted->f;
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    double z[ANB_ROWS_ROOM], place[ANB_ROWS];
    AnbFrame frame = frame_of(self, state);
    size_t d = self->n_features, most = anb_rows_fit(d);
    bool open = anb_outlook_open(&((const Scale *)state)->outlook);
    if (most < 2 || (open && has_outlook(self))) {
        anb_predict_each(self, state, rows, scratch, out);
        return;
    }
    for (size_t at = 0; at < rows->n; at += most) {
        AnbRows part = anb_rows_part(rows, at, most);
        for (size_t i = 0; i < part.n; i++)
            place[i] = anb_frame_apply_alone(&frame, frame_in(state), part.x + i * part.x_stride, z + i * d);
        part.x = z;
        part.x_stride = d;
        anb_child_predict_many(self, 0, state, &part, scratch, out + at);
        for (size_t i = 0; i < part.n; i++) {
            bool tail = open && anb_frame_in_tail(&frame, frame_in(state), z + i * d, place[i]);
            out[at + i] = limited(state, out[at + i], tail ? out[at + i] : ANB_NAN);
        }
    }
}

/* The prediction of the row with another z in one cell, where the frame has a cell to try (`any`). */
typedef struct Trial {
    AnbFrameTrial of;
    bool any;
    double f;
} Trial;

/* The child's prediction for a row. Returns whether the child's scratch was restored. */
static bool predict_apart(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *f)
{
    double few[SMALL], *kept = few, *child = scratch + self->children[0].scratch_offset;
    size_t size = self->children[0].scratch_size;
    AnbRow inner = made_row(row, scratch);
    if (size > SMALL) {
        kept = anb_scratch(self, scratch, KEPT);
        size = kept_size(self);
    }
    memcpy(kept, child, size * sizeof *kept);
    *f = anb_child_predict(self, 0, state, &inner, scratch);
    memcpy(child, kept, size * sizeof *kept);
    return size == self->children[0].scratch_size;
}

/* Fills the child's scratch. */
static void predict_again(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    anb_child_predict(self, 0, state, &inner, scratch);
}

/* The child's prediction with another z in the cell of one feature. */
static double predict_changed(const AnbNode *self, const void *state, const AnbRow *row, size_t feature, double z,
                              double *scratch)
{
    double f, *cell = scratch + feature, was = *cell;
    *cell = z;
    bool whole = predict_apart(self, state, row, scratch, &f);
    *cell = was;
    if (!whole)
        predict_again(self, state, row, scratch);
    return f;
}

/* The same for a child that is affine in the row: the prediction changes by slope times change of z. */
static double follow_slope(const AnbNode *self, const void *state, size_t feature, double z, double *scratch)
{
    double unit;
    const AnbNode *child = &self->children[0];
    const double *w = child->type->affine->slopes(child, anb_child_state_const(child, state), &unit);
    return predicted_in(self, scratch)->child + unit * w[feature] * (z - scratch[feature]);
}

static Trial try_out(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbFrame frame = frame_of(self, state);
    Trial trial = {.any = false};
    trial.any = anb_frame_trial(&frame, frame_in(state), row->x, scratch, &trial.of);
    if (!trial.any)
        return trial;
    size_t j = trial.of.feature;
    double f = self->children[0].type->affine ? follow_slope(self, state, j, trial.of.z, scratch)
                                              : predict_changed(self, state, row, j, trial.of.z, scratch);
    trial.f = clipped(state, f);
    return trial;
}

static void learn_row(const AnbNode *self, void *state, const AnbRow *row, const Trial *trial, double y, double weight,
                      double *scratch)
{
    AnbFrame frame = frame_of(self, state);
    AnbReframing moved;
    AnbFrameState *frame_state = frame_in(state);
    AnbRange range = range_of(state);
    if (trial->any)
        anb_frame_judge(&frame, frame_state, &trial->of, y - clipped(state, predicted_in(self, scratch)->child),
                        y - trial->f);
    anb_range_follow(&range, y);
    put_range(state, &range);
    anb_outlook_follow(&((Scale *)state)->outlook, (double)anb_frame_rows(frame_state) + 1, y);
    if (anb_frame_learn(&frame, frame_state, row->x, weight, scratch, &row->counters->restarts, &moved))
        anb_node_reframe(&self->children[0], anb_child_state(&self->children[0], state), moved.alpha, moved.beta);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    Trial trial = try_out(self, state, row, scratch);
    const Predicted *predicted = predicted_in(self, scratch);
    AnbErrorScale errors = errors_of(state);
    double given = y, level = errors.level;
    y = anb_target_bounded(&errors, predicted->f, y);
    y = in_range(state, y, given);
    if (predicted->far == predicted->far) {
        AnbRange range = range_of(state);
        anb_outlook_judge(&((Scale *)state)->outlook, &range, level, predicted->child, predicted->far, given);
        y = anb_outlook_target(&range, predicted->far, y, given);
    }
    put_errors(state, &errors);
    anb_child_update(self, 0, state, &inner, y, weight, scratch);
    learn_row(self, state, row, &trial, y, weight, scratch);
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    (void)self;
    return made_row(row, scratch);
}

static const AnbWrapperTable wrapper = {.row = shown};

/* Exact as long as no coalition's prediction is clipped. */
static bool split(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    AnbRange range = range_of(state);
    return anb_split_first(self, state, pair, share, out) && anb_range_spares(&range, out->low, out->high);
}

static const AnbShapleyTable shapley = {split};

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AnbFrame frame = frame_of(self, state);
    anb_frame_reframe(&frame, frame_in(state), alpha, beta);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    AnbFrame frame = frame_of(self, state);
    AnbRange range = range_of(state);
    AnbErrorScale errors = errors_of(state);
    if (!anb_frame_valid(&frame, frame_in(state)))
        return anb_fail(error, ANB_E_STATE, "scale: invalid moments, frame or reach of a feature");
    if (!anb_error_scale_valid(&errors))
        return anb_fail(error, ANB_E_STATE, "scale: the scale of the errors is negative or not finite");
    if (!anb_outlook_valid(&((const Scale *)state)->outlook))
        return anb_fail(error, ANB_E_STATE, "scale: the outlook is not finite or its variance negative");
    return anb_range_valid(&range) ? 0 : anb_fail(error, ANB_E_STATE, "scale: the target range is not ordered");
}

/* Layouts 6 and 7. */
static int read_apart(const AnbNode *self, unsigned from, AnbFieldReader *reader, void *state)
{
    AnbFrame frame = frame_of(self, state);
    reader->visitor.version = from;
    anb_struct_visit(members, state, &reader->visitor);
    anb_frame_read_apart(&frame, frame_in(state), &reader->visitor);
    AnbRange range = range_of(state);
    if (from < OUTLOOK_SINCE)
        anb_outlook_guess(&((Scale *)state)->outlook, &range);
    return anb_fields_end(reader) ? ANB_E_STATE : 0;
}

/* Layout 1: the range, then count, mean, m2 and 1/sd of every feature; its frame followed every row. Layout 2 had no
 * common_j, layout 3 no tails that are left out, layout 4 no separate zeros of wide frames. Layout 5 had numbers that
 * follow from others, and full width for evidence; layout 6 had no outlook; layout 7 had evidence, junk and crowd in
 * arrays. */
static int upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    AnbFrame frame = frame_of(self, state);
    AnbFieldReader reader = anb_field_reader(bytes, size);
    AnbRange range = {0};
    AnbErrorScale errors = {0};
    init(self, state);
    if (from >= OUTLOOK_SINCE - 1)
        return read_apart(self, from, &reader, state);
    anb_range_visit(&range, &reader.visitor);
    anb_frame_read_older(&frame, frame_in(state), from, &reader.visitor);
    if (from > 1)
        anb_error_scale_visit(&errors, &reader.visitor);
    if (anb_fields_end(&reader) || !anb_error_scale_valid(&errors))
        return ANB_E_STATE;
    put_range(state, &range);
    put_errors(state, &errors);
    anb_outlook_guess(&((Scale *)state)->outlook, &range);
    return 0;
}

const StreamingLearnerType anb_scale = {
    .name = "scale",
    .brief = "online standardisation around a learner, clipped to the seen target range",
    .example = "scale(linear)",
    .options_size = sizeof(AnbScaleOptions),
    .params = params,
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_TAKES_MISSING | ANB_COMPLETES |
             ANB_WEIGHT_SCALED | ANB_CLIPPED | ANB_SINCE_0_3,
    .version = LAYOUT,
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .reframe = reframe,
    .validate = validate,
    .upgrade = upgrade,
};
