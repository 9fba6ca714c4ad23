/*
 * Superposition in a mixture of toy networks, trained from scratch, then analysed by <anabranch/superposition.h>.
 *
 *     example_superposition [FOLDER [SEED [STEPS]]]
 *
 * Ten experts share 100 sparse features. Each has 10 hidden units and rebuilds the features it is shown:
 *
 *     h = W' x     out = relu(W h + b)     loss = sum_i importance_i (out_i - x_i)^2, importance_i = 0.9^rank_i
 *
 * A held gate sends a sample to the expert with the largest sum over ten features of its own. Adam, batches of 1,024.
 * Written to FOLDER (the current one unless told): superposition.csv (the loss), superposition.json (figures of every
 * expert) and superposition.svg (row norms coloured by polysemanticity, and W W' of every expert).
 */
#include <anabranch/superposition.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPERTS = 10, FEATURES = 100, HIDDEN = 10, BATCH = 1024, PRESENT = 10, EVERY = 100 };

/* One expert's parameters side by side, so that Adam sees one array: W, then b. */
typedef struct Expert {
    double w[FEATURES][HIDDEN], b[FEATURES];
} Expert;
enum { PARAMETERS = sizeof(Expert) / sizeof(double) };

typedef struct Toy {
    Expert expert[EXPERTS], gradient[EXPERTS], mean[EXPERTS], square[EXPERTS];
    double importance[FEATURES];
    int ranked[FEATURES]; /* features by falling importance */
    int owner[FEATURES];  /* the expert whose gate row has a 1 there */
    double x[FEATURES];
    int present[FEATURES], n_present;
    long used[EXPERTS], seen;
    unsigned long long random;
} Toy;

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

static double uniform(Toy *t)
{
    unsigned long long z = t->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double normal(Toy *t)
{
    double radius = sqrt(-2 * log(1 - uniform(t)));
    return radius * cos(6.283185307179586 * uniform(t));
}

static void shuffle(Toy *t, int *items, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)(uniform(t) * (i + 1)), held = items[i];
        items[i] = items[j];
        items[j] = held;
    }
}

/* ---- the toy model ----------------------------------------------------------------------------------------------- */

static void start(Toy *t, unsigned long long seed)
{
    int order[FEATURES];
    memset(t, 0, sizeof *t);
    t->random = seed;
    for (int i = 0; i < FEATURES; i++)
        order[i] = i;
    shuffle(t, order, FEATURES);
    for (int i = 0; i < FEATURES; i++)
        t->importance[t->ranked[i] = order[i]] = pow(0.9, i);
    shuffle(t, order, FEATURES);
    for (int i = 0; i < FEATURES; i++)
        t->owner[order[i]] = i / PRESENT;
    for (int e = 0; e < EXPERTS; e++)
        for (int i = 0; i < FEATURES; i++)
            for (int k = 0; k < HIDDEN; k++)
                t->expert[e].w[i][k] = 0.04 * normal(t);
}

static int draw(Toy *t)
{
    double score[EXPERTS] = {0};
    int first = 0;
    t->n_present = 0;
    for (int i = 0; i < FEATURES; i++) {
        t->x[i] = uniform(t) < 0.1 ? uniform(t) : 0;
        if (t->x[i] > 0)
            t->present[t->n_present++] = i;
        score[t->owner[i]] += t->x[i];
    }
    for (int e = 1; e < EXPERTS; e++)
        if (score[e] > score[first])
            first = e;
    return first;
}

/* One sample through its expert and back: the loss, and its gradient added. */
static double learn(Toy *t, int chosen)
{
    const Expert *e = &t->expert[chosen];
    Expert *g = &t->gradient[chosen];
    double h[HIDDEN] = {0}, by_h[HIDDEN] = {0}, loss = 0;
    for (int p = 0; p < t->n_present; p++)
        for (int k = 0; k < HIDDEN; k++)
            h[k] += e->w[t->present[p]][k] * t->x[t->present[p]];
    for (int i = 0; i < FEATURES; i++) {
        double z = e->b[i];
        for (int k = 0; k < HIDDEN; k++)
            z += e->w[i][k] * h[k];
        double off = (z > 0 ? z : 0) - t->x[i];
        loss += t->importance[i] * off * off;
        if (z <= 0)
            continue;
        double by_z = 2 * t->importance[i] * off / BATCH;
        g->b[i] += by_z;
        for (int k = 0; k < HIDDEN; k++) {
            g->w[i][k] += by_z * h[k];
            by_h[k] += by_z * e->w[i][k];
        }
    }
    for (int p = 0; p < t->n_present; p++)
        for (int k = 0; k < HIDDEN; k++)
            g->w[t->present[p]][k] += by_h[k] * t->x[t->present[p]];
    return loss;
}

