/* Dense layers and Adam against plain loops, bit by bit, on every instruction set. */
#include "numbers.h"
#include "parts/layers.h"
#include "suite.h"
#include <math.h>
#include <string.h>

enum { INPUTS = 13, STRIDE = 72, SAMPLES = 9 };

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

static void gradient_body(size_t inputs, size_t units, size_t samples)
{
    double x[SAMPLES * INPUTS], delta[SAMPLES * STRIDE], g[INPUTS * STRIDE], model[INPUTS * STRIDE];
    fill(x, SAMPLES * INPUTS);
    fill(delta, SAMPLES * STRIDE);
    fill(g, INPUTS * STRIDE);
    memcpy(model, g, sizeof g);
    for (size_t j = 0; j < inputs; j++)
        for (size_t u = 0; u < units; u++) {
            double sum = 0;
            for (size_t s = 0; s < samples; s++)
                sum += x[s * INPUTS + j] * delta[s * STRIDE + u];
            model[j * STRIDE + u] = sum;
        }
    anb_layer_gradient(x, INPUTS, delta, STRIDE, samples, inputs, units, g, STRIDE);
    ck_assert_mem_eq(g, model, sizeof g);
}

static void adam_body(size_t n)
{
    double p[STRIDE], m[STRIDE] = {0}, v[STRIDE] = {0}, g[STRIDE], mp[STRIDE], mm[STRIDE] = {0}, mv[STRIDE] = {0};
    fill(p, STRIDE);
    memcpy(mp, p, sizeof p);
    for (int t = 1; t < 6; t++) {
        AnbAdam how = {.pace = 0.01 * t, .first = 0.9, .second = 0.999, .epsilon = 1e-8};
        fill(g, STRIDE);
        g[1] = 0;
        ck_assert(anb_adam(p, m, v, g, n, &how) == 0);
        for (size_t i = 0; i < n; i++) {
            mm[i] = 0.9 * mm[i] + (1 - 0.9) * g[i];
            mv[i] = fmax(1e-280, 0.999 * mv[i] + (1 - 0.999) * (g[i] * g[i]));
            mp[i] -= how.pace * mm[i] / (sqrt(mv[i]) + 1e-8);
        }
        ck_assert_mem_eq(p, mp, sizeof p);
        ck_assert_mem_eq(m, mm, sizeof m);
        ck_assert_mem_eq(v, mv, sizeof v);
    }
    if (n > 0) {
        g[n - 1] = INFINITY;
        ck_assert(!(anb_adam(p, m, v, g, n, &(AnbAdam){1, 0.9, 0.999, 1e-8}) == 0));
    }
}

START_TEST(plain_loops_say_the_same)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        for (size_t units = 0; units <= 64; units += units < 20 ? 1 : 11)
            for (size_t inputs = 0; inputs <= INPUTS; inputs++) {
                forward_body(inputs, units);
                gradient_body(inputs, units, inputs % (SAMPLES + 1));
            }
        for (size_t n = 0; n <= 40; n++)
            adam_body(n);
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
