/* Rows of mostly zeros under a wide frame, for frame.c: frame.h has the rules. */
#ifndef ANB_NUMERIC_FRAME_WIDE_H
#define ANB_NUMERIC_FRAME_WIDE_H

#include "frame_parts.h"

/* Writes z of a row to the scratch, and the list of cells that are not zero. Returns false, without z, where too many
 * cells are not zero or the zeros' z are stale: use the dense path then. For wide frames only. */
bool anb_frame_apply_cells(const AnbFrame *self, const AnbFrameState *state, const double *x, double *scratch);

/* Whether the row that was last applied, to a wide frame, is learned by its cells that are not zero. */
bool anb_frame_row_is_sparse(const AnbFrame *self, const AnbFrameState *state, const double *scratch);

/* The same of any frame. */
static inline bool anb_frame_is_sparse(const AnbFrame *self, const AnbFrameState *state, const double *scratch)
{
    return anb_frame_is_wide(self->d) && anb_frame_row_is_sparse(self, state, scratch);
}

/* Those cells in ascending order; how many. Of such a row. */
size_t anb_frame_cells(const AnbFrame *self, const double *scratch, const uint32_t **at);

/* Learns such a row's other cells; its zeros are counted, and learned later (anb_frame_learn_zeros). */
void anb_frame_learn_cells(const AnbFrame *self, AnbFrameState *state, const double *x, double weight,
                           const double *scratch, uint64_t *restarts);

/* Learns the zeros that were counted. Of a wide frame; the second function of any frame. */
void anb_frame_learn_zeros(const AnbFrame *self, AnbFrameState *state, uint64_t *restarts);
static inline void anb_frame_catch_up(const AnbFrame *self, AnbFrameState *state, uint64_t *restarts)
{
    if (anb_frame_is_wide(self->d))
        anb_frame_learn_zeros(self, state, restarts);
}

/* After a change of the moments or the frame, a zero has another z. The first function computes it for feature j, the
 * second marks those of all features as stale, which anb_frame_renew computes. The third does so for any frame. */
void anb_frame_renew_zero(const AnbFrame *self, AnbFrameState *state, size_t j);
void anb_frame_make_stale(const AnbFrame *self, AnbFrameState *state);
static inline void anb_frame_changed(const AnbFrame *self, AnbFrameState *state)
{
    if (anb_frame_is_wide(self->d))
        anb_frame_make_stale(self, state);
}

/* Computes the z of a zero where it is stale. Of a wide frame. */
void anb_frame_renew(const AnbFrame *self, AnbFrameState *state);

/* Whether a state that was read from a file is valid. Of any frame. */
bool anb_frame_wide_valid(const AnbFrame *self, const AnbFrameState *state);

#endif
