/* A type from a table of fields alone: its size, its places, what is shown, checked, saved and compared. */
#include "src/host/bytes.h"
#include "src/host/model.h"
#include "reload.h"
#include <string.h>

enum { D = 3, ROOM = 4 };

typedef struct Pair {
    float low, high;
} Pair;

typedef struct Head {
    double level;
    uint32_t n;
    uint16_t kind;
    uint8_t code[3];
    bool on;
    Pair pair[2];
} Head;

static uint64_t most_items(const AnbNode *self)
{
    (void)self;
    return ROOM;
}

static uint64_t flag(const AnbNode *self)
{
    (void)self;
    return 1;
}

static size_t items(const AnbNode *self, const void *state)
{
    (void)self;
    return ((const Head *)state)->n;
}

static const AnbField pair[] = {{ANB_MEMBER(Pair, low), .must = ANB_FINITE}, {ANB_MEMBER(Pair, high)}, {0}};
static const AnbField head[] = {{ANB_MEMBER(Head, level), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                {ANB_MEMBER(Head, n), .most = most_items},
                                {ANB_MEMBER(Head, kind)},
                                {ANB_MEMBER(Head, code)},
                                {ANB_MEMBER(Head, on), .most = flag},
                                {ANB_INNER(Head, pair, Pair, pair)},
                                {0}};

enum { HEAD, ITEM, CACHE, PAIRS, WEIGHT };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Head, head)},
    [ITEM] = {.name = "item", .kind = ANB_F64, .fixed = ROOM, .used = items, .must = ANB_FINITE},
    [CACHE] = {.name = "cache", .kind = ANB_U8, .fixed = 5, .must = ANB_DERIVED},
    [PAIRS] = {.name = "pairs", .record = pair, .stride = sizeof(Pair), .fixed = ROOM, .used = items},
    [WEIGHT] = {.name = "weight", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_ALIGNED | ANB_NOT_NEGATIVE},
    {0}};

enum { FIRST, SECOND };
static const AnbField scratch[] = {
    [FIRST] = {.name = "first", .kind = ANB_U8, .fixed = 3},
    [SECOND] = {.name = "second", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_ALIGNED},
    {0}};

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *memory)
{
    double *second = anb_scratch(self, memory, SECOND);
    memcpy(second, row->x, self->n_features * sizeof *second);
    return ((const Head *)state)->level;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *memory)
{
    Head *s = state;
    double *item = anb_field(self, state, ITEM);
    Pair *pairs = anb_field(self, state, PAIRS);
    const double *second = anb_scratch(self, memory, SECOND);
    (void)row, (void)weight;
    s->level = fabs(y) + second[0];
    s->on = true;
    if (s->n < ROOM) {
        item[s->n] = y;
        pairs[s->n++] = (Pair){(float)y, (float)-y};
    }
}

static const StreamingLearnerType type = {
    .name = "table",
    .flags = ANB_READS_X | ANB_WEIGHT_SCALED,
    .version = 1,
    .fields = fields,
    .scratch = scratch,
    .predict = predict,
    .update = update,
};

