/* Stripes: each sample has one thread, a model always the same, in the order of the call, and threads have about as
 * much. */
#define _DEFAULT_SOURCE
#include "isa_here.h"
#include "numbers.h"
#include "src/host/stripes.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
    AnbIsa before = take_isa(_i);
    for (size_t a = 0; a < sizeof apart / sizeof *apart; a++)
        for (size_t threads = 1; threads < 6; threads++)
            for (size_t each = 1; each < 40; each *= 3)
                assert_dealt(apart[a], threads, each);
    anb_isa_use(before);
}
END_TEST

/* The samples lie at these addresses; none is read. Returns the largest share that one thread was dealt. */
static double largest_share(const AnbStripes *stripes, StreamingLearner *const *of, size_t n, size_t threads)
{
    size_t sum[8] = {0}, most = 0;
    for (size_t i = 0; i < n; i++) {
        size_t stripe = 0;
        while (stripe + 1 < stripes->n && (uintptr_t)of[i] >= stripes->from[stripe + 1])
            stripe++;
        sum[stripe / stripes->each]++;
    }
    for (size_t t = 0; t < threads; t++)
        most = sum[t] > most ? sum[t] : most;
    return (double)most / (double)n;
}

static StreamingLearner *at_number(size_t i)
{
    return (StreamingLearner *)(0x10000 + i * 600); /* NOLINT */
}

/* A call that goes round its models has a period; whatever it is, each thread has its part of the models. */
START_TEST(models_in_turns_are_dealt_evenly)
{
    static const size_t models[] = {2, 4, 8, 10, 16, 50, 100}, lengths[] = {4096, 8192, 1600, 1000, 37};
    for (size_t k = 0; k < sizeof models / sizeof *models; k++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            size_t m = models[k], n = m * lengths[l];
            StreamingLearner **of = malloc(n * sizeof *of);
            for (size_t i = 0; i < n; i++)
                of[i] = at_number(i % m);
            for (size_t threads = 2; threads <= 4; threads++) {
                AnbStripes stripes = {0};
                ck_assert(anb_stripes_deal(&stripes, of, n, threads, 1));
                double share = largest_share(&stripes, of, n, threads),
                       best = (double)((m + threads - 1) / threads) / (double)m;
                ck_assert_msg(share < best + .03, "%zu models, %zu samples, %zu threads: %g", m, n, threads, share);
                ck_assert_msg(fabs(stripes.largest - share) < ANB_STRIPES_UNEVEN, "said %g, is %g", stripes.largest,
                              share);
                anb_stripes_free(&stripes);
            }
            free(of);
        }
}
END_TEST

/* Stripes end at the nearer end of the model that lies where they would: one model is all that a thread may have too
 * much. */
START_TEST(few_models_are_dealt_as_evenly_as_may_be)
{
    enum { N = 3000 };
    StreamingLearner *of[N];
    uint64_t state = 8;
    for (int round = 0; round < 100; round++)
        for (size_t m = 2; m <= 10; m += 2) {
            AnbStripes stripes = {0};
            for (size_t i = 0; i < N; i++)
                of[i] = at_number((bits_of(&state) >> 33) % m);
            ck_assert(anb_stripes_deal(&stripes, of, N, 2, 1));
            ck_assert_msg(stripes.largest < .54, "%zu models: %g", m, stripes.largest);
            for (size_t i = 0; i < N; i++)
                of[i] = at_number(bits_of(&state) >> 33 < 0x4ccccccc ? 0 : 1); /* .6 are of the first */
            ck_assert(anb_stripes_deal(&stripes, of, N, 2, 1));
            ck_assert_msg(stripes.largest < .64, "two models: %g", stripes.largest);
            anb_stripes_free(&stripes);
        }
}
END_TEST

/* Rising, falling, both one after the other, and all the same. */
START_TEST(any_order_is_dealt)
{
    enum { N = 4000 };
    StreamingLearner *of[N];
    for (int order = 0; order < 5; order++)
        for (size_t each = 1; each <= 64; each *= 8) {
            AnbStripes stripes = {0};
            for (size_t i = 0; i < N; i++)
                of[i] = at_number((size_t[]){i, N - i, i < N / 2 ? i : N - i, i < N / 2 ? N - i : i, 7}[order]);
            ck_assert(anb_stripes_deal(&stripes, of, N, 2, each));
            ck_assert_msg(stripes.largest < (order < 4 ? .51 : 1.01), "order %d: %g", order, stripes.largest);
            ck_assert_double_eq(stripes.largest, largest_share(&stripes, of, N, 2));
            for (size_t i = 0; i < stripes.n; i++)
                ck_assert(stripes.from[i] <= stripes.from[i + 1]);
            anb_stripes_free(&stripes);
        }
}
END_TEST

