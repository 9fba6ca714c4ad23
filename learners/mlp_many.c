/* Several rows at once by a network: one row to a lane (src/numeric/network_columns.h). */
#include "mlp_state.h"
#include "src/simd/turn.h"

/* Doubles for the columns of several rows; for fewer rows than FEW a loop over the rows is as fast. */
enum { MANY_ROOM = 4 * ANB_ROWS_ROOM, FEW = 4 };

/* How many rows predict_part takes: whole blocks, one row to a lane. */
static size_t many_fit(const View *v)
{
    size_t rows = MANY_ROOM / v->d / v->net.lanes * v->net.lanes;
    return rows < ANB_ROWS ? rows : (size_t)ANB_ROWS;
}

/* Predicts several rows by both copies of the weights, without the traces that a step needs. */
static void predict_part(const View *v, const AnbRows *rows, double *out)
{
    _Alignas(64) double x[MANY_ROOM];
    double newest[ANB_ROWS], averaged[ANB_ROWS], mixing = anb_mlp_share(v->s);
    const MlpScale scale = anb_mlp_scale(v->s);
    const size_t pitch = anb_network_width(rows->n, v->net.lanes);
    anb_turn_rows(rows->x, rows->x_stride, rows->n, v->d, pitch, x);
    for (size_t j = 0; rows->importance && j < v->d; j++)
        if (rows->importance[j] == 0)
            memset(x + j * pitch, 0, pitch * sizeof *x);
    anb_network_take_columns(&v->net, x, v->d * pitch, anb_mlp_bound, x);
    anb_network_forward_columns(&v->net, v->w.value, x, pitch, rows->n, newest);
    anb_network_forward_columns(&v->net, v->w.averaged, x, pitch, rows->n, averaged);
    for (size_t i = 0; i < rows->n; i++)
        out[i] = anb_mlp_joined(scale, mixing, newest[i], averaged[i]);
}

/* Whole blocks of lanes; what is left is one more block where it has FEW rows at least, else row by row. */
void anb_mlp_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    size_t most = many_fit(&v), left = rows->n % v.net.lanes, at = 0;
    size_t together = most == 0 ? 0 : rows->n - (left < FEW ? left : 0);
    for (; at < together; at += most) {
        AnbRows part = anb_rows_part(rows, at, together - at < most ? together - at : most);
        predict_part(&v, &part, out + at);
    }
    if (together < rows->n) {
        AnbRows rest = anb_rows_part(rows, together, rows->n - together);
        anb_predict_each(self, state, &rest, scratch, out + together);
    }
}