static AnbModelOptions with_type(void)
{
    static const StreamingLearnerType *const types[] = {&type, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    return options;
}

static StreamingLearner *taught(int samples)
{
    AnbModelOptions options = with_type();
    AnbError error = {0};
    StreamingLearner *model = anb_parse(D, "table", &options, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    for (int i = 0; i < samples; i++)
        anb_train_one(model, (double[D]){0, 1, 2}, i + 1, 1);
    return model;
}

static StreamingLearner *saved_and_loaded(const StreamingLearner *model, AnbError *error)
{
    AnbModelOptions options = with_type();
    return reloaded_by(model, &options, error);
}

START_TEST(places_follow_from_the_table)
{
    StreamingLearner *model = taught(0);
    const AnbNode *node = &model->plan->nodes[0];
    ck_assert_uint_eq(node->field_at[HEAD], 0);
    ck_assert_uint_eq(node->field_at[ITEM], sizeof(Head));
    ck_assert_uint_eq(node->field_at[CACHE], sizeof(Head) + ROOM * sizeof(double));
    size_t pairs = (sizeof(Head) + ROOM * sizeof(double) + 5 + 7) / 8 * 8;
    ck_assert_uint_eq(node->field_at[PAIRS], pairs);
    ck_assert_uint_eq(node->field_at[WEIGHT], (pairs + ROOM * sizeof(Pair) + 63) / 64 * 64);
    ck_assert_uint_eq(node->state_size, node->field_at[WEIGHT] + 64);
    ck_assert(node->scratch_at[FIRST] == 0 && node->scratch_at[SECOND] == 64);
    ck_assert_uint_eq(node->scratch_size, 16);
    anb_free(model);
}
END_TEST

typedef struct Shown {
    AnbVisitor visitor;
    AnbScalar kind[32];
    size_t count[32], n;
} Shown;

static void note(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Shown *s = (Shown *)visitor;
    (void)data;
    ck_assert_uint_lt(s->n, 32);
    s->kind[s->n] = kind;
    s->count[s->n++] = count;
}

/* In the order of the table, the members one by one, only what is used and not derived. */
START_TEST(what_is_shown_follows_from_the_table)
{
    static const AnbScalar kinds[] = {ANB_F64, ANB_U32, ANB_U16, ANB_U8,  ANB_U8,  ANB_F32, ANB_F32, ANB_F32,
                                      ANB_F32, ANB_F64, ANB_F32, ANB_F32, ANB_F32, ANB_F32, ANB_F64};
    static const size_t counts[] = {1, 1, 1, 3, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, D};
    StreamingLearner *model = taught(2);
    Shown s = {.visitor = {note}};
    anb_visit_subtree(&model->plan->nodes[0], anb_block(model), &s.visitor);
    ck_assert_uint_eq(s.n, sizeof counts / sizeof *counts);
    for (size_t i = 0; i < s.n; i++)
        ck_assert_msg(s.kind[i] == kinds[i] && s.count[i] == counts[i], "field %zu", i);
    anb_free(model);
}
END_TEST

START_TEST(equality_and_snapshots_follow_from_the_table)
{
    AnbError error = {0};
    StreamingLearner *model = taught(3);
    const AnbNode *node = &model->plan->nodes[0];
    StreamingLearner *again = saved_and_loaded(model, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    ck_assert(anb_equal(model, again));
    ((unsigned char *)anb_field(node, anb_block(again), CACHE))[0] = 1; /* derived */
    ((double *)anb_field(node, anb_block(again), ITEM))[3] = 1;         /* not in use */
    ck_assert(anb_equal(model, again));
    ((double *)anb_field(node, anb_block(again), ITEM))[2] = 1;
    ck_assert(!anb_equal(model, again));
    anb_free(model);
    anb_free(again);
}
END_TEST

static void refused(const StreamingLearner *model, const char *message)
{
    AnbError error = {0};
    ck_assert_ptr_null(saved_and_loaded(model, &error));
    ck_assert_int_eq(error.code, ANB_E_STATE);
    ck_assert_str_eq(error.message, message);
}

/* Puts a value where another one lies, has the state refused, and puts the old one back. */
#define REFUSED(place, value, message)                                                                                 \
    do {                                                                                                               \
        __typeof__(place) old = (place);                                                                               \
        (place) = (value);                                                                                             \
        refused(model, message);                                                                                       \
        (place) = old;                                                                                                 \
    } while (0)

START_TEST(checks_follow_from_the_table)
{
    StreamingLearner *model = taught(3);
    const AnbNode *node = &model->plan->nodes[0];
    Head *s = (Head *)anb_block(model);
    double *item = anb_field(node, anb_block(model), ITEM), *weight = anb_field(node, anb_block(model), WEIGHT);
    Pair *pairs = anb_field(node, anb_block(model), PAIRS);
    REFUSED(s->level, (double)NAN, "table: level[0] is not finite");
    REFUSED(s->level, -1, "table: level[0] is negative");
    REFUSED(s->n, ROOM + 1, "table: n[0] is too large");
    *(uint8_t *)&s->on = 2;
    refused(model, "table: on[0] is too large");
    s->on = true;
    REFUSED(s->pair[1].low, (float)INFINITY, "table: low[0] is not finite");
    REFUSED(item[1], (double)INFINITY, "table: item[1] is not finite");
    REFUSED(pairs[2].low, (float)NAN, "table: low[2] is not finite");
    REFUSED(weight[2], -1, "table: weight[2] is negative");
    weight[2] = HUGE_VAL; /* only its sign is declared */
    pairs[2].high = (float)INFINITY;
    item[3] = (double)NAN; /* not in use */
    AnbError error = {0};
    StreamingLearner *again = saved_and_loaded(model, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    anb_free(again);
    anb_free(model);
}
END_TEST

static size_t endless(const AnbNode *self)
{
    (void)self;
    return SIZE_MAX / 3;
}

START_TEST(sizes_beyond_any_memory_are_refused)
{
    static const AnbField huge[] = {{.name = "a", .kind = ANB_F64, .count = endless}, {0}};
    StreamingLearnerType large = type;
    AnbError error = {0};
    large.fields = huge;
    ck_assert_ptr_null(anb_new(D, &(AnbExpert){.type = &large}, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
}
END_TEST

static Suite *fields_suite(void)
{
    Suite *suite = suite_create("fields");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, places_follow_from_the_table);
    tcase_add_test(tests, what_is_shown_follows_from_the_table);
    tcase_add_test(tests, equality_and_snapshots_follow_from_the_table);
    tcase_add_test(tests, checks_follow_from_the_table);
    tcase_add_test(tests, sizes_beyond_any_memory_are_refused);
    return suite;
}

CHECK_MAIN(fields_suite)
