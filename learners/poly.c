/*
 * poly(child): second-order features for the child.
 *
 *     u = (x_1 .. x_d,  (x_i - c_i) (x_j - c_j) / 2 for i <= j, row by row)        d (d + 3) / 2 features, d <= 24
 *
 * c is 0 at first. When the unit of the features changes, old x_j = alpha_j new x_j + beta_j (reframe in type.h), poly
 * changes c so that each old product is alpha_i alpha_j times the new one, and reframes the child. So the child's
 * prediction of a row does not change, provided that the child can follow a change of unit. A c_j beyond 1 is reset to
 * 0: products about a point so far off are nearly collinear with the features.
 *
 * The factor 1/2 keeps a product of standardised features near unit variance, and makes the prior of an RLS penalise
 * products more than features. Products are bounded to +-1e300, so that finite rows make finite features. The intercept
 * is the child's.
 *
 * With `least` > 0 the child gets, as importance, shares that are 0 for products unless there is evidence that the
 * target depends on both factors (poly_screen.h). Networks leave features with share 0 out. Features are then clipped
 * to +-5, products to +-8.
 *
 * State: c; with `least` a linear model and three sums a product. Scratch: u. Cost: d (d + 3) / 2 operations, with
 * `least` ten times that and the linear model, then the child at that many features.
 */
#include "poly_screen.h"
#include "src/numeric/clip.h"
#include "src/simd/products.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { MOST = ANB_PRODUCTS_D, SPARE = 7 };                   /* features; doubles that the products may run over */
static const double FARTHEST = 1;                            /* of a centre */
static const double FARTHEST_CELL = 5, FARTHEST_PRODUCT = 8; /* of screened rows */

static size_t products(size_t d)
{
    return d * (d + 1) / 2;
}

static const AnbParam params[] = {
    {"least", ANB_REAL, offsetof(AnbPolyOptions, least), 0, 0, 100, 0, NULL,
     "standard errors of evidence that a feature needs for its products to be in use; 0: all products are"},
    {0}};

static double least(const AnbNode *self)
{
    return ((const AnbPolyOptions *)self->options)->least;
}

static int check(const AnbNode *self, AnbError *error)
{
    if (self->n_features > MOST)
        return anb_fail(error, ANB_E_LIMIT, "poly: %zu features, at most %d", self->n_features, MOST);
    return 0;
}

static size_t child_features(const AnbNode *self, size_t i)
{
    (void)i;
    return self->n_features + products(self->n_features);
}

static size_t row_size(const AnbNode *self)
{
    return child_features(self, 0) + SPARE;
}

static size_t screened(const AnbNode *self)
{
    return least(self) > 0 ? child_features(self, 0) : 0;
}

static size_t screen_head(const AnbNode *self)
{
    return least(self) > 0 ? sizeof(PolyScreenHead) / sizeof(double) : 0;
}

/* The linear model of the screen; without a screen it takes no room. */
static AnbRls linear_of(const AnbNode *self)
{
    return anb_poly_screen_rls(self->n_features);
}

static size_t linear_size(const AnbNode *self, const AnbField *field)
{
    return least(self) > 0 ? anb_rls_part.size(self, field) : 0;
}

static void linear_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    if (least(self) > 0)
        anb_rls_part.visit(self, field, state, part, visitor);
}

static int linear_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                           AnbError *error)
{
    return least(self) > 0 ? anb_rls_part.validate(self, field, state, part, error) : 0;
}

static const AnbRlsForm form = {linear_of};
static const AnbPart linear_part = {linear_size, linear_visit, linear_validate};

static size_t work_size(const AnbNode *self)
{
    return least(self) > 0 ? anb_rls_scratch(self->n_features) : 0;
}

enum { CENTRE, HEAD, LINEAR, SUM, SQUARE, MEAN, SHARE };
static const AnbField fields[] = {
    [CENTRE] = {.name = "centre", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE, .since = 2},
    [HEAD] = {.name = "screen", .kind = ANB_F64, .count = screen_head, .must = ANB_FINITE, .since = 3},
    [LINEAR] = {.name = "linear", .part = &linear_part, .form = &form, .since = 3},
    [SUM] = {.name = "sum", .kind = ANB_F64, .count = screened, .must = ANB_FINITE, .since = 3},
    [SQUARE] =
        {.name = "square", .kind = ANB_F64, .count = screened, .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 3},
    [MEAN] = {.name = "mean", .kind = ANB_F64, .count = screened, .must = ANB_FINITE, .since = 3},
    [SHARE] = {.name = "share", .kind = ANB_F64, .count = screened, .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 3},
    {0}};
