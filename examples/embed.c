/* The library in twenty lines: a mixture learns y = 3 a - b from a stream, then predicts. */
#include <anabranch/anabranch.h>
#include <stdio.h>

int main(void)
{
    const AnbExpert experts[] = {{.type = &anb_linear}, {.type = &anb_rls, .warmup = 20}};
    AnbError error;
    StreamingLearner *model = anb_moe_new(2, experts, 2, &error);
    if (!model)
        return fprintf(stderr, "embed: %s\n", error.message), 1;
    for (int i = 0; i < 5000; i++) {
        double x[2] = {i % 7 / 7.0, i % 11 / 11.0};
        anb_train_one(model, x, 3 * x[0] - x[1], 1);
    }
    double x[2] = {.5, .25};
    printf("at (0.5, 0.25): %.3f, and it should be 1.250\n", anb_predict(model, x));
    anb_free(model);
    return 0;
}
