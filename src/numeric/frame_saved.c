/* Frames in snapshots, of the present layout and of older ones: frame.h has the layout. */
#include "fields.h"
#include "frame_wide.h"

static const AnbField head[] = {
    {ANB_MEMBER(AnbFrameState, progress)}, {ANB_MEMBER(AnbFrameState, left)}, {ANB_MEMBER(AnbFrameState, tried)}, {0}};

void anb_frame_visit(const AnbFrame *self, AnbFrameState *state, AnbVisitor *visitor)
{
    size_t d = self->d;
    anb_struct_visit(head, state, visitor);
    anb_visit(visitor, "frame", state->part, ANB_F64, anb_frame_numbers(d));
    if (anb_frame_starting(state))
        anb_visit(visitor, "highest", highest_of(state, d), ANB_F64, d);
    else
        anb_visit(visitor, "tails", tails_of(state, d), ANB_U64, d);
}

/* ---- older layouts of scale -------------------------------------------------------------------------------------- */

/* Evidence or junk of one tail from a file. One that is not finite makes the state invalid (anb_frame_valid). */
static void take_doubt(uint64_t *tail, int at, double value)
{
    put_doubt(tail, at, value - value == 0 ? anb_clip(value, ANB_FRAME_MOST) : -2 * ANB_FRAME_MOST);
}

static void read_doubts(AnbVisitor *reader, uint64_t *tails, size_t d, int at)
{
    for (size_t j = 0; j < d; j++) {
        float value = 0;
        anb_visit(reader, "evidence", &value, ANB_F32, 1);
        take_doubt(&tails[j], at, value);
    }
}

/* Evidence and junk were floats, the crowd numbers of 16 bits, each in an array of its own. */
void anb_frame_read_apart(const AnbFrame *self, AnbFrameState *state, AnbVisitor *reader)
{
    size_t d = self->d;
    uint64_t *tails = tails_of(state, d);
    anb_struct_visit(head, state, reader);
    anb_visit(reader, "frame", state->part, ANB_F64, anb_frame_numbers(d));
    bool started = !anb_frame_starting(state);
    memset(tails, 0, d * sizeof *tails);
    if (started) {
        read_doubts(reader, tails, d, EVIDENCE);
        read_doubts(reader, tails, d, JUNK);
    } else
        anb_visit(reader, "highest", highest_of(state, d), ANB_F64, d);
    for (size_t j = 0; j < d; j++) {
        uint16_t crowd = 0;
        anb_visit(reader, "crowd", &crowd, ANB_U16, 1);
        if (started)
            put_crowd(&tails[j], crowd);
    }
}

static double next(AnbVisitor *reader)
{
    double value = 0;
    anb_visit(reader, "frame", &value, ANB_F64, 1);
    return value;
}

static void read_part(AnbVisitor *reader, double *to, size_t n)
{
    for (size_t j = 0; j < n; j++)
        to[j] = next(reader);
}

static void pass_over(AnbVisitor *reader, size_t n)
{
    for (size_t j = 0; j < n; j++)
        next(reader);
}

/* A count from a file. One that is negative or NaN makes the state invalid (anb_frame_valid). */
static uint64_t count_of(AnbFrameState *state, double value)
{
    if (!(value >= 0))
        anb_frame_put_tried(state, -1);
    return value >= (double)ROWS_MOST ? ROWS_MOST : value >= 0 ? (uint64_t)value : 0;
}

/* Layout 1: the frame followed the moments with every row. */
static void read_first(const AnbFrame *self, AnbFrameState *state, AnbVisitor *reader)
{
    size_t d = self->d;
    for (size_t which = COUNT; which <= M2; which++)
        read_part(reader, part(state, d, which), d);
    read_part(reader, part(state, d, INVERSE), d);
    for (size_t j = 0; j < d; j++) {
        uint64_t count = count_of(state, part(state, d, COUNT)[j]), rows = anb_frame_rows(state);
        anb_frame_put_progress(state, count > rows ? count : rows, false);
        part(state, d, CENTRE)[j] = part(state, d, MEAN)[j];
        part(state, d, REACH)[j] = self->clip;
        tails_of(state, d)[j] = 0;
    }
    anb_frame_set_left(state);
}

static void read_head(AnbFrameState *state, AnbVisitor *reader)
{
    double rows = next(reader), next_move = next(reader), left = next_move - rows;
    anb_frame_put_tried(state, next(reader));
    double starting = next(reader);
    anb_frame_put_progress(state, count_of(state, rows), starting != 0);
    state->left = left >= UINT32_MAX ? UINT32_MAX : left >= 1 ? (uint32_t)left : 1;
}

