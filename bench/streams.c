#include "streams.h"
#include <anabranch/number.h>
#include <anabranch/type.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

void stream_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path, *dot = strrchr(from, '.');
    snprintf(name, size, "%.*s", dot ? (int)(dot - from) : (int)strlen(from), from);
}

static size_t columns_of(const char *line)
{
    size_t n = 1;
    for (; *line; line++)
        n += *line == ',';
    return n;
}

/* One cell: NaN where it is empty or no number. Returns where the next one starts. */
static const char *cell(const char *at, double *value)
{
    size_t length = strcspn(at, ",\r\n");
    if (anb_number_parse(at, length, value) != (int)length || length == 0)
        *value = ANB_NAN;
    return at + length + (at[length] == ',');
}

static bool room(Stream *stream, size_t *capacity)
{
    if (stream->rows < *capacity)
        return true;
    *capacity = *capacity ? 2 * *capacity : 1024;
    double *x = realloc(stream->x, *capacity * stream->d * sizeof *x);
    stream->x = x ? x : stream->x;
    double *y = realloc(stream->y, *capacity * sizeof *y);
    stream->y = y ? y : stream->y;
    return x && y;
}

static bool read_rows(FILE *file, size_t limit, Stream *stream)
{
    char *line = NULL;
    size_t size = 0, capacity = 0;
    bool fine = getline(&line, &size, file) > 0;
    size_t columns = fine ? columns_of(line) : 0;
    stream->d = columns ? columns - 1 : 0;
    fine = stream->d > 0;
    while (fine && (limit == 0 || stream->rows < limit) && getline(&line, &size, file) > 0) {
        fine = columns_of(line) == columns && room(stream, &capacity);
        const char *at = line;
        for (size_t j = 0; j < stream->d && fine; j++)
            at = cell(at, &stream->x[stream->rows * stream->d + j]);
        if (fine) {
            cell(at, &stream->y[stream->rows]);
            stream->rows += stream->y[stream->rows] - stream->y[stream->rows] == 0;
        }
    }
    free(line);
    return fine && stream->rows > 0;
}

bool stream_read(const char *path, size_t limit, Stream *stream)
{
    memset(stream, 0, sizeof *stream);
    stream_name(path, stream->name, sizeof stream->name);
    FILE *file = fopen(path, "r");
    bool fine = file && read_rows(file, limit, stream);
    if (file)
        fclose(file);
    if (!fine) {
        fprintf(stderr, "%s: not a table of numbers with a header\n", path);
        stream_free(stream);
    }
    return fine;
}

void stream_free(Stream *stream)
{
    free(stream->x);
    free(stream->y);
    stream->x = stream->y = NULL;
    stream->rows = 0;
}

static bool wanted(const Folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->n_only; i++)
        if (strcmp(folder->only[i], name) == 0)
            return true;
    return folder->n_only == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool folder_read(Folder *folder, const char *path)
{
    DIR *open = opendir(path);
    struct dirent *entry;
    while (open && (entry = readdir(open)) && folder->n < STREAMS_MAX) {
        char name[64];
        const char *dot = strrchr(entry->d_name, '.');
        stream_name(entry->d_name, name, sizeof name);
        if (dot && strcmp(dot, ".csv") == 0 && wanted(folder, name))
            snprintf(folder->paths[folder->n++], PATH_MOST, "%s/%s", path, entry->d_name);
    }
    if (open)
        closedir(open);
    qsort(folder->paths, folder->n, PATH_MOST, by_name);
    for (size_t i = 0; i < folder->n; i++)
        stream_name(folder->paths[i], folder->names[i], sizeof folder->names[i]);
    if (folder->n == 0)
        fprintf(stderr, "%s: no CSV files here\n", path);
    return folder->n > 0;
}

/* Columns: stream, learner, kind, n, mae, rmse, ... */
bool peer_best(const char *path, const char *stream, Peer *peer)
{
    char line[1024], name[64], learner[64], kind[32];
    bool found = false;
    FILE *file = path ? fopen(path, "r") : NULL;
    while (file && fgets(line, sizeof line, file)) {
        double n, mae, rmse;
        const char *at = line;
        if (sscanf(line, "%63[^\t]\t%63[^\t]\t%31[^\t]\t", name, learner, kind) != 3 || strcmp(name, stream) != 0 ||
            strcmp(kind, "online") != 0)
            continue;
        for (int tabs = 0; tabs < 3 && at; tabs++)
            at = strchr(at, '\t') ? strchr(at, '\t') + 1 : NULL;
        if (!at || sscanf(at, "%lf\t%lf\t%lf", &n, &mae, &rmse) != 3 || (found && rmse >= peer->rmse))
            continue;
        snprintf(peer->learner, sizeof peer->learner, "%s", learner);
        peer->rmse = rmse;
        peer->n = (size_t)n;
        found = true;
    }
    if (file)
        fclose(file);
    return found;
}