static void adam(Toy *t, int step)
{
    double *value = t->expert[0].w[0], *gradient = t->gradient[0].w[0], *mean = t->mean[0].w[0];
    double *square = t->square[0].w[0], by_mean = 1 / (1 - pow(0.9, step)), by_square = 1 / (1 - pow(0.999, step));
    for (int i = 0; i < EXPERTS * (int)PARAMETERS; i++) {
        mean[i] += 0.1 * (gradient[i] - mean[i]);
        square[i] += 0.001 * (gradient[i] * gradient[i] - square[i]);
        value[i] -= 0.001 * mean[i] * by_mean / (sqrt(square[i] * by_square) + 1e-8);
        gradient[i] = 0;
    }
}

static double train_batch(Toy *t, int step)
{
    double loss = 0;
    for (int i = 0; i < BATCH; i++) {
        int chosen = draw(t);
        t->used[chosen]++;
        t->seen++;
        loss += learn(t, chosen);
    }
    adam(t, step);
    return loss / BATCH;
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static FILE *create(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        perror(path);
    return file;
}

static void write_array(FILE *file, const char *name, const double *value, int n, const char *end)
{
    fprintf(file, "\"%s\":[", name);
    for (int i = 0; i < n; i++)
        fprintf(file, "%s%.6g", i ? "," : "", value[i]);
    fprintf(file, "]%s", end);
}

static void write_json(FILE *file, const AnbSuperposition *s, const double *usage, double first, double last)
{
    double by_usage[FEATURES], by_share[FEATURES];
    anb_superposition_global_by_usage(s, usage, by_usage);
    anb_superposition_global(s, by_share);
    fprintf(file, "{\"loss_first\":%.6g,\"loss_last\":%.6g,\"represented_by_usage\":%zu,\"represented\":%zu,\n", first,
            last, anb_superposition_represented(by_usage, FEATURES), anb_superposition_represented(by_share, FEATURES));
    write_array(file, "usage", usage, EXPERTS, ",\n");
    write_array(file, "global_by_usage", by_usage, FEATURES, ",\n");
    write_array(file, "global", by_share, FEATURES, ",\n\"experts\":[");
    for (size_t e = 0; e < EXPERTS; e++) {
        fprintf(file, "%s{", e ? ",\n" : "\n");
        write_array(file, "norm", anb_superposition_norms(s, e), FEATURES, ",");
        write_array(file, "dimensionality", anb_superposition_dimensionality(s, e), FEATURES, ",");
        write_array(file, "specialization", anb_superposition_specialization(s, e), FEATURES, ",");
        write_array(file, "polysemanticity", anb_superposition_polysemanticity(s, e), FEATURES, "}");
    }
    fprintf(file, "]}\n");
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

enum { CELL = 2, PANEL = FEATURES * CELL, BARS = 70, STEP_X = PANEL + 24, STEP_Y = BARS + PANEL + 46 };

/* From yellow (a feature alone) over red (one that shares its direction) to violet (one lost among many). */
static void hue(double v, char *out)
{
    double a = v < 0.5 ? 2 * v : 1, b = v < 0.5 ? 0 : 2 * v - 1;
    sprintf(out, "#%02x%02x%02x", (int)(240 - 145 * b), (int)(190 - 120 * a - 45 * b), (int)(60 + 30 * a + 40 * b));
}

static void draw_bars(FILE *svg, const AnbSuperposition *s, size_t e, const int *ranked, double tallest)
{
    const double *norm = anb_superposition_norms(s, e), *mixed = anb_superposition_polysemanticity(s, e);
    char colour[16];
    for (int i = 0; i < FEATURES; i++) {
        double length = norm[ranked[i]], with = mixed[ranked[i]], height = BARS * length / tallest;
        hue(fmin(1, 1.25 * with / (with + length + 1e-9)), colour);
        fprintf(svg, "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"/>\n", i * CELL, BARS - height,
                CELL, height, colour);
    }
}

static void draw_gram(FILE *svg, const AnbSuperposition *s, size_t e, const int *ranked)
{
    const double *gram = anb_superposition_gram(s, e);
    fprintf(svg, "<rect y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#f4f4f2\"/>\n", BARS + 6, PANEL, PANEL);
    for (int i = 0; i < FEATURES; i++)
        for (int j = 0; j < FEATURES; j++) {
            double v = gram[ranked[i] * FEATURES + ranked[j]];
            if (fabs(v) < 0.03)
                continue;
            fprintf(svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" opacity=\"%.2f\"/>\n",
                    j * CELL, BARS + 6 + i * CELL, CELL, CELL, v > 0 ? "#1f6f8b" : "#c8553d", fmin(1, fabs(v)));
        }
}

static void write_svg(FILE *svg, const AnbSuperposition *s, const int *ranked, const double *usage)
{
    double tallest = 1e-9;
    for (size_t e = 0; e < EXPERTS; e++)
        for (int i = 0; i < FEATURES; i++)
            tallest = fmax(tallest, anb_superposition_norms(s, e)[i]);
    fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-16 -40 %d %d\" font-family=\"sans-serif\">\n",
            5 * STEP_X + 16, 2 * STEP_Y + 40);
    fprintf(svg, "<rect x=\"-16\" y=\"-40\" width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
    fprintf(svg,
            "<text y=\"-22\" font-size=\"13\">Features by falling importance: row norms (yellow: a direction of its "
            "own, violet: lost among others) over W W' (blue +, red -)</text>\n");
    for (size_t e = 0; e < EXPERTS; e++) {
        fprintf(svg, "<g transform=\"translate(%d,%d)\">\n", (int)(e % 5) * STEP_X, (int)(e / 5) * STEP_Y);
        fprintf(svg, "<text y=\"-3\" font-size=\"11\" fill=\"#555\">expert %zu, usage %.3f</text>\n", e, usage[e]);
        draw_bars(svg, s, e, ranked, tallest);
        draw_gram(svg, s, e, ranked);
        fprintf(svg, "</g>\n");
    }
    fprintf(svg, "</svg>\n");
}

static int write_all(const Toy *t, const char *folder, double first, double last)
{
    AnbMatrix w[EXPERTS];
    double usage[EXPERTS];
    for (int e = 0; e < EXPERTS; e++) {
        w[e] = (AnbMatrix){FEATURES, HIDDEN, HIDDEN, t->expert[e].w[0]};
        usage[e] = (double)t->used[e] / (double)t->seen;
        printf("expert %d: usage %.3f\n", e, usage[e]);
    }
    AnbSuperposition *s = anb_superposition_new(EXPERTS, w, NULL);
    FILE *json = s ? create(folder, "superposition.json") : NULL, *svg = s ? create(folder, "superposition.svg") : NULL;
    if (json)
        write_json(json, s, usage, first, last);
    if (svg)
        write_svg(svg, s, t->ranked, usage);
    int failed = !json || !svg || fclose(json) || fclose(svg);
    anb_superposition_free(s);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static Toy toy;
    const char *folder = argc > 1 ? argv[1] : ".";
    int steps = argc > 3 ? atoi(argv[3]) : 10000, tail = steps < 1000 ? steps : 1000;
    double first = 0, sum = 0, last = 0;
    FILE *csv = create(folder, "superposition.csv");
    if (!csv)
        return EXIT_FAILURE;
    start(&toy, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
    fprintf(csv, "step,loss\n");
    for (int step = 1; step <= steps; step++) {
        double loss = train_batch(&toy, step);
        first = step == 1 ? loss : first;
        last += step > steps - tail ? loss / tail : 0;
        sum += loss;
        if (step % EVERY == 0) {
            fprintf(csv, "%d,%.6g\n", step, sum / EVERY);
            sum = 0;
        }
    }
    if (fclose(csv))
        return EXIT_FAILURE;
    printf("loss: %.4f at the start, %.4f over the last %d of %d steps\n", first, last, tail, steps);
    return write_all(&toy, folder, first, last);
}