enum { U, WORK };
static const AnbField scratch_fields[] = {
    [U] = {.name = "u", .kind = ANB_F64, .count = row_size},
    [WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static PolyScreen screen_of(const AnbNode *self, void *state)
{
    return (PolyScreen){.d = self->n_features,
                        .all = child_features(self, 0),
                        .least = least(self),
                        .head = anb_field(self, state, HEAD),
                        .linear = anb_field(self, state, LINEAR),
                        .sum = anb_field(self, state, SUM),
                        .square = anb_field(self, state, SQUARE),
                        .mean = anb_field(self, state, MEAN),
                        .share = anb_field(self, state, SHARE)};
}

static int init(const AnbNode *self, void *state)
{
    if (least(self) > 0) {
        PolyScreen screen = screen_of(self, state);
        anb_poly_screen_init(&screen);
    }
    return 0;
}

static const double *shares_of(const AnbNode *self, const void *state)
{
    return least(self) > 0 ? anb_field_const(self, state, SHARE) : NULL;
}

/* The child's row: complete, with no importances but those of the screen. */
static AnbRow made_row(const AnbRow *row, const double *u, const double *share)
{
    return (AnbRow){u, u, share, row->counters, row->outcome};
}

/* Clips the features and products of a row, with a screen: far cells have too much influence in a network. */
static void cut(const AnbNode *self, double *u)
{
    for (size_t k = 0; k < screened(self); k++)
        u[k] = anb_clip(u[k], k < self->n_features ? FARTHEST_CELL : FARTHEST_PRODUCT);
}

/* u of x. */
static void fill(const AnbNode *self, const void *state, const double *x, double *u)
{
    size_t d = self->n_features;
    const double *centre = anb_field_const(self, state, CENTRE);
    double away[MOST];
    memcpy(u, x, d * sizeof *u);
    for (size_t j = 0; j < d; j++)
        away[j] = x[j] - centre[j];
    anb_products(away, d, u + d);
    cut(self, u);
}

static AnbRow map(const AnbNode *self, const void *state, const AnbRow *row, double *u)
{
    fill(self, state, row->x, u);
    return made_row(row, u, shares_of(self, state));
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow made = map(self, state, row, scratch);
    return anb_child_predict(self, 0, state, &made, scratch);
}

enum { ROOM = 3 * ANB_ROWS_ROOM };

/* u of several rows, `stride` apart. The features come last: products may run over into the next row's. */
static void fill_many(const AnbNode *self, const void *state, const AnbRows *rows, double *u, size_t stride)
{
    size_t d = self->n_features;
    anb_products_of_rows(rows->x, rows->x_stride, rows->n, anb_field_const(self, state, CENTRE), d, u + d, stride);
    for (size_t i = 0; i < rows->n; i++) {
        memcpy(u + i * stride, rows->x + i * rows->x_stride, d * sizeof *u);
        cut(self, u + i * stride);
    }
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    _Alignas(64) double u[ROOM + SPARE];
    size_t stride = (self->children[0].n_features + 7) / 8 * 8, fit = ROOM / stride;
    size_t most = fit < ANB_ROWS ? fit : (size_t)ANB_ROWS;
    for (size_t at = 0; at < rows->n; at += most) {
        AnbRows part = anb_rows_part(rows, at, most);
        AnbRows made = {u, u, part.n, stride, stride, shares_of(self, state), rows->counters};
        fill_many(self, state, &part, u, stride);
        anb_child_predict_many(self, 0, state, &made, scratch, out + at);
    }
}

/* Updates the screen, after the child has learned the row. */
static void screen_row(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    if (least(self) > 0) {
        PolyScreen screen = screen_of(self, state);
        anb_poly_screen_learn(&screen, row->x, scratch, y, weight, anb_scratch(self, scratch, WORK));
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = made_row(row, scratch, shares_of(self, state));
    anb_child_update(self, 0, state, &made, y, weight, scratch);
    screen_row(self, state, row, y, weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = map(self, state, row, scratch);
    double f = anb_child_step(self, 0, state, &made, y, weight, scratch);
    screen_row(self, state, row, y, weight, scratch);
    return f;
}

/* Moves the centres to the new unit, those too far off to 0; computes how the products change. */
static void move_centres(double *centre, size_t d, const double *alpha, const double *beta)
{
    for (size_t j = 0; j < d; j++) {
        double moved = (centre[j] - beta[j]) / alpha[j];
        centre[j] = fabs(moved) <= FARTHEST ? moved : 0;
    }
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    size_t d = self->n_features, at = d;
    double of[MOST + MOST * (MOST + 1) / 2], shift[MOST + MOST * (MOST + 1) / 2] = {0};
    memcpy(of, alpha, d * sizeof *of);
    memcpy(shift, beta, d * sizeof *shift);
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++)
            of[at++] = alpha[i] * alpha[j];
    move_centres(anb_field(self, state, CENTRE), d, alpha, beta);
    if (least(self) > 0) {
        PolyScreen screen = screen_of(self, state);
        anb_poly_screen_reframe(&screen, of, shift);
    }
    anb_node_reframe(&self->children[0], anb_child_state(&self->children[0], state), of, shift);
}

/* The child's shares by feature; a product's is split between its two factors. */
static int split_shares(const AnbNode *self, const void *state, double *out)
{
    size_t d = self->n_features;
    double shares[MOST + MOST * (MOST + 1) / 2];
    int code = anb_child_importance(self, 0, state, shares);
    if (code != 0)
        return code;
    memcpy(out, shares, d * sizeof *out);
    const double *next = shares + d;
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++, next++) {
            out[i] += 0.5 * *next;
            out[j] += 0.5 * *next;
        }
    return 0;
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    (void)self;
    return made_row(row, scratch, NULL);
}

static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    size_t d = self->n_features, a = 0;
    (void)child;
    *out = (AnbFeatureSource){.column = {i}, .n = 1};
    if (i < d)
        return;
    for (i -= d; i >= d - a; a++)
        i -= d - a;
    *out = (AnbFeatureSource){.column = {a, a + i}, .n = 2};
}

static const AnbFeatureTable features = {source};
static const AnbWrapperTable wrapper = {.row = shown};
static const AnbImportanceTable importance = {split_shares};

/* What w a b / 2 of one pair of factors changes by: half of each step goes at the mean of the other factor. */
static void split_product(double w, double *const phi[2], const double *a, const double *b, AnbShapleySum *out)
{
    double corner[] = {w * (a[0] * b[0]), w * (a[0] * b[1]), w * (a[1] * b[0]), w * (a[1] * b[1])};
    *phi[0] += w * ((a[1] - a[0]) * ((b[1] + b[0]) / 2));
    *phi[1] += w * ((b[1] - b[0]) * ((a[1] + a[0]) / 2));
    double low = corner[0], high = corner[0];
    for (int i = 1; i < 4; i++) {
        low = corner[i] < low ? corner[i] : low;
        high = corner[i] > high ? corner[i] : high;
    }
    out->low += low - corner[0];
    out->high += high - corner[0];
}

/* The weights of the features where products are taken about 0, those of the products being the same. */
static void slopes_about_0(const double *w, const double *centre, size_t d, double *slope)
{
    const double *next = w + d;
    memcpy(slope, w, d * sizeof *slope);
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++, next++) {
            slope[i] -= *next * centre[j] / 2;
            slope[j] -= *next * centre[i] / 2;
        }
}