/* A thread reads no target of another one's samples, which may lie where that one writes. Here they cannot be read. */
START_TEST(targets_of_others_are_not_read)
{
    enum { N = ANB_OWN_CHUNK };
    AnbIsa before = take_isa(_i);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0);
    StreamingLearner *of[N];
    static const double *x[N];
    AnbStripes stripes = {.n = 2, .each = 1, .from = (uintptr_t[]){0, (uintptr_t)at_number(1), UINTPTR_MAX}};
    AnbOwn own;
    for (size_t readable = 1; readable <= 20; readable++) {
        double *y = (double *)(void *)(memory + page) - readable;
        for (size_t i = 0; i < N; i++)
            of[i] = at_number(i >= readable);
        for (size_t i = 0; i < readable; i++)
            y[i] = (double)i;
        anb_stripes_pick(&stripes, 0, &(AnbSamples){.models = of, .x = x, .y = y, .n = N}, 0, N, &own);
        ck_assert_uint_eq(own.n, readable);
        ck_assert_mem_eq(own.y, y, readable * sizeof *y);
    }
    munmap(memory, 2 * page);
    anb_isa_use(before);
}
END_TEST

/* All samples of a full chunk, with targets and without. */
START_TEST(a_whole_chunk_may_be_one_threads)
{
    enum { N = ANB_OWN_CHUNK };
    AnbIsa before = take_isa(_i);
    Calls *c = calls_new(520);
    AnbStripes stripes = {.n = 1, .each = 1, .from = (uintptr_t[]){0, UINTPTR_MAX}};
    AnbOwn own;
    for (size_t from = 0; from + N <= SAMPLES; from += CHUNK)
        for (int learn = 0; learn < 2; learn++) {
            memset(&own, 0, sizeof own);
            anb_stripes_pick(&stripes, 0,
                             &(AnbSamples){.models = c->of, .x = c->x, .y = learn ? c->y : NULL, .n = SAMPLES}, from, N,
                             &own);
            ck_assert_uint_eq(own.n, N);
            ck_assert_mem_eq(own.models, c->of + from, N * sizeof *own.models);
            ck_assert_mem_eq(own.x, c->x + from, N * sizeof *own.x);
            for (size_t i = 0; i < N; i++)
                ck_assert(own.number[i] == from + i && own.y[i] == (learn ? c->y[from + i] : 0));
        }
    calls_free(c);
    anb_isa_use(before);
}
END_TEST

/* A stripe ends where a model begins, so one that has most samples is whole, and others may be empty. */
START_TEST(a_model_that_has_most_is_whole)
{
    AnbIsa before = take_isa(_i);
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
    anb_isa_use(before);
}
END_TEST

START_TEST(what_is_missing_is_seen)
{
    const void *pointers[21];
    const void *const unlikely[] = {NULL, (const void *)~(UINTPTR_MAX >> 1), (const void *)UINTPTR_MAX}; /* NOLINT */
    AnbIsa before = take_isa(_i);
    for (size_t i = 0; i < 21; i++)
        pointers[i] = &pointers[i];
    for (size_t n = 0; n <= 21; n++) {
        ck_assert(anb_stripes_sure(pointers, n));
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < 3; k++) {
                pointers[i] = unlikely[k];
                ck_assert(!anb_stripes_sure(pointers, n));
                pointers[i] = &pointers[i];
            }
    }
    anb_isa_use(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("stripes");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, each_sample_has_one_thread, 0, ANB_ISA_COUNT);
    tcase_add_test(tests, models_in_turns_are_dealt_evenly);
    tcase_add_test(tests, few_models_are_dealt_as_evenly_as_may_be);
    tcase_add_test(tests, any_order_is_dealt);
    tcase_add_loop_test(tests, targets_of_others_are_not_read, 0, ANB_ISA_COUNT);
    tcase_add_loop_test(tests, a_whole_chunk_may_be_one_threads, 0, ANB_ISA_COUNT);
    tcase_add_loop_test(tests, a_model_that_has_most_is_whole, 0, ANB_ISA_COUNT);
    tcase_add_loop_test(tests, what_is_missing_is_seen, 0, ANB_ISA_COUNT);
    return suite;
}

CHECK_MAIN(suite)
