#include "durations.h"
#include <stdint.h>
#include <string.h>

static const char *const paths[PATHS] = {"/predict", "/learn", "/label", "/", "/metrics", "/healthz"};
/* Three a decade, from what a small prediction takes to what a client waits for. */
static const double bounds[BOUNDS] = {1e-4, 2.5e-4, 5e-4, .001, .0025, .005, .01, .025,
                                      .05,  .1,     .25,  .5,   1,     2.5,  5,   10};

void durations_add(Durations *d, const char *path, double seconds)
{
    size_t i = 0, j = 0;
    while (i < PATHS && strcmp(path, paths[i]) != 0)
        i++;
    if (i == PATHS)
        return;
    while (j < BOUNDS && seconds > bounds[j])
        j++;
    atomic_fetch_add_explicit(&d->count[i][j], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&d->nanoseconds[i], (uint64_t)(seconds * 1e9), memory_order_relaxed);
}

static void write_path(const Durations *d, size_t i, FILE *out)
{
    static const char name[] = "anabranch_request_duration_seconds";
    unsigned long long so_far = 0;
    for (size_t j = 0; j <= BOUNDS; j++) {
        so_far += d->count[i][j];
        if (j < BOUNDS)
            fprintf(out, "%s_bucket{path=\"%s\",le=\"%g\"} %llu\n", name, paths[i], bounds[j], so_far);
    }
    fprintf(out, "%s_bucket{path=\"%s\",le=\"+Inf\"} %llu\n", name, paths[i], so_far);
    fprintf(out, "%s_sum{path=\"%s\"} %.9f\n%s_count{path=\"%s\"} %llu\n", name, paths[i],
            (double)d->nanoseconds[i] / 1e9, name, paths[i], so_far);
}

void durations_write(const Durations *d, FILE *out)
{
    fputs("# HELP anabranch_request_duration_seconds from a request's last byte to its answer\n"
          "# TYPE anabranch_request_duration_seconds histogram\n",
          out);
    for (size_t i = 0; i < PATHS; i++)
        write_path(d, i, out);
}
