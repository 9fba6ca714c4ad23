/* The three readings of a feature's tail, chosen by evidence: frame.h has the rules. */
#include "frame_wide.h"
#include "src/simd/kernels.h"

static const double ENOUGH = 2, FADE = 31. / 32; /* evidence for a change, at most; its discount a trial */
static const double SURE = 4;                    /* evidence for leaving a tail out */

/* Whether a z that was passed on may stand for one beyond `clip`. */
static bool may_stand(const AnbFrame *self, const AnbFrameState *state, size_t j, double z)
{
    double bound = part_const(state, self->d, BOUND)[j];
    return anb_frame_blank(state, self->d, j) ? z == 0 : (fabs(z) >= bound) | (fabs(z) >= self->clip);
}

/* The reading of a cell as one of a tail that is passed on. */
static AnbFrameTrial whole_reading(const AnbFrame *self, const AnbFrameState *state, size_t j, double z)
{
    return (AnbFrameTrial){j, anb_clip(z, self->far * anb_frame_reach(self, state, j)), false, false};
}

/* The other reading of a cell beyond `clip`. A tail that is cut is read as whole and as blank in turns. */
static AnbFrameTrial reading(const AnbFrame *self, const AnbFrameState *state, size_t j, double z)
{
    size_t d = self->d;
    bool blank = anb_frame_blank(state, self->d, j), whole = part_const(state, d, BOUND)[j] > self->clip;
    if (blank || whole)
        return (AnbFrameTrial){j, anb_clip(z, anb_frame_cut(self, state, j)), blank, true};
    if (doubt_of(tails_of(anb_view_of(state), d)[j], EVIDENCE) <= 0 && anb_frame_rows(state) % 2 != 0)
        return (AnbFrameTrial){j, 0, true, false};
    return whole_reading(self, state, j, z);
}

/* Whether a cell is beyond the limit, but would not be if the tail were passed on. Not of a tail that is left out. */
static bool is_beyond(const AnbFrame *self, const AnbFrameState *state, size_t j, double size)
{
    return size > anb_frame_limit(self, state, j) && size <= anb_frame_trusted(self, state, j) &&
           !anb_frame_blank(state, self->d, j);
}

/* Whether a cell is one for a trial; fills the trial. A cell beyond the limit of a feature whose reach is above `clip`
 * is tested as one of a tail that is passed on: where the target depends on the tail, its first cell is evidence
 * already. */
static bool try_cell(const AnbFrame *self, const AnbFrameState *state, size_t j, double x, double z,
                     AnbFrameTrial *trial)
{
    double reach = anb_frame_reach(self, state, j);
    if (!(reach > self->clip))
        return false;
    double whole = anb_frame_unbounded(state, self->d, j, x), size = fabs(whole);
    if (z == 0 && is_beyond(self, state, j, size)) {
        *trial = whole_reading(self, state, j, whole);
        return true;
    }
    if (!may_stand(self, state, j, z))
        return false;
    *trial = reading(self, state, j, whole);
    return size >= self->clip && size <= self->far * reach;
}

/* Of n cells, those of the list or all, from another one in each row on. */
static bool try_cells(const AnbFrame *self, const AnbFrameState *state, const double *x, const double *scratch,
                      const uint32_t *at, size_t n, AnbFrameTrial *trial)
{
    size_t first = n > 0 ? (size_t)(anb_frame_rows(state) % n) : 0;
    for (size_t i = 0; i < n; i++) {
        size_t turn = first + i < n ? first + i : first + i - n, j = at ? at[turn] : turn;
        if (try_cell(self, state, j, x[j], scratch[j], trial))
            return true;
    }
    return false;
}

bool anb_frame_in_tail(const AnbFrame *self, const AnbFrameState *state, const double *z, double place)
{
    const uint32_t *at = NULL;
    unsigned found = 0;
    size_t n = self->d;
    if (place < 2)
        return false;
    if (anb_frame_is_sparse(self, state, z))
        n = anb_frame_cells(self, z, &at);
    for (size_t i = 0; i < n; i++)
        found |= fabs(z[at ? at[i] : i]) > self->clip;
    return found;
}

bool anb_frame_trial(const AnbFrame *self, const AnbFrameState *state, const double *x, const double *scratch,
                     AnbFrameTrial *trial)
{
    const uint32_t *at;
    size_t d = self->d;
    if (!self->tails || self->whole)
        return false;
    if (anb_frame_is_sparse(self, state, scratch)) {
        size_t n = anb_frame_cells(self, scratch, &at);
        return try_cells(self, state, x, scratch, at, n, trial);
    }
    return anb_frame_place(self, scratch) != 0 && try_cells(self, state, x, scratch, NULL, d, trial);
}

/* From now on cells beyond `clip` are left out. The moments have counted them: that is worth a tenth. */
static void leave_out(const AnbFrame *self, AnbFrameState *state, size_t j)
{
    if (anb_frame_blank(state, self->d, j))
        return;
    anb_frame_put_reach(state, self->d, j, anb_frame_reach(self, state, j), true);
    part(state, self->d, COUNT)[j] *= .1;
    part(state, self->d, M2)[j] *= .1;
}

/* How a tail is read from now on, by the evidence. */
static void decide(const AnbFrame *self, AnbFrameState *state, size_t j)
{
    double *bound = &part(state, self->d, BOUND)[j];
    const uint64_t tail = tails_of(state, self->d)[j];
    double whole = doubt_of(tail, EVIDENCE), junk = doubt_of(tail, JUNK), reach = anb_frame_reach(self, state, j);
    if (whole >= ENOUGH)
        *bound = anb_frame_whole(self, state, j);
    else if (whole <= -ENOUGH)
        *bound = anb_frame_cut(self, state, j);
    if (junk >= SURE && *bound <= self->clip && crowd_of(tail) <= CROWDED)
        leave_out(self, state, j);
    else if (junk <= -ENOUGH)
        anb_frame_put_reach(state, self->d, j, reach, false);
}

/* The unit of a trial's gain. The first trials may be of cells far out, with errors much larger than later ones. */
static double tried_unit(const AnbFrame *self, double mean)
{
    double most = 2.75 * self->level;
    most *= most;
    return most > 0 && most < mean ? most : mean;
}

void anb_frame_judge(const AnbFrame *self, AnbFrameState *state, const AnbFrameTrial *trial, double error, double other)
{
    size_t d = self->d, j = trial->feature;
    uint64_t *tail = &tails_of(state, d)[j];
    int at = trial->blank ? JUNK : EVIDENCE;
    double here = error * error, there = other * other, least = here < there ? here : there;
    if (!(here + there < 0x1p1000))
        return;
    double mean = anb_frame_tried(state);
    mean = mean > 0 ? mean + .01 * ((least < 16 * mean ? least : 16 * mean) - mean) : here;
    anb_frame_put_tried(state, mean);
    double unit = tried_unit(self, mean);
    double gain = unit > 0 ? anb_clip((trial->cut ? there - here : here - there) / unit, 4) : 0;
    put_doubt(tail, at, anb_clip(FADE * doubt_of(*tail, at) + gain, ANB_FRAME_MOST));
    decide(self, state, j);
    anb_frame_renew_zero(self, state, j);
}
