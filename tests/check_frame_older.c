/* A frame as layouts 5 to 7 of `scale` showed it, read by this version: the same numbers, and the same from
 * there on. */
#include "made.h"
#include "numbers.h"
#include "src/host/model.h"
#include "src/numeric/fields.h"
#include "src/numeric/frame_parts.h"
#include "src/text/field_reader.h"
#include <anabranch/learners.h>

/* Doubles in front of the frame, and those of layout 6: the outlook came later. */
enum { WIDE = 600, SCALE = 7, EARLIER = 4, MOST = 16 * WIDE };

typedef struct Bytes {
    unsigned char *at;
    size_t n;
} Bytes;

static void put_word(Bytes *b, const void *value)
{
    anb_copy_scalars(b->at + b->n, value, sizeof(double), 1);
    b->n += sizeof(double);
}

static void put(Bytes *b, double value)
{
    put_word(b, &value);
}

static void put_all(Bytes *b, const double *value, size_t n)
{
    for (size_t j = 0; j < n; j++)
        put(b, value[j]);
}

/* Where the start has the lowest and the highest value, later layouts had 1/sd and the evidence. */
static void put_parts(Bytes *b, const AnbFrame *frame, AnbFrameState *s)
{
    size_t d = frame->d;
    bool starting = anb_frame_starting(s);
    for (size_t which = COUNT; which <= M2; which++)
        put_all(b, part(s, d, which), d);
    for (size_t j = 0; j < d; j++) {
        AnbMoments m = {part(s, d, COUNT)[j], part(s, d, MEAN)[j], part(s, d, M2)[j]};
        put(b, starting ? part(s, d, LOW)[j] : anb_frame_inverse_sd(&m));
    }
    put_all(b, part(s, d, CENTRE), d);
    put_all(b, part(s, d, INVERSE), d);
    for (size_t j = 0; j < d; j++)
        put(b, anb_frame_reach(frame, s, j));
    put_all(b, part(s, d, BOUND), d);
    for (size_t j = 0; j < d; j++)
        put(b, starting ? highest_of(s, d)[j] : doubt_of(tails_of(s, d)[j], EVIDENCE));
    put_all(b, part(s, d, COMMON), d);
    for (size_t j = 0; j < d; j++)
        put(b, anb_frame_limit(frame, s, j));
    for (size_t j = 0; j < d; j++)
        put(b, starting ? 0 : doubt_of(tails_of(s, d)[j], JUNK));
    for (size_t j = 0; j < d; j++)
        put(b, starting ? 0 : crowd_of(tails_of(s, d)[j]) / (double)CELL);
    put_all(b, s->part + ANB_FRAME_PARTS * d, anb_frame_numbers(d) - ANB_FRAME_PARTS * d);
}

/* What scale 5 would have written of this state: the target's range, its frame, the errors' scale. */
static Bytes as_before(const AnbNode *node, void *state)
{
    Bytes b = {malloc((MOST + 20) * sizeof(double)), 0};
    double *own = state;
    AnbFrameState *s = (AnbFrameState *)(own + SCALE);
    AnbFrame frame = {node->n_features, 4, 2, 2, true};
    uint64_t rows = anb_frame_rows(s);
    put(&b, own[0]);
    put(&b, own[1]);
    put_word(&b, &rows);
    put(&b, (double)rows);
    put(&b, (double)rows + s->left);
    put(&b, anb_frame_tried(s));
    put(&b, anb_frame_starting(s));
    put_parts(&b, &frame, s);
    put(&b, own[2]);
    put(&b, (double)rows);
    put(&b, own[3]);
    return b;
}

/* Rows with a heavy tail, mostly zeros where they are wide. */
static double row(uint64_t *seed, double *x, size_t d)
{
    double y = uniform_of(seed);
    for (size_t j = 0; j < d; j++) {
        x[j] = d == WIDE && bits_of(seed) % 30 != 0 ? 0 : uniform_of(seed);
        if (bits_of(seed) % 50 == 0)
            x[j] *= 20 + (double)j;
        y += j % 3 == 0 ? x[j] : 0;
    }
    return y;
}

