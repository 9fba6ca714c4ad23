/* Learners that the library does not know: states of bytes, of older layouts, with memory of their own. */
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/host.h>

/* What the library is not to understand: bytes. */
static const AnbField as_bytes[] = {{.name = "state", .kind = ANB_U8, .fixed = 2 * sizeof(double)}, {0}};

static double predict_first(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    return ((const double *)state)[0];
}

/* state[0]: half of the last target and half of the earlier ones; state[1]: samples. */
static void update_half(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double *s = state;
    (void)self, (void)row, (void)weight, (void)scratch;
    s[0] += (y - s[0]) / 2;
    s[1] += 1;
}

static const StreamingLearnerType opaque = {
    .name = "half",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_UNIT,
    .version = 1,
    .fields = as_bytes,
    .predict = predict_first,
    .update = update_half,
};

static StreamingLearner *make(const StreamingLearnerType *type, const char *text, AnbError *error)
{
    const StreamingLearnerType *const types[] = {type, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    StreamingLearner *model = anb_parse(1, text, &options, error);
    for (int i = 0; model && i < 20; i++)
        anb_train_one(model, &(double){i}, i % 5, 1);
    return model;
}

static unsigned char bytes[4096];
static size_t size;

static int save(const StreamingLearner *model)
{
    size = anb_snapshot_size(model, NULL);
    return anb_snapshot_to_memory(model, NULL, bytes, sizeof bytes, NULL);
}

static StreamingLearner *load(const StreamingLearnerType *type, AnbError *error)
{
    const StreamingLearnerType *const types[] = {type, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    return anb_load_memory(bytes, size, &options, error);
}

/* What could not be predicted with, or never be loaded again, is not made. */
START_TEST(half_a_type_is_refused)
{
    static const char *const names[] = {"", "Half", "two words", "half(", "1half"};
    AnbError error = {0};
    StreamingLearnerType type = {.name = "half", .brief = "nothing in it"};
    AnbExpert expert = {.type = &type};
    ck_assert_ptr_null(anb_new(2, &expert, NULL, &error));
    ck_assert(error.code == ANB_E_ARGUMENT && strstr(error.message, "half: a type has predict and update"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        type = opaque;
        type.name = names[i];
        ck_assert_ptr_null(anb_new(2, &expert, NULL, &error));
        ck_assert(error.code == ANB_E_ARGUMENT && strstr(error.message, "no type's name"));
    }
}
END_TEST

START_TEST(an_opaque_state_comes_back)
{
    AnbError error = {0};
    StreamingLearner *model = make(&opaque, "moe(half(warmup=3), linear)", &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    ck_assert_int_eq(save(model), 0);
    StreamingLearner *again = load(&opaque, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    ck_assert(anb_equal(model, again));
    ck_assert_ptr_null(load(NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_UNKNOWN);
    anb_free(model);
    anb_free(again);
}
END_TEST

/* ---- two layouts ------------------------------------------------------------------------------------------------- */

typedef struct Half {
    double level, samples;
} Half;

/* Layout 1 lies in memory as layout 2 does. */
static const AnbField members_1[] = {{ANB_MEMBER(Half, level)}, {0}};
static const AnbField members_2[] = {{ANB_MEMBER(Half, level)}, {ANB_MEMBER(Half, samples)}, {0}};
static const AnbField layout_1[] = {{ANB_STRUCT(Half, members_1)}, {0}};
static const AnbField layout_2[] = {{ANB_STRUCT(Half, members_2)}, {0}};

/* Layout 1 knew no count: it starts at 0. */
static int upgrade(const AnbNode *self, unsigned from, const unsigned char *fields, size_t n, void *state)
{
    (void)self;
    if (from != 1 || n != sizeof(double))
        return ANB_E_STATE;
    memcpy(state, fields, n); /* little-endian, as this machine in this test */
    return 0;
}

static StreamingLearnerType of_version(unsigned version)
{
    StreamingLearnerType type = opaque;
    type.version = version;
    type.fields = version == 1 ? layout_1 : layout_2;
    type.upgrade = version == 1 ? NULL : upgrade;
    return type;
}

START_TEST(an_older_layout_is_taken_over)
{
    AnbError error = {0};
    double x = 0;
    StreamingLearnerType one = of_version(1), two = of_version(2), deaf = of_version(2);
    StreamingLearner *model = make(&one, "moe(linear, half)", NULL);
    ck_assert_int_eq(save(model), 0);
    StreamingLearner *again = load(&two, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    ck_assert_double_eq(anb_predict(model, &x), anb_predict(again, &x));
    ck_assert_int_eq(save(again), 0);
    anb_free(load(&two, &error));
    ck_assert_ptr_null(load(&one, &error)); /* a newer layout than this library's */
    ck_assert_int_eq(error.code, ANB_E_VERSION);
    ck_assert_int_eq(save(model), 0);
    deaf.upgrade = NULL;
    ck_assert_ptr_null(load(&deaf, &error));
    ck_assert_int_eq(error.code, ANB_E_VERSION);
    anb_free(model);
    anb_free(again);
}
END_TEST

/* ---- a state that owns memory ------------------------------------------------------------------------------------ */

typedef struct List {
    uint64_t n;
    double *value;
} List;

static int live;

static double predict_mean(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const List *list = state;
    double sum = 0;
    (void)self, (void)row, (void)scratch;
    for (uint64_t i = 0; i < list->n; i++)
        sum += list->value[i];
    return list->n ? sum / (double)list->n : 0;
}

static void append(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    List *list = state;
    (void)self, (void)row, (void)weight, (void)scratch;
    live += list->value == NULL;
    list->value = realloc(list->value, (list->n + 1) * sizeof(double));
    list->value[list->n++] = y;
}

static void clear(const AnbNode *self, void *state)
{
    List *list = state;
    (void)self;
    live -= list->value != NULL;
    free(list->value);
    *list = (List){0};
}

static int set(List *list, const void *values, size_t n)
{
    *list = (List){n, n ? malloc(n * sizeof(double)) : NULL};
    live += n > 0;
    if (n > 0)
        memcpy(list->value, values, n * sizeof(double));
    return 0;
}

static int copy(const AnbNode *self, const void *from, void *to)
{
    const List *list = from;
    (void)self;
    return set(to, list->value, list->n);
}

static size_t list_size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(List);
}

/* What it shows lies elsewhere. */
static void list_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    List *list = part;
    (void)self, (void)field, (void)state;
    anb_visit(visitor, "n", &list->n, ANB_U64, 1);
    anb_visit(visitor, "value", list->value, ANB_F64, list->n);
}

static const AnbPart list_part = {list_size, list_visit, NULL};
static const AnbField list_fields[] = {{.name = "list", .part = &list_part}, {0}};

static int read_list(const AnbNode *self, unsigned from, const unsigned char *fields, size_t n, void *state)
{
    uint64_t count;
    (void)self;
    if (from != 1 || n < 8)
        return ANB_E_STATE;
    memcpy(&count, fields, 8);
    return n - 8 == count * sizeof(double) ? set(state, fields + 8, count) : ANB_E_STATE;
}

static const StreamingLearnerType list = {
    .name = "list",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_UNIT,
    .version = 1,
    .fields = list_fields,
    .predict = predict_mean,
    .update = append,
    .upgrade = read_list,
    .clear = clear,
    .clone = copy,
    .reset = clear,
};

static void *never(void *memory, void *context)
{
    (void)memory;
    *(int *)context += 1;
    return NULL;
}

START_TEST(a_state_that_owns_memory_comes_back)
{
    int moves = 0;
    AnbError error = {0};
    double x = 0;
    StreamingLearner *model = make(&list, "moe(list, linear)", NULL), *clone = anb_clone(model, NULL);
    ck_assert(anb_equal(model, clone));
    ck_assert_ptr_eq(anb_relocate(model, never, &moves), model);
    ck_assert_int_eq(moves, 0); /* its pointers might lead into the block */
    ck_assert_int_eq(save(model), 0);
    StreamingLearner *again = load(&list, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    ck_assert(anb_equal(model, again));
    anb_train_one(again, &x, 7, 1);
    ck_assert(!anb_equal(model, again));
    ck_assert(anb_equal(model, clone));
    anb_train_one(clone, &x, 7, 1);
    ck_assert(!anb_equal(model, clone));
    ck_assert_ptr_eq(anb_clone_reusing(model, clone, NULL), clone);
    ck_assert(anb_equal(model, clone));
    anb_free(model);
    anb_free(clone);
    anb_reset(again);
    anb_free(again);
    ck_assert_int_eq(live, 0);
}
END_TEST

/* Shows what is not in the state, and says nothing of owning it. */
static void visit_elsewhere(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    static double elsewhere;
    (void)self, (void)field, (void)state, (void)part;
    anb_visit(visitor, "elsewhere", &elsewhere, ANB_F64, 1);
}

static const AnbPart stray_part = {list_size, visit_elsewhere, NULL};
static const AnbField stray_fields[] = {{.name = "stray", .part = &stray_part}, {0}};

START_TEST(what_cannot_be_saved_says_so)
{
    StreamingLearnerType silent = list, stray = opaque;
    silent.upgrade = NULL;
    stray.fields = stray_fields;
    StreamingLearner *owner = make(&silent, "moe(list, linear)", NULL);
    ck_assert_int_eq(save(owner), ANB_E_UNSUPPORTED);
    ck_assert_uint_eq(size, 0);
    anb_free(owner);
    StreamingLearner *model = make(&stray, "half", NULL);
    ck_assert_int_eq(save(model), ANB_E_UNSUPPORTED);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("foreign");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, half_a_type_is_refused);
    tcase_add_test(tests, an_opaque_state_comes_back);
    tcase_add_test(tests, an_older_layout_is_taken_over);
    tcase_add_test(tests, a_state_that_owns_memory_comes_back);
    tcase_add_test(tests, what_cannot_be_saved_says_so);
    return suite;
}

CHECK_MAIN(suite)
