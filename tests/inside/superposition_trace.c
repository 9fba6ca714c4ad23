/* Random matrices, some rows zero, and all that the analysis says of them, for superposition_oracle.py. */
#include "../numbers.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>

enum { E = 3, N = 12, H = 5 };

static void put(const char *name, const double *value, size_t n)
{
    printf("%s", name);
    for (size_t i = 0; i < n; i++)
        printf(" %.17g", value[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    static double w[E][N][H + 2], presence[N], usage[E], out[N];
    uint64_t seed = argc > 1 ? (uint64_t)atoi(argv[1]) : 1;
    double scale = argc > 2 ? atof(argv[2]) : 1;
    AnbMatrix m[E];
    for (int e = 0; e < E; e++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < H; j++)
                w[e][i][j] = i == 2 + e || i == 7 ? 0 : scale * noise(&seed);
        m[e] = (AnbMatrix){N, H, H + 2, w[e][0]};
        usage[e] = 0.5 + noise(&seed);
    }
    for (int i = 0; i < N; i++)
        presence[i] = 0.5 + noise(&seed);
    AnbSuperposition *s = anb_superposition_new(E, m, NULL);
    if (!s)
        return EXIT_FAILURE;
    printf("shape %d %d %d\n", E, N, H);
    put("usage", usage, E);
    put("presence", presence, N);
    for (size_t e = 0; e < E; e++) {
        for (int i = 0; i < N; i++)
            put("w", w[e][i], H);
        put("norm", anb_superposition_norms(s, e), N);
        put("dimensionality", anb_superposition_dimensionality(s, e), N);
        put("specialization", anb_superposition_specialization(s, e), N);
        put("polysemanticity", anb_superposition_polysemanticity(s, e), N);
        put("interference", anb_superposition_interference(s, e), N * N);
        put("gram", anb_superposition_gram(s, e), N * N);
        anb_superposition_net_interference(s, e, presence, out);
        put("net", out, N);
        size_t feature[4], n = anb_superposition_monosemantic(s, e, feature, 4);
        for (size_t i = 0; i < n; i++)
            out[i] = (double)feature[i];
        put("monosemantic", out, n);
    }
    anb_superposition_global_by_usage(s, usage, out);
    put("global_by_usage", out, N);
    anb_superposition_global(s, out);
    put("global", out, N);
    printf("represented %zu\n", anb_superposition_represented(out, N));
    anb_superposition_free(s);
    return EXIT_SUCCESS;
}
