/*
 * select(child, spare, most=20): the child sees only the features that count, at most `most` of them.
 *
 * Rows for the children have `most` places; a place holds a feature or 0. Which features count is found from the rows
 * so far (src/numeric/screen.h): those that forward selection takes, and those on which the child's error depends,
 * alone or in a product of two or three. The selection runs after 40 rows and then each time the rows have grown by a
 * third, at the latest after PERIOD rows. Features found by the error stay counted as long as there are free places.
 *
 * The two children should be the same expression; one serves. A newly found feature gets an empty place at once, if
 * there is one: the serving child goes on, and sees a feature that was 0 so far. A new child is prepared after 80 rows,
 * and whenever the rows have grown threefold since, if the serving one got features in that way or sees features that
 * do not count any more:
 *
 *     1. it is reset, gets the features that count, and learns the remembered rows, the oldest first, some a sample
 *     2. it learns new rows beside the serving one, for a 16th of the rows so far
 *     3. it serves from then on if its squared error in step 2 is smaller, each error clipped to FAR scales of the
 *        errors
 *
 * Half of that wait is enough if a feature that counts has found no place, or if a feature on which the error depends
 * got an empty place: the serving child learns slowly about a feature that was 0 in all rows before.
 *
 * So a child that was prepared has never seen the features that do not count. From row EARLY on the screen looks at
 * every other row.
 *
 * State: the sums of the screen, about 5 d^2 / 2 floats, up to 96 features d^3 / 6 more; `memory` rows of 2 d floats
 * and two numbers; both children. Cost: 5 d^2 / 2 operations on floats, up to 96 features d^3 / 24 more, half of that
 * from row EARLY on; the child at `most` features; while one is prepared, that of the child REPLAY times more.
 * The constants were chosen on half of the streams of docs/accuracy.md, "Columns that carry nothing".
 */
#include "select_state.h"
#include <anabranch/reach.h>

enum { PERIOD = 250, EARLY = 1000, GROWTH = 3 }; /* rows; rows until a new child may be prepared grow so many times */
enum {
    QUICK = 400,
    REPLAY_QUICK = 8,
    REPLAY = 3
};                                               /* rows learned again a sample: so many up to QUICK rows, then fewer */
enum { SHORTEST = 10, PART = 16, WIDEST = 512 }; /* rows of a trial; the part of all rows that it takes; features */
static const double FAR = 4;                     /* error scales */
static const double early_level = 0.1, late_level = 0.02; /* of forward selection, up to EARLY rows and beyond */

static const AnbParam params[] = {{"most", ANB_COUNT, offsetof(AnbSelectOptions, most), 20, 1, SELECT_MOST, 0, NULL,
                                   "features that the child sees at most"},
                                  {"memory", ANB_COUNT, offsetof(AnbSelectOptions, memory), 1000, 100, 1 << 20, 0, NULL,
                                   "rows stored, from which a child learns a new selection"},
                                  {0}};

static int check(const AnbNode *self, AnbError *error)
{
    if (self->n_features <= WIDEST)
        return 0;
    return anb_fail(error, ANB_E_LIMIT, "select: %zu features, at most %d", self->n_features, WIDEST);
}

static size_t child_features(const AnbNode *self, size_t i)
{
    (void)i;
    return anb_select_most(self);
}

/* ---- what the children see --------------------------------------------------------------------------------------- */

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    return (AnbRow){anb_scratch(self, scratch, SELECT_OWN_X), anb_scratch(self, scratch, SELECT_OWN_RAW), NULL,
                    row->counters, row->outcome};
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Select *s = state;
    const uint16_t *place = anb_select_places(self, s, s->serving);
    AnbRow made = shown(self, row, scratch);
    anb_select_pick(place, anb_select_most(self), row->x, anb_scratch(self, scratch, SELECT_OWN_X));
    anb_select_pick(place, anb_select_most(self), row->raw, anb_scratch(self, scratch, SELECT_OWN_RAW));
    return scratch[SELECT_PREDICTION] = anb_child_predict(self, s->serving, s, &made, scratch);
}

/* The row for the child that is prepared; its counters and its outcome are discarded. */
static AnbRow other_row(const AnbNode *self, AnbCounters *uncounted, double *scratch)
{
    return (AnbRow){anb_scratch(self, scratch, SELECT_OTHER_X), anb_scratch(self, scratch, SELECT_OTHER_RAW), NULL,
                    uncounted, NULL};
}

/* ---- another child is prepared ----------------------------------------------------------------------------------- */

