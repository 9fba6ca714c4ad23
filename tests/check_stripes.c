/* Stripes: each sample has one thread, a model always the same, in the order of the call, and threads have about as much. */
#include "isa_here.h"
#include "numbers.h"
#include "src/host/stripes.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1000, MODELS = 200, CHUNK = 77 };

typedef struct Calls {
    char *memory;
    StreamingLearner *of[SAMPLES]; /* addresses alone: nothing is read there */
    const double *x[SAMPLES];
    double y[SAMPLES];
    size_t model[SAMPLES], stripe[SAMPLES]; /* number of each; in which stripe the sample was found */
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
        c->x[i] = &c->y[i];
        c->y[i] = (double)i;
        c->stripe[i] = SIZE_MAX;
    }
    return c;
}

static void calls_free(Calls *c)
{
    free(c->memory);
    free(c);
}

/* Notes in which stripe samples are; returns how many it has. */
static size_t find_own(Calls *c, const AnbStripes *stripes, size_t stripe)
{
    const AnbSamples call = {.models = c->of, .x = c->x, .y = c->y, .n = SAMPLES};
    AnbOwn own;
    size_t sum = 0;
    for (size_t from = 0; from < SAMPLES; from += CHUNK) {
        size_t n = SAMPLES - from < CHUNK ? SAMPLES - from : CHUNK;
        anb_stripes_pick(stripes, stripe, &call, from, n, &own);
        for (size_t i = 0; i < own.n; i++) {
            size_t at = own.number[i];
            ck_assert(at >= from && at < from + n && (i == 0 || at > own.number[i - 1]));
            ck_assert(own.models[i] == c->of[at] && own.x[i] == c->x[at] && own.y[i] == c->y[at]);
            ck_assert_uint_eq(c->stripe[at], SIZE_MAX);
            c->stripe[at] = stripe;
        }
        sum += own.n;
    }
    return sum;
}

static void assert_dealt(size_t apart, size_t threads, size_t each)
{
    Calls *c = calls_new(apart);
    AnbStripes stripes = {0};
    ck_assert(anb_stripes_deal(&stripes, c->of, SAMPLES, threads, each));
    ck_assert_uint_eq(stripes.n, threads * each);
    size_t most = 0;
    for (size_t t = 0; t < threads; t++) {
        size_t sum = 0;
        for (size_t i = 0; i < each; i++)
            sum += find_own(c, &stripes, t * each + i);
        most = sum > most ? sum : most;
    }
    ck_assert_uint_lt(most, SAMPLES / threads + SAMPLES / 30);
    ck_assert_msg(fabs(stripes.largest - (double)most / SAMPLES) < 1e-9, "said %g, most %zu", stripes.largest, most);
    size_t of_model[MODELS];
    memset(of_model, 0xff, sizeof of_model);
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t *of = &of_model[c->model[i]];
        *of = *of == SIZE_MAX ? c->stripe[i] : *of;
        ck_assert(c->stripe[i] != SIZE_MAX && c->stripe[i] == *of);
    }
    anb_stripes_free(&stripes);
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
            for (size_t each = 1; each < 40; each *= 3)
                assert_dealt(apart[a], threads, each);
    anb_isa_use(before);
}
END_TEST

/* A stripe ends where a model begins, so one that has most samples is whole, and others may be empty. */
START_TEST(a_model_that_has_most_is_whole)
{
    Calls *c = calls_new(520);
    AnbStripes stripes = {0};
    for (size_t i = 0; i < SAMPLES; i++) {
        c->model[i] = i % 10 ? 100 : c->model[i];
        c->of[i] = (StreamingLearner *)(void *)(c->memory + c->model[i] * 520);
    }
    ck_assert(anb_stripes_deal(&stripes, c->of, SAMPLES, 4, 4));
    ck_assert(stripes.largest >= .9);
    for (size_t i = 0; i < stripes.n; i++) {
        ck_assert(stripes.from[i] <= stripes.from[i + 1]);
        find_own(c, &stripes, i);
    }
    for (size_t i = 0; i < SAMPLES; i++)
        ck_assert(c->stripe[i] != SIZE_MAX && (c->model[i] != 100 || c->stripe[i] == c->stripe[1]));
    anb_stripes_free(&stripes);
    calls_free(c);
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
    tcase_add_test(tests, a_model_that_has_most_is_whole);
    tcase_add_test(tests, what_is_missing_is_seen);
    return suite;
}

CHECK_MAIN(suite)
