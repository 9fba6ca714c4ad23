/* Stripes: each sample has one thread, a model always the same, in the order of the call, and threads have about as much. */
#include "isa_here.h"
#include "numbers.h"
#include "src/host/stripes.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1000, MODELS = 200, CHUNK = 77 };

typedef struct Calls {
    char *memory;
    StreamingLearner *of[SAMPLES];          /* addresses alone: nothing is read there */
    size_t model[SAMPLES], thread[SAMPLES]; /* number of each; who found the sample */
} Calls;

/* Models lie `apart` bytes from each other. */
static Calls *calls_new(size_t apart)
{
    Calls *c = calloc(1, sizeof *c);
    uint64_t state = 3;
    c->memory = malloc(MODELS * apart);
    for (size_t i = 0; i < SAMPLES; i++) {
        c->model[i] = (bits_of(&state) >> 33) % MODELS;
        c->of[i] = (StreamingLearner *)(void *)(c->memory + c->model[i] * apart);
        c->thread[i] = SIZE_MAX;
    }
    return c;
}

static void calls_free(Calls *c)
{
    free(c->memory);
    free(c);
}

/* Notes whose samples are whose; returns how many the thread has. */
static size_t find_own(Calls *c, const AnbStripes *stripes, size_t thread)
{
    uint32_t own[CHUNK + ANB_STRIPES_SPARE];
    size_t sum = 0;
    for (size_t from = 0; from < SAMPLES; from += CHUNK) {
        size_t n = SAMPLES - from < CHUNK ? SAMPLES - from : CHUNK;
        size_t found = anb_stripes_list(c->of, from, n, stripes->place, anb_stripes_of(stripes, thread), own);
        for (size_t i = 0; i < found; i++) {
            ck_assert(own[i] >= from && own[i] < from + n && (i == 0 || own[i] > own[i - 1]));
            ck_assert_uint_eq(c->thread[own[i]], SIZE_MAX);
            c->thread[own[i]] = thread;
        }
        sum += found;
    }
    return sum;
}

static void assert_dealt(size_t apart, size_t threads)
{
    Calls *c = calls_new(apart);
    AnbStripes stripes = {0};
    anb_stripes_deal(&stripes, c->of, SAMPLES, threads);
    for (size_t t = 0; t < threads; t++)
        ck_assert_uint_lt(find_own(c, &stripes, t), SAMPLES / threads + SAMPLES / 8);
    size_t of_model[MODELS];
    memset(of_model, 0xff, sizeof of_model);
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t *of = &of_model[c->model[i]];
        *of = *of == SIZE_MAX ? c->thread[i] : *of;
        ck_assert(c->thread[i] != SIZE_MAX && c->thread[i] == *of);
    }
    calls_free(c);
}

START_TEST(each_sample_has_one_thread)
{
    static const size_t apart[] = {64, 520, 4096, 8192, 100000};
    AnbIsa before = anb_isa_in_use();
    skip_unless_here(_i);
    anb_isa_use((AnbIsa)_i);
    for (size_t a = 0; a < sizeof apart / sizeof *apart; a++)
        for (size_t threads = 1; threads < 6; threads++)
            assert_dealt(apart[a], threads);
    anb_isa_use(before);
}
END_TEST

START_TEST(what_is_missing_is_seen)
{
    const void *pointers[21];
    for (size_t i = 0; i < 21; i++)
        pointers[i] = &pointers[i];
    ck_assert(anb_stripes_sure(pointers, 21));
    for (size_t i = 0; i < 21; i++) {
        pointers[i] = NULL;
        ck_assert(!anb_stripes_sure(pointers, 21));
        pointers[i] = &pointers[i];
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("stripes");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, each_sample_has_one_thread, 0, ANB_ISA_COUNT);
    tcase_add_test(tests, what_is_missing_is_seen);
    return suite;
}

CHECK_MAIN(suite)
