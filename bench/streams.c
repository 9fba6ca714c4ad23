#include "streams.h"
#include <anabranch/number.h>
#include <anabranch/type.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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

/* One cell: NaN where it is empty, na or nan. False where it is something else that is no number; *at goes to the next
 * one else. */
static bool cell(const char **at, double *value)
{
    size_t length = strcspn(*at, ",\r\n");
    bool missing = length == 0 || (length == 2 && strncasecmp(*at, "na", 2) == 0) ||
                   (length == 3 && strncasecmp(*at, "nan", 3) == 0);
    *value = ANB_NAN;
    if (!missing && anb_number_parse_all(*at, length, value) != 0)
        return false;
    *at += length + ((*at)[length] == ',');
    return true;
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

/* A line as the next row, which counts where it has a target. False, with a message on stderr, where it is none. */
static bool read_row(const char *path, size_t number, const char *line, size_t *capacity, Stream *stream)
{
    size_t columns = columns_of(line), wanted = stream->d + 1;
    if (columns != wanted) {
        fprintf(stderr, "%s, line %zu: %zu cells, and the header has %zu\n", path, number, columns, wanted);
        return false;
    }
    if (!room(stream, capacity)) {
        fprintf(stderr, "%s: out of memory\n", path);
        return false;
    }
    double *y = &stream->y[stream->rows];
    const char *at = line;
    for (size_t j = 0; j < wanted; j++)
        if (!cell(&at, j < stream->d ? &stream->x[stream->rows * stream->d + j] : y)) {
            fprintf(stderr, "%s, line %zu, column %zu: '%.*s' is no number\n", path, number, j + 1,
                    (int)strcspn(at, ",\r\n"), at);
            return false;
        }
    stream->rows += *y - *y == 0;
    return true;
}

static bool read_rows(const char *path, FILE *file, size_t limit, Stream *stream)
{
    char *line = NULL;
    size_t size = 0, capacity = 0, number = 1;
    stream->d = getline(&line, &size, file) > 0 ? columns_of(line) - 1 : 0;
    bool fine = stream->d > 0;
    if (!fine)
        fprintf(stderr, "%s: no header of two columns or more, with commas between\n", path);
    while (fine && (limit == 0 || stream->rows < limit) && getline(&line, &size, file) > 0)
        fine = read_row(path, ++number, line, &capacity, stream);
    free(line);
    if (fine && stream->rows == 0)
        fprintf(stderr, "%s: no row has a target\n", path);
    return fine && stream->rows > 0;
}

bool stream_read(const char *path, size_t limit, Stream *stream)
{
    memset(stream, 0, sizeof *stream);
    stream_name(path, stream->name, sizeof stream->name);
    FILE *file = fopen(path, "r");
    if (!file)
        perror(path);
    bool fine = file && read_rows(path, file, limit, stream);
    if (file)
        fclose(file);
    if (!fine)
        stream_free(stream);
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

/* Whether there are files, and each that is wanted by its name. */
static bool all_found(const Folder *folder, const char *path)
{
    bool found = folder->n > 0;
    if (folder->n == 0 && folder->n_only == 0)
        fprintf(stderr, "%s: no CSV files here\n", path);
    for (size_t i = 0; i < folder->n_only; i++) {
        size_t j = 0;
        while (j < folder->n && strcmp(folder->names[j], folder->only[i]) != 0)
            j++;
        if (j == folder->n)
            fprintf(stderr, "%s: no file %s.csv here\n", path, folder->only[i]);
        found = found && j < folder->n;
    }
    return found;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool folder_read(Folder *folder, const char *path)
{
    DIR *open = opendir(path);
    struct dirent *entry;
    while (open && (entry = readdir(open))) {
        char name[64];
        const char *dot = strrchr(entry->d_name, '.');
        stream_name(entry->d_name, name, sizeof name);
        if (!dot || strcmp(dot, ".csv") != 0 || !wanted(folder, name))
            continue;
        if (folder->n == STREAMS_MAX)
            fprintf(stderr, "%s: more than %d files; %s is left out\n", path, STREAMS_MAX, entry->d_name);
        else
            snprintf(folder->paths[folder->n++], PATH_MOST, "%s/%s", path, entry->d_name);
    }
    if (open)
        closedir(open);
    qsort(folder->paths, folder->n, PATH_MOST, by_name);
    for (size_t i = 0; i < folder->n; i++)
        stream_name(folder->paths[i], folder->names[i], sizeof folder->names[i]);
    return all_found(folder, path);
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