/* Evidence, doubles in older layouts. */
static void read_decisive(AnbVisitor *reader, uint64_t *tails, size_t d, int at)
{
    for (size_t j = 0; j < d; j++)
        take_doubt(&tails[j], at, next(reader));
}

/* Reads what layout 4 added: the limits, from which follows which tails are left out, evidence for that, and the
 * crowd. */
static void read_left_out(const AnbFrame *self, AnbFrameState *state, AnbVisitor *reader)
{
    size_t d = self->d;
    bool started = !anb_frame_starting(state);
    for (size_t j = 0; j < d; j++) {
        bool blank = next(reader) <= self->clip;
        if (started)
            anb_frame_put_reach(state, d, j, part(state, d, REACH)[j], blank);
    }
    if (started)
        read_decisive(reader, tails_of(state, d), d, JUNK);
    else
        pass_over(reader, d);
    for (size_t j = 0; j < d; j++) {
        double crowd = next(reader) * CELL + .5;
        if (started)
            put_crowd(&tails_of(state, d)[j], crowd >= 0 && crowd < CROWD_MOST ? (unsigned)crowd : 0);
    }
}

/* Count to limit, as layouts 2 to 5 have them: 1/sd and the evidence were the outermost values during the start. */
static void read_parts(const AnbFrame *self, AnbFrameState *state, unsigned layout, AnbVisitor *reader)
{
    size_t d = self->d;
    bool started = !anb_frame_starting(state);
    for (size_t which = COUNT; which <= M2; which++)
        read_part(reader, part(state, d, which), d);
    read_part(reader, part(state, d, LOW), d); /* 1/sd, which follows from the moments, is written over */
    read_part(reader, part(state, d, CENTRE), d);
    read_part(reader, part(state, d, INVERSE), d);
    if (started)
        read_part(reader, part(state, d, REACH), d);
    else
        pass_over(reader, d);
    read_part(reader, part(state, d, BOUND), d);
    if (started) {
        memset(tails_of(state, d), 0, d * sizeof(uint64_t));
        read_decisive(reader, tails_of(state, d), d, EVIDENCE);
    } else
        read_part(reader, highest_of(state, d), d);
    if (layout >= 3)
        read_part(reader, part(state, d, COMMON), d);
    if (layout >= 4)
        read_left_out(self, state, reader);
}

void anb_frame_read_older(const AnbFrame *self, AnbFrameState *state, unsigned layout, AnbVisitor *reader)
{
    size_t d = self->d;
    if (layout == 1)
        read_first(self, state, reader);
    else {
        read_head(state, reader);
        read_parts(self, state, layout, reader);
    }
    if (layout == 5)
        read_part(reader, part(state, d, ANB_FRAME_PARTS), anb_frame_numbers(d) - ANB_FRAME_PARTS * d);
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

/* Whether the reach, evidence and junk of feature j are valid, after the start. */
static bool reaches(const AnbFrame *self, AnbFrameState *state, size_t j)
{
    size_t d = self->d;
    const uint64_t tail = tails_of(state, d)[j];
    return anb_frame_reach(self, state, j) >= self->clip && fabs(doubt_of(tail, EVIDENCE)) <= ANB_FRAME_MOST &&
           fabs(doubt_of(tail, JUNK)) <= ANB_FRAME_MOST;
}

bool anb_frame_valid(const AnbFrame *self, const AnbFrameState *state)
{
    size_t d = self->d;
    AnbFrameState *view = anb_view_of(state);
    const double *bound = part_const(state, d, BOUND), *common = part_const(state, d, COMMON);
    double tried = anb_frame_tried(state);
    bool fine = anb_nonfinite(state->part, anb_frame_numbers(d)) == 0 && tried >= 0 && tried - tried == 0 &&
                anb_weights_valid(part_const(state, d, COUNT), d);
    if (fine && anb_frame_starting(state))
        fine = anb_nonfinite(highest_of(view, d), d) == 0;
    for (size_t j = 0; j < d && fine; j++)
        fine = (anb_frame_starting(state) || reaches(self, view, j)) && bound[j] > 0 &&
               bound[j] <= self->trust * anb_frame_reach(self, state, j) && common[j] > 0;
    return fine && anb_frame_wide_valid(self, state);
}
