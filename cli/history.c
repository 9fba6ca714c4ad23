#define _GNU_SOURCE
#include "history.h"
#include "cli.h"
#include <stdlib.h>

static void thin_out(History *h)
{
    for (size_t i = 0; i < h->n; i += 2)
        free(h->line[i]);
    for (size_t i = 1; i < h->n; i += 2)
        h->line[i / 2] = h->line[i];
    h->n /= 2;
    h->every *= 2;
}

void history_sample(History *h, AnbDiagnostics *d)
{
    char *line = NULL;
    size_t size = 0;
    h->every = h->every ? h->every : 1;
    if (++h->seen % h->every)
        return;
    if (h->n == HISTORY_MAX)
        thin_out(h);
    FILE *file = open_memstream(&line, &size);
    if (!file)
        return;
    anb_diagnostics_json(d, NULL, false, write_to_file, file);
    if (fclose(file) == 0 && line)
        h->line[h->n++] = line;
    else
        free(line);
}

void history_write(const History *h, FILE *out)
{
    for (size_t i = 0; i < h->n; i++)
        fputs(h->line[i], out);
}

void history_free(History *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->line[i]);
    h->n = 0;
}