/* Exact above a child that is affine in the products. */
static bool split_affine(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    const AnbNode *child = &self->children[0];
    const double *x = pair->row.x, *z = pair->other.x;
    size_t d = self->n_features;
    double unit, slope[MOST], phi[MOST] = {0};
    if (!child->type->affine)
        return false;
    const double *w = child->type->affine->slopes(child, anb_child_state_const(child, state), &unit);
    AnbShapleySum own = {phi, 0, 0};
    own.low = own.high = predict(self, state, &pair->other, pair->other_scratch);
    slopes_about_0(w, anb_field_const(self, state, CENTRE), d, slope);
    for (size_t i = 0; i < d; i++) {
        double by = unit * slope[i] * (x[i] - z[i]);
        phi[i] += by;
        own.low += by < 0 ? by : 0;
        own.high += by > 0 ? by : 0;
    }
    const double *next = w + d;
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++) {
            double a[] = {z[i], x[i]}, b[] = {z[j], x[j]};
            split_product(unit * *next++ / 2, (double *[]){&phi[i], &phi[j]}, a, b, &own);
        }
    for (size_t i = 0; i < d; i++)
        out->phi[i] += share * phi[i];
    out->low = own.low;
    out->high = own.high;
    return own.high - own.low < (double)INFINITY;
}

static const AnbShapleyTable shapley = {split_affine};

const StreamingLearnerType anb_poly = {
    .name = "poly",
    .brief = "features and their products for a child; at most 24 features",
    .example = "poly(linear(normalized=true))",
    .options_size = sizeof(AnbPolyOptions),
    .params = params,
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER |
             ANB_SINCE_0_3,
    .version = 3,
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .child_features = child_features,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .importance = &importance,
    .features = &features,
    .shapley = &shapley,
    .reframe = reframe,
};
