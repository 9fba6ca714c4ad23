/* Memory: every allocation of every constructor may fail, and nothing is allocated once a model is there. */
#include "suite.h"
#include "zoo.h"
#include <anabranch/host.h>
#include <anabranch/serve.h>

/* The C library's, by the linker's --wrap: whoever in the library calls one is seen. */
static size_t calls;
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    calls++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    calls++;
    return __real_realloc(memory, size);
}

/* ---- one allocation fails ---------------------------------------------------------------------------------------- */

typedef struct Heap {
    size_t taken, fail_at; /* the fail_at-th allocation, counted from 0, gets nothing */
    size_t live, bytes;
} Heap;

static void *take(size_t size, void *context)
{
    Heap *heap = context;
    ck_assert_uint_gt(size, 0);
    if (heap->taken++ == heap->fail_at)
        return NULL;
    size_t *memory = __real_malloc(size + 16);
    memset(memory, 0xa5, size + 16); /* nobody may count on zeros */
    memory[0] = size;
    heap->live++;
    heap->bytes += size;
    return memory + 2;
}

static void give(void *memory, void *context)
{
    Heap *heap = context;
    ck_assert_ptr_nonnull(memory);
    heap->live--;
    heap->bytes -= ((size_t *)memory - 2)[0];
    free((size_t *)memory - 2);
}

typedef struct Case {
    size_t animal;
    AnbModelOptions options;
    StreamingLearner *model; /* of the failing heap */
    AnbServer *server;
    unsigned char *bytes;
    size_t size;
} Case;

/* Makes something and destroys it; false where it could not be made. */
typedef bool (*Make)(const Case *c, AnbError *error);

static bool make_model(const Case *c, AnbError *error)
{
    StreamingLearner *model = zoo_model(c->animal, &c->options, error);
    anb_free(model);
    return model != NULL;
}

static bool make_clone(const Case *c, AnbError *error)
{
    StreamingLearner *clone = anb_clone(c->model, error);
    anb_free(clone);
    return clone != NULL;
}

static bool make_clone_again(const Case *c, AnbError *error)
{
    StreamingLearner *clone = anb_clone(c->model, error);
    clone = clone ? anb_clone_reusing(c->model, clone, error) : NULL;
    anb_free(clone);
    return clone != NULL;
}

static bool make_reader(const Case *c, AnbError *error)
{
    AnbReader *reader = anb_reader_new(c->model, error);
    anb_reader_free(reader);
    return reader != NULL;
}

static bool make_loaded(const Case *c, AnbError *error)
{
    StreamingLearner *model = anb_load_memory(c->bytes, c->size, &c->options, error);
    anb_free(model);
    return model != NULL;
}

static bool make_server(const Case *c, AnbError *error)
{
    AnbServer *server = anb_serve_new(c->model, 4, error);
    anb_serve_free(server);
    return server != NULL;
}

static bool make_serve_reader(const Case *c, AnbError *error)
{
    AnbServeReader *reader = anb_serve_reader_new(c->server, error);
    anb_serve_reader_free(reader);
    return reader != NULL;
}

/* How many allocations it took. */
static size_t fail_each(const Case *c, Heap *heap, Make make)
{
    size_t live = heap->live, bytes = heap->bytes;
    for (size_t k = 0; k < 10000; k++) {
        AnbError error = {0};
        heap->taken = 0;
        heap->fail_at = k;
        bool made = make(c, &error);
        ck_assert_uint_eq(heap->live, live);
        ck_assert_uint_eq(heap->bytes, bytes);
        if (made && heap->taken <= k)
            return k;
        ck_assert(!made);
        ck_assert_int_eq(error.code, ANB_E_MEMORY);
        ck_assert_uint_gt(strlen(error.message), 0);
        heap->taken = 0;
        ck_assert(!make(c, NULL));
    }
    ck_abort_msg("10,000 allocations");
    return 0;
}

START_TEST(every_allocation_may_fail)
{
    static const Make makes[] = {make_model,  make_clone,  make_clone_again, make_reader,
                                 make_loaded, make_server, make_serve_reader};
    Heap heap = {.fail_at = SIZE_MAX};
    Case c = {.animal = (size_t)_i, .options = anb_model_defaults()};
    AnbAllocator allocator = {take, give, &heap};
    ZooStream s = zoo_stream(1, false);
    c.options.allocator = &allocator;
    c.model = zoo_model(c.animal, &c.options, NULL);
    zoo_train(c.model, &s, 100);
    c.size = anb_snapshot_size(c.model, NULL);
    c.bytes = malloc(c.size);
    ck_assert_int_eq(anb_snapshot_to_memory(c.model, NULL, c.bytes, c.size, NULL), 0);
    c.server = anb_serve_new(c.model, 4, NULL);
    for (size_t m = 0; m < sizeof makes / sizeof *makes; m++)
        ck_assert_uint_gt(fail_each(&c, &heap, makes[m]), 0);
    anb_serve_free(c.server);
    anb_free(c.model);
    free(c.bytes);
    ck_assert_uint_eq(heap.live, 0);
}
END_TEST

