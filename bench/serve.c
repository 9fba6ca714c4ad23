/*
 * What a server adds to a model: ns a sample and a prediction with and without one, in turn, the least of many repeats.
 *
 *     serve [EXPRESSION ...]
 *
 * A server learns each sample on both of its copies, so twice the time of the model alone is what it costs at least; a
 * reader's prediction is the model's and two ordered stores.
 */
#include "harness.h"
#include <anabranch/anabranch.h>

enum { D = 8, REPEATS = 40, INTERVAL = 64 };

typedef struct Subject {
    StreamingLearner *model;
    AnbReader *reader;
    AnbServer *server;
    AnbServeReader *served;
    double x[D], sum;
    size_t t;
} Subject;

static const double *next(Subject *s)
{
    s->t++;
    for (size_t j = 0; j < D; j++)
        s->x[j] = (double)((s->t * (2 * j + 3)) % 101) / 101;
    return s->x;
}

static void predict(void *context, size_t count)
{
    Subject *s = context;
    while (count--)
        s->sum += anb_predict_with(s->model, s->reader, next(s));
}

static void predict_served(void *context, size_t count)
{
    Subject *s = context;
    while (count--)
        s->sum += anb_serve_predict(s->served, next(s));
}

static void train(void *context, size_t count)
{
    Subject *s = context;
    while (count--)
        s->sum += anb_train_one(s->model, next(s), s->x[0] - s->x[1], 1);
}

static void train_served(void *context, size_t count)
{
    Subject *s = context;
    while (count--)
        s->sum += anb_serve_train(s->server, next(s), s->x[0] - s->x[1], 1);
}

static int measure(const char *expression)
{
    AnbError error = {0};
    Subject s = {.model = anb_parse(D, expression, NULL, &error)};
    if (!s.model) {
        fprintf(stderr, "%s: %s\n", expression, error.message);
        return 2;
    }
    s.server = anb_serve_new(s.model, INTERVAL, NULL);
    s.served = anb_serve_reader_new(s.server, NULL);
    s.reader = anb_reader_new(s.model, NULL);
    BenchItem items[] = {
        {predict, &s, 0, 0, 0}, {predict_served, &s, 0, 0, 0}, {train, &s, 0, 0, 0}, {train_served, &s, 0, 0, 0}};
    bench_all(items, 4, REPEATS, 1e6, -1);
    printf("%9.1f %9.1f %7.2f %9.1f %9.1f %7.2f  %s\n", items[0].best, items[1].best, items[1].best / items[0].best,
           items[2].best, items[3].best, items[3].best / items[2].best, expression);
    anb_reader_free(s.reader);
    anb_serve_reader_free(s.served);
    anb_serve_free(s.server);
    anb_free(s.model);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"linear", "scale(rls)", "scale(moe(linear, linear, rls, mean))",
                                        "interval(scale(rls))"};
    int status = 0;
    printf("%9s %9s %7s %9s %9s %7s\n", "predict", "served", "ratio", "train", "served", "ratio");
    for (int i = 1; i < argc; i++)
        status |= measure(argv[i]);
    for (size_t i = 0; argc == 1 && i < sizeof usual / sizeof *usual; i++)
        status |= measure(usual[i]);
    return status;
}
