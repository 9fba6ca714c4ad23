/* Dense layers against plain loops, bit by bit, on every instruction set. */
#include "numbers.h"
#include "src/simd/layers.h"
#include "suite.h"

enum { INPUTS = 13, STRIDE = 72 };

static uint64_t seed;

static void fill(double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = uniform_of(&seed);
}

static void forward_body(size_t inputs, size_t units)
{
    double w[INPUTS * STRIDE], bias[STRIDE], x[INPUTS], out[STRIDE + 1], model[STRIDE];
    fill(w, INPUTS * STRIDE);
    fill(bias, units);
    fill(x, inputs);
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        for (size_t u = 0; u < units; u++) {
            model[u] = with_bias ? bias[u] : 0;
            for (size_t j = 0; j < inputs; j++)
                model[u] += x[j] * w[j * STRIDE + u];
        }
        out[units] = 17;
        anb_layer_forward(w, STRIDE, with_bias ? bias : NULL, x, inputs, units, out);
        ck_assert_mem_eq(out, model, units * sizeof *out);
        ck_assert(out[units] == 17);
    }
}

START_TEST(plain_loops_say_the_same)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        for (size_t units = 0; units <= 64; units += units < 20 ? 1 : 11)
            for (size_t inputs = 0; inputs <= INPUTS; inputs++)
                forward_body(inputs, units);
    }
    anb_isa_use(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("layers");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, plain_loops_say_the_same);
    return suite;
}

CHECK_MAIN(suite)
