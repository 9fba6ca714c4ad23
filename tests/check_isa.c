/* Every registered type and router learns the same, bit by bit, on every instruction set that this CPU has. */
#include "isa_here.h"
#include "made.h"
#include "numbers.h"
#include "src/simd/isa.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 11, SAMPLES = 600 };

static uint64_t hash_of_run(const char *expression)
{
    StreamingLearner *model = made(D, expression);
    uint64_t seed = 5, hash = 14695981039346656037u;
    for (int t = 0; t < SAMPLES; t++) {
        double x[D], y = 2;
        for (size_t j = 0; j < D; j++) {
            x[j] = uniform_of(&seed) * (double)(j + 1);
            y += j % 2 ? x[j] : x[j] * x[j] / 10;
        }
        double f = anb_train_one(model, x, y + uniform_of(&seed), 1);
        hash = hash_of(hash, &f, sizeof f);
    }
    anb_free(model);
    return hash;
}

static void compare(const char *expression)
{
    AnbIsa before = anb_isa_in_use();
    anb_isa_use(ANB_ISA_BASELINE);
    uint64_t wanted = hash_of_run(expression);
    for (int isa = ANB_ISA_BASELINE + 1; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            ck_assert_msg(hash_of_run(expression) == wanted, "%s on %s", expression, anb_isa_name((AnbIsa)isa));
    anb_isa_use(before);
}

START_TEST(every_learner)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        compare((*type)->example);
}
END_TEST

START_TEST(every_router)
{
    for (const AnbRouterType *const *router = anb_router_types(); *router; router++) {
        char text[512];
        snprintf(text, sizeof text, "scale(moe(linear, rls(lambda=0.99), mean, last, rls(walk=0.1), router=%s))",
                 (*router)->type.example);
        compare(text);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("isa");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, every_learner);
    tcase_add_test(tests, every_router);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