static void learn_remembered(const AnbNode *self, Select *s, double *scratch)
{
    const uint64_t oldest = s->ring.pushed - anb_select_rows(self, s);
    AnbCounters uncounted = {0};
    AnbRow made = other_row(self, &uncounted, scratch);
    s->next = s->next > oldest ? s->next : oldest;
    for (int i = s->seen < QUICK ? REPLAY_QUICK : REPLAY; i > 0 && s->next < s->ring.pushed; i--, s->next++) {
        double weight, y = anb_select_recall(self, s, s->next, scratch, &weight);
        anb_child_step(self, 1 - s->serving, s, &made, y, weight, scratch);
    }
}

static double bounded_square(double error, double level)
{
    double by = level > 0 ? anb_clip(error / level, FAR) : 0;
    return by * by;
}

static uint64_t rows_of_trial(const Select *s)
{
    uint64_t rows = s->seen / PART, most = SELECT_LONGEST;
    return rows < SHORTEST ? SHORTEST : rows > most ? most : rows;
}

static void end_trial(const AnbNode *self, Select *s)
{
    AnbScreenView screen = anb_select_screen(self, s);
    s->prepared = s->trial = 0;
    if (s->gain > 0) {
        s->serving = 1 - s->serving;
        anb_screen_forget_errors(&screen);
    } else {
        s->added |= SELECT_TAKEN; /* so that it is prepared again */
    }
    s->gain = 0;
}

/* Compares both children on a new row. */
static void compare(const AnbNode *self, Select *s, const AnbRow *row, double y, double weight, double *scratch)
{
    const uint64_t other = 1 - s->serving;
    const uint16_t *place = anb_select_places(self, s, other);
    AnbCounters uncounted = {0};
    AnbRow made = other_row(self, &uncounted, scratch);
    anb_select_pick(place, anb_select_most(self), row->x, anb_scratch(self, scratch, SELECT_OTHER_X));
    anb_select_pick(place, anb_select_most(self), row->raw, anb_scratch(self, scratch, SELECT_OTHER_RAW));
    double f = anb_child_step(self, other, s, &made, y, weight, scratch);
    s->gain += bounded_square(y - scratch[SELECT_PREDICTION], s->error.level) - bounded_square(y - f, s->error.level);
    s->next++;
    if (++s->trial >= rows_of_trial(s))
        end_trial(self, s);
}

static void prepare(const AnbNode *self, Select *s, const AnbRow *row, double y, double weight, double *scratch)
{
    if (s->trial > 0 || s->next + 1 == s->ring.pushed)
        compare(self, s, row, y, weight, scratch);
    else
        learn_remembered(self, s, scratch);
}

/* ---- which features count ---------------------------------------------------------------------------------------- */

/* Marks the features that count; returns how many. Those found by the error are added where places are left. */
static size_t choose(const AnbNode *self, Select *s, uint8_t *chosen, double *room)
{
    const AnbScreenView screen = anb_select_screen(self, s);
    uint8_t *held = anb_field(self, s, SELECT_HELD);
    const size_t most = anb_select_most(self);
    memset(chosen, 0, self->n_features);
    size_t n = anb_screen_forward(&screen, most, s->seen < EARLY ? early_level : late_level, chosen, room);
    anb_screen_depends(&screen, held);
    for (size_t j = 0; j < self->n_features; j++) {
        held[j] &= chosen[j] || n < most;
        n += held[j] && !chosen[j];
        chosen[j] = chosen[j] ? SELECT_TAKEN : held[j] ? SELECT_DEPENDED_ON : 0;
    }
    return n;
}

/* Marks the features that a child sees; returns how many of them do not count. */
static size_t mark_seen(const AnbNode *self, const Select *s, uint64_t child, const uint8_t *chosen, uint8_t *seen)
{
    const uint16_t *place = anb_select_places(self, s, child);
    size_t others = 0;
    memset(seen, 0, self->n_features);
    for (size_t k = 0; k < anb_select_most(self); k++)
        if (place[k] > 0) {
            seen[place[k] - 1] = 1;
            others += !chosen[place[k] - 1];
        }
    return others;
}

/* Gives empty places of a child to features that count and that it does not see. Returns their marks. */
static uint64_t add_features(const AnbNode *self, Select *s, uint64_t child, const uint8_t *chosen, uint8_t *seen)
{
    uint16_t *place = anb_select_own_places(self, s, child);
    const size_t d = self->n_features;
    uint64_t added = 0;
    mark_seen(self, s, child, chosen, seen);
    for (size_t k = 0, j = 0; k < anb_select_most(self); k++) {
        while (place[k] == 0 && j < d && (!chosen[j] || seen[j]))
            j++;
        if (place[k] > 0 || j == d)
            continue;
        added |= chosen[j];
        place[k] = (uint16_t)++j;
    }
    return added;
}