static const struct {
    size_t d, rows;
} cases[] = {{5, 1}, {5, 9}, {5, 16}, {5, 700}, {5, 3000}, {WIDE, 7}, {WIDE, 150}};

/* What was not written is guessed from the range: the model takes it over. */
static void take_outlook(StreamingLearner *model, const StreamingLearner *again)
{
    double *own = (void *)anb_block(model);
    const double *guessed = (const void *)anb_block(again);
    ck_assert_double_eq(guessed[EARLIER], 0);
    ck_assert_double_eq_tol(guessed[EARLIER + 1], (own[0] + own[1]) / 2, 1e-12);
    memcpy(own + EARLIER, guessed + EARLIER, (SCALE - EARLIER) * sizeof *own);
}

/* Both learn as many rows more, and say the same to the bit. */
static void go_on(StreamingLearner *model, StreamingLearner *again, uint64_t *seed, double *x, size_t d)
{
    for (int t = 0; t < 200; t++) {
        double y = row(seed, x, d);
        ck_assert(anb_train_one(model, x, y, 1) == anb_train_one(again, x, y, 1));
    }
}

START_TEST(layout_5_is_read)
{
    static double x[WIDE];
    size_t d = cases[_i].d;
    uint64_t seed = 21;
    StreamingLearner *model = made(d, "scale(linear)"), *again = made(d, "scale(linear)");
    for (size_t t = 0; t < cases[_i].rows; t++) {
        double y = row(&seed, x, d);
        anb_train_one(model, x, y, 1);
    }
    const AnbNode *root = model->plan->nodes;
    Bytes b = as_before(root, anb_block(model));
    memcpy(anb_block(again), anb_block(model), anb_block_bytes(model->plan)); /* the child's state; the rest is read */
    ck_assert_int_eq(anb_scale.upgrade(again->plan->nodes, 5, b.at, b.n, anb_block(again)), 0);
    take_outlook(model, again);
    ck_assert(anb_equal(model, again));
    ck_assert_int_eq(anb_validate_own(again->plan->nodes, anb_block(again), NULL), 0);
    ck_assert_int_eq(anb_scale.upgrade(again->plan->nodes, 5, b.at, b.n - 8, anb_block(again)), ANB_E_STATE);
    ck_assert_int_eq(anb_scale.upgrade(again->plan->nodes, 5, b.at, b.n, anb_block(again)), 0);
    go_on(model, again, &seed, x, d);
    free(b.at);
    anb_free(model);
    anb_free(again);
}
END_TEST

static void put_scalars(Bytes *b, const void *from, size_t width, size_t n)
{
    anb_copy_scalars(b->at + b->n, from, width, n);
    b->n += width * n;
}

/* Evidence and junk as floats, then the crowds, each in an array; during the start the highest values in place of the
 * floats. */
static void put_tails(Bytes *b, AnbFrameState *s, size_t d)
{
    bool starting = anb_frame_starting(s);
    for (int at = EVIDENCE; at <= JUNK && !starting; at += JUNK - EVIDENCE)
        for (size_t j = 0; j < d; j++)
            put_scalars(b, &(float){(float)doubt_of(tails_of(s, d)[j], at)}, sizeof(float), 1);
    if (starting)
        put_all(b, highest_of(s, d), d);
    for (size_t j = 0; j < d; j++)
        put_scalars(b, &(uint16_t){starting ? 0 : (uint16_t)crowd_of(tails_of(s, d)[j])}, sizeof(uint16_t), 1);
}