START_TEST(what_a_model_takes_is_what_it_says)
{
    Heap heap = {.fail_at = SIZE_MAX};
    AnbAllocator allocator = {take, give, &heap};
    AnbModelOptions options = anb_model_defaults();
    options.allocator = &allocator;
    StreamingLearner *model = zoo_model((size_t)_i, &options, NULL);
    size_t bytes = anb_total_bytes(model);
    ck_assert_uint_eq(bytes, heap.bytes);
    anb_free(model);
    AnbError error = {0};
    options.max_bytes = bytes; /* exactly */
    model = zoo_model((size_t)_i, &options, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    anb_free(model);
    for (options.max_bytes = bytes - 1; options.max_bytes > 50; options.max_bytes /= 2) {
        ck_assert_ptr_null(zoo_model((size_t)_i, &options, &error));
        ck_assert_int_eq(error.code, ANB_E_LIMIT);
    }
    ck_assert_uint_eq(heap.live, 0);
}
END_TEST

/* Of a clone, of what is attached to it, and of importances beside it. */
START_TEST(what_is_beside_a_model_takes_what_it_says)
{
    char text[ZOO_TEXT], name[8];
    Heap heap = {.fail_at = SIZE_MAX};
    AnbAllocator allocator = {take, give, &heap};
    AnbModelOptions options = anb_model_defaults();
    options.allocator = &allocator;
    StreamingLearner *model = zoo_model((size_t)_i, &options, NULL);
    size_t bytes = heap.bytes, state = 0;
    ck_assert_uint_eq(anb_parse_bytes(ZOO_FEATURES, zoo_expression((size_t)_i, text), &options, &state, NULL), bytes);
    ck_assert_uint_eq(state, anb_state_bytes(model));
    StreamingLearner *clone = anb_clone(model, NULL);
    ck_assert_uint_eq(heap.bytes - bytes, anb_clone_bytes(model));
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(anb_source_add(clone, name, (size_t)snprintf(name, sizeof name, "%d", i), NULL), i);
    ck_assert_uint_eq(heap.bytes - bytes, anb_clone_bytes(clone));
    StreamingLearner *again = anb_clone(clone, NULL);
    ck_assert_uint_eq(heap.bytes - bytes, anb_clone_bytes(clone) + anb_clone_bytes(again));
    anb_free(again);
    for (int rows = 0; rows <= 64; rows += 32) {
        AnbImportanceOptions how = anb_importance_defaults();
        how.sage_rows = rows;
        size_t before = heap.bytes;
        AnbImportance *importance = anb_importance_new(model, &how, NULL);
        ck_assert_uint_eq(heap.bytes - before, anb_importance_bytes(importance));
        anb_importance_free(importance);
    }
    anb_free(clone);
    anb_free(model);
    ck_assert_uint_eq(heap.live, 0);
}
END_TEST

/* ---- nothing once it is there ------------------------------------------------------------------------------------ */

START_TEST(nothing_is_allocated_after_creation)
{
    StreamingLearner *model = zoo_model((size_t)_i, NULL, NULL);
    AnbReader *reader = anb_reader_new(model, NULL);
    AnbServer *server = anb_serve_new(model, 8, NULL);
    AnbServeReader *serve_reader = anb_serve_reader_new(server, NULL);
    ZooStream s = zoo_stream(2, true);
    AnbMixture mixture;
    size_t before = calls; /* Check's own asserts allocate as well */
    for (size_t t = 0; t < 5000; t++) {
        zoo_next(&s);
        anb_train_one(model, s.x, s.y, t % 7 == 0 ? 2 : 1);
        if (t % 16 == 0) {
            anb_predict(model, s.x);
            anb_predict_with(model, reader, s.x);
            anb_mixture(model, &mixture);
            anb_serve_train(server, s.x, s.y, 1);
            anb_serve_predict(serve_reader, s.x);
        }
    }
    anb_equal(model, anb_serve_model(server));
    anb_reset(model);
    size_t after = calls;
    ck_assert_uint_gt(before, 0);
    ck_assert_uint_eq(after, before);
    anb_serve_reader_free(serve_reader);
    anb_serve_free(server);
    anb_reader_free(reader);
    anb_free(model);
}
END_TEST

/* Which file it was that there was no memory for. */
START_TEST(a_message_names_the_file)
{
    Heap heap = {.fail_at = SIZE_MAX};
    const AnbAllocator allocator = {take, give, &heap};
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    options.allocator = &allocator;
    StreamingLearner *model = anb_parse(2, "linear", &options, &error);
    AnbServer *server = anb_serve_new(model, 4, &error);
    ck_assert_int_eq(anb_save(model, NULL, "alloc.anb", &error), 0);
    heap.fail_at = heap.taken;
    ck_assert_int_eq(anb_serve_save(server, NULL, "alloc.anb", &error), ANB_E_MEMORY);
    ck_assert_str_eq(error.message, "alloc.anb: out of memory");
    heap.fail_at = heap.taken;
    error = (AnbError){0};
    ck_assert_ptr_null(anb_save_aside(model, NULL, "alloc.anb", &error));
    ck_assert_str_eq(error.message, "alloc.anb: out of memory");
    heap.fail_at = heap.taken;
    error = (AnbError){0};
    ck_assert_ptr_null(anb_load("alloc.anb", &options, &error));
    ck_assert_str_eq(error.message, "alloc.anb: out of memory");
    remove("alloc.anb");
    anb_serve_free(server);
    anb_free(model);
    ck_assert_uint_eq(heap.live, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("alloc");
    TCase *tests = case_of(suite, 120);
    int animals = (int)zoo_count();
    tcase_add_loop_test(tests, every_allocation_may_fail, 0, animals);
    tcase_add_loop_test(tests, what_is_beside_a_model_takes_what_it_says, 0, animals);
    tcase_add_loop_test(tests, what_a_model_takes_is_what_it_says, 0, animals);
    tcase_add_loop_test(tests, nothing_is_allocated_after_creation, 0, animals);
    tcase_add_test(tests, a_message_names_the_file);
    return suite;
}

CHECK_MAIN(suite)
