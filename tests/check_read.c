/* To save a model, to copy it and to ask it by a reader is to read it: its memory is write-protected meanwhile. */
#define _GNU_SOURCE
#include "numbers.h"
#include "suite.h"
#include "zoo.h"
#include <anabranch/host.h>
#include <anabranch/snapshot.h>
#include <string.h>
#include <sys/mman.h>

typedef struct Pages {
    void *memory;
    size_t size;
} Pages;

static void *to_pages(void *memory, void *context)
{
    Pages *pages = context;
    pages->memory = mmap(NULL, pages->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages->memory == MAP_FAILED)
        return NULL;
    memcpy(pages->memory, memory, pages->size);
    free(memory);
    return pages->memory;
}

static void *from_pages(void *memory, void *context)
{
    const Pages *pages = context;
    void *back = malloc(pages->size);
    memcpy(back, memory, pages->size);
    munmap(memory, pages->size);
    return back;
}

/* What may be done with a model that nobody changes. */
static void read_all(const StreamingLearner *model, AnbReader *reader, const double *rows, size_t n)
{
    size_t size = anb_snapshot_size(model, NULL);
    void *bytes = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, size, NULL), 0);
    StreamingLearner *copy = anb_clone(model, NULL), *again;
    ck_assert_ptr_nonnull(copy);
    double *many = malloc(n * sizeof *many);
    anb_predict_many_with(model, reader, rows, n, many);
    for (size_t i = 0; i < n; i++) {
        double f = anb_predict_with(model, reader, rows + i * ZOO_FEATURES),
               g = anb_predict(copy, rows + i * ZOO_FEATURES);
        ck_assert(same_bits(f, g));
        ck_assert(same_bits(many[i], g));
    }
    free(many);
    ck_assert_ptr_nonnull(again = anb_load_memory(bytes, size, NULL, NULL));
    ck_assert(anb_equal(again, copy));
    anb_free(again);
    anb_free(copy);
    free(bytes);
}

START_TEST(reading_writes_nothing)
{
    enum { ROWS = 20 };
    StreamingLearner *model = zoo_model((size_t)_i, NULL, NULL);
    ZooStream s = zoo_stream(1, false);
    double rows[ROWS * ZOO_FEATURES];
    for (int part = 0; part < 8; part++) {
        zoo_train(model, &s, 150 + part);
        for (size_t i = 0; i < ROWS; i++) {
            zoo_next(&s);
            memcpy(rows + i * ZOO_FEATURES, s.x, sizeof s.x);
        }
        AnbReader *reader = anb_reader_new(model, NULL);
        Pages pages = {NULL, anb_clone_bytes(model)};
        model = anb_relocate(model, to_pages, &pages);
        ck_assert_ptr_nonnull(pages.memory);
        ck_assert_int_eq(mprotect(pages.memory, pages.size, PROT_READ), 0);
        read_all(model, reader, rows, ROWS);
        ck_assert_int_eq(mprotect(pages.memory, pages.size, PROT_READ | PROT_WRITE), 0);
        model = anb_relocate(model, from_pages, &pages);
        anb_reader_free(reader);
    }
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("read");
    TCase *tests = case_of(s, 60);
    tcase_add_loop_test(tests, reading_writes_nothing, 0, (int)zoo_count());
    return s;
}

CHECK_MAIN(suite)