/* What scale 6, which had no outlook, or 7 would have written of this state. */
static Bytes as_arrays(const AnbNode *node, void *state, unsigned layout)
{
    size_t d = node->n_features;
    Bytes b = {malloc((MOST + 20) * sizeof(double)), 0};
    AnbFrameState *s = (AnbFrameState *)((double *)state + SCALE);
    put_all(&b, state, layout == 6 ? EARLIER : SCALE);
    put_word(&b, &s->progress);
    put_scalars(&b, &s->left, sizeof s->left, 1);
    put_scalars(&b, &s->tried, sizeof s->tried, 1);
    put_all(&b, s->part, anb_frame_numbers(d));
    put_tails(&b, s, d);
    return b;
}

START_TEST(layouts_6_and_7_are_read)
{
    static double x[WIDE];
    size_t d = cases[_i / 2].d;
    unsigned layout = 6 + _i % 2;
    uint64_t seed = 23;
    StreamingLearner *model = made(d, "scale(linear)"), *again = made(d, "scale(linear)");
    for (size_t t = 0; t < cases[_i / 2].rows; t++) {
        double y = row(&seed, x, d);
        anb_train_one(model, x, y, 1);
    }
    const AnbNode *root = again->plan->nodes;
    Bytes b = as_arrays(model->plan->nodes, anb_block(model), layout);
    memcpy(anb_block(again), anb_block(model), anb_block_bytes(model->plan)); /* the child's state; the rest is read */
    ck_assert_int_eq(anb_scale.upgrade(root, layout, b.at, b.n - 2, anb_block(again)), ANB_E_STATE);
    ck_assert_int_eq(anb_scale.upgrade(root, layout, b.at, b.n, anb_block(again)), 0);
    if (layout == 6)
        take_outlook(model, again);
    ck_assert(anb_equal(model, again));
    ck_assert_int_eq(anb_validate_own(root, anb_block(again), NULL), 0);
    go_on(model, again, &seed, x, d);
    free(b.at);
    anb_free(model);
    anb_free(again);
}
END_TEST

/* Evidence that is no number, or without end. */
START_TEST(what_is_no_evidence_is_refused)
{
    uint64_t seed = 5;
    double x[5];
    float bad = _i ? (float)INFINITY : (float)ANB_NAN;
    StreamingLearner *model = made(5, "scale(mean)");
    for (int t = 0; t < 40; t++) {
        double y = row(&seed, x, 5);
        anb_train_one(model, x, y, 1);
    }
    Bytes b = as_arrays(model->plan->nodes, anb_block(model), 7);
    anb_copy_scalars(b.at + b.n - 5 * sizeof(uint16_t) - sizeof bad, &bad, sizeof bad, 1);
    ck_assert_int_eq(anb_scale.upgrade(model->plan->nodes, 7, b.at, b.n, anb_block(model)), 0);
    ck_assert_int_eq(anb_validate_own(model->plan->nodes, anb_block(model), NULL), ANB_E_STATE);
    free(b.at);
    anb_free(model);
}
END_TEST

/* A count below 0, and one that is no number. */
START_TEST(what_is_no_count_is_refused)
{
    uint64_t seed = 3;
    double x[5], bad = _i ? ANB_NAN : -1;
    StreamingLearner *model = made(5, "scale(mean)");
    for (int t = 0; t < 40; t++) {
        double y = row(&seed, x, 5);
        anb_train_one(model, x, y, 1);
    }
    Bytes b = as_before(model->plan->nodes, anb_block(model));
    anb_copy_scalars(b.at + 3 * sizeof(double), &bad, sizeof bad, 1);
    int code = anb_scale.upgrade(model->plan->nodes, 5, b.at, b.n, anb_block(model));
    ck_assert_int_eq(code ? code : anb_validate_own(model->plan->nodes, anb_block(model), NULL), ANB_E_STATE);
    free(b.at);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("frame_older");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, layout_5_is_read, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tests, layouts_6_and_7_are_read, 0, 2 * sizeof cases / sizeof *cases);
    tcase_add_loop_test(tests, what_is_no_evidence_is_refused, 0, 2);
    tcase_add_loop_test(tests, what_is_no_count_is_refused, 0, 2);
    return suite;
}

CHECK_MAIN(suite)