static void start_preparing(const AnbNode *self, Select *s, const uint8_t *chosen, uint8_t *seen)
{
    const uint64_t other = 1 - s->serving;
    memset(anb_select_own_places(self, s, other), 0, anb_select_most(self) * sizeof(uint16_t));
    add_features(self, s, other, chosen, seen);
    anb_child_reset(self, other, s);
    s->prepared = 1;
    s->next = 0;
    s->added = 0;
    s->renewal = GROWTH * s->seen;
}

/* Whether the serving child does not see a feature that counts, for lack of places. */
static bool lacks(const AnbNode *self, const uint8_t *chosen, const uint8_t *seen)
{
    bool lacks = false;
    for (size_t j = 0; j < self->n_features; j++)
        lacks |= chosen[j] && !seen[j];
    return lacks;
}

/* Whether a child is to be prepared: after half the usual number of rows where there are too few places. */
static bool is_due(const AnbNode *self, const Select *s, const uint8_t *chosen, uint8_t *seen)
{
    const size_t others = mark_seen(self, s, s->serving, chosen, seen);
    if (s->seen >= s->renewal)
        return s->added || others > 0;
    return s->seen >= s->renewal / 2 && ((s->added & SELECT_DEPENDED_ON) || (others > 0 && lacks(self, chosen, seen)));
}

static void reselect(const AnbNode *self, Select *s, double *scratch)
{
    uint8_t *chosen = anb_scratch(self, scratch, SELECT_CHOSEN), *seen = anb_scratch(self, scratch, SELECT_SEEN);
    const uint64_t third = s->seen / 3;
    size_t n = choose(self, s, chosen, anb_scratch(self, scratch, SELECT_ROOM));
    s->due = s->seen + (third < PERIOD ? third : PERIOD);
    s->added |= add_features(self, s, s->serving, chosen, seen);
    if (s->prepared)
        s->added |= add_features(self, s, 1 - s->serving, chosen, seen);
    else if (n > 0 && is_due(self, s, chosen, seen))
        start_preparing(self, s, chosen, seen);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void screen_row(const AnbNode *self, Select *s, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbScreenView screen = anb_select_screen(self, s);
    const double predicted = scratch[SELECT_PREDICTION], level = s->error.level, sd = anb_moments_sd(&s->target);
    double kept = anb_target_bounded(&s->error, predicted, y), error = kept - predicted;
    const bool looks = s->seen < EARLY || s->seen % 2 == 0;
    if (looks && level > 0 && sd > 0 && error - error == 0)
        anb_screen_add(&screen, row->x, (y - s->target.mean) / sd, error / level,
                       anb_scratch(self, scratch, SELECT_TERM_ROW), anb_scratch(self, scratch, SELECT_PAIR_ROW));
    anb_moments_add(&s->target, anb_within_doubles(kept), weight);
    if (!anb_moments_finite(&s->target))
        s->target = (AnbMoments){0};
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Select *s = state;
    AnbRow made = shown(self, row, scratch);
    anb_child_update(self, s->serving, s, &made, y, weight, scratch);
    screen_row(self, s, row, y, weight, scratch);
    anb_select_keep(self, s, row, y, weight);
    s->seen++;
    if (s->prepared)
        prepare(self, s, row, y, weight, scratch);
    if (s->seen >= s->due)
        reselect(self, s, scratch);
}

/* The shares of the serving child for the features that it sees; 0 for the others. */
static int shares(const AnbNode *self, const void *state, double *out)
{
    const Select *s = state;
    const uint16_t *place = anb_select_places(self, s, s->serving);
    double own[SELECT_MOST], total = 0;
    int code = anb_child_importance(self, s->serving, s, own);
    if (code != 0)
        return code;
    memset(out, 0, self->n_features * sizeof *out);
    for (size_t k = 0; k < anb_select_most(self); k++)
        if (place[k] > 0) {
            out[place[k] - 1] = own[k];
            total += own[k];
        }
    for (size_t j = 0; j < self->n_features && total > 0; j++)
        out[j] /= total;
    return total > 0 ? 0 : ANB_E_UNSUPPORTED;
}

static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    (void)self, (void)child;
    *out = (AnbFeatureSource){.part = "place", .number = i + 1};
}

static const AnbFeatureTable features = {source};
static const AnbImportanceTable importance = {shares};

const StreamingLearnerType anb_select = {
    .name = "select",
    .brief = "the child sees only selected features; the spare learns a new selection",
    .example = "select(rls, rls, most=3)",
    .options_size = sizeof(AnbSelectOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 3, /* starts at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .min_children = 2,
    .max_children = 2,
    .check = check,
    .child_features = child_features,
    .fields = anb_select_fields,
    .scratch = anb_select_scratch,
    .init = anb_select_init,
    .predict = predict,
    .update = update,
    .validate = anb_select_validate,
    .reframe = anb_select_reframe,
    .upgrade = anb_fields_upgrade,
    .importance = &importance,
    .features = &features,
};
