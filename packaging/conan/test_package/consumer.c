/* Learns a plane, saves it, and goes on with what was saved: status 0 where all of that worked. */
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>

static int failed(const AnbError *error)
{
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

int main(void)
{
    AnbError error;
    StreamingLearner *model = anb_parse(2, "scale(rls)", NULL, &error);
    if (!model)
        return failed(&error);
    for (int i = 0; i < 1000; i++) {
        double x[] = {i % 7, i % 11}, y = 3 * x[0] - x[1];
        anb_train_one(model, x, y, 1.0);
    }
    if (anb_save(model, NULL, "plane.anb", &error))
        return failed(&error);
    StreamingLearner *again = anb_load("plane.anb", NULL, &error);
    if (!again)
        return failed(&error);
    double x[] = {2, 5}, said = anb_predict(again, x);
    printf("anabranch %s: %g at (2, 5), where the plane is 1\n", anb_version(), said);
    anb_free(again);
    anb_free(model);
    remove("plane.anb");
    return fabs(said - 1) > .01;
}
