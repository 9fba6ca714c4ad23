#define _GNU_SOURCE
#include "records.h"
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void thin_out(Records *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (i % 2 == 0)
            record_free(&all->point[i]);
    for (size_t i = 1; i < all->n; i += 2)
        all->point[i / 2] = all->point[i];
    all->n /= 2;
    memset(all->point + all->n, 0, (RECORDS_KEPT - all->n) * sizeof *all->point);
    all->stride *= 2;
}

static int read_line(Records *all, const char *line, size_t size, const char *path)
{
    if (size > 10 && memcmp(line, "{\"summary\"", 10) == 0)
        return record_read(&all->summary, line, size) ? 0
                                                      : complain(BAD_DATA, "%s: a summary that cannot be read", path);
    if (++all->lines % all->stride)
        return 0;
    if (all->n == RECORDS_KEPT)
        thin_out(all);
    if (all->lines % all->stride)
        return 0;
    if (!record_read(&all->point[all->n], line, size) || !record_field(&all->point[all->n], "samples"))
        return complain(BAD_DATA, "%s: record %llu is not one of eval --diag%s", path, (unsigned long long)all->lines,
                        *line == '{' ? "" : ", which writes JSON Lines to a file whose name does not end in .csv");
    all->n++;
    return 0;
}

/* The last record, whatever the stride. */
static int read_last(Records *all, const char *line, size_t size, const char *path)
{
    if (!line)
        return complain(BAD_DATA, "%s: no record; `anabranch eval --diag FILE.jsonl` writes them", path);
    if (!record_read(&all->last, line, size))
        return complain(BAD_DATA, "%s: no record that can be read", path);
    if (all->n == 0 || record_number(&all->point[all->n - 1], "samples", 0) < record_number(&all->last, "samples", 0)) {
        if (all->n == RECORDS_KEPT)
            thin_out(all);
        if (!record_copy(&all->point[all->n], &all->last))
            return complain(BAD_DATA, "out of memory");
        all->n++;
    }
    return 0;
}

enum { LINES = RECORDS_TAIL + 1 };

/* The last lines as they came, and the one that is being read. */
typedef struct Tail {
    char *line[LINES];
    size_t room[LINES], size[LINES];
    uint64_t n; /* lines so far */
} Tail;

static int read_tail(Records *all, const Tail *tail, const char *name)
{
    uint64_t n = tail->n < RECORDS_TAIL ? tail->n : RECORDS_TAIL;
    for (uint64_t i = tail->n - n; i < tail->n; i++) {
        size_t at = i % LINES;
        if (!record_read(&all->tail[all->n_tail], tail->line[at], tail->size[at]))
            return complain(BAD_DATA, "%s: no record that can be read", name);
        all->n_tail++;
    }
    size_t at = (tail->n - 1) % LINES;
    return read_last(all, n > 0 ? tail->line[at] : NULL, n > 0 ? tail->size[at] : 0, name);
}

int records_open(FILE **file, const char *path)
{
    struct stat about;
    *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (*file && (fstat(fileno(*file), &about) || !S_ISDIR(about.st_mode)))
        return 0;
    int why = *file ? EISDIR : errno;
    if (*file && *file != stdin)
        fclose(*file);
    return complain(BAD_USE, "cannot open %s: %s", path, strerror(why));
}

/* A run that was killed may end within a line. */
static bool is_cut(const char *line, size_t size, const char *name)
{
    Record record = {0};
    bool cut = *line == '{' && line[size - 1] != '\n' && !record_read(&record, line, size);
    record_free(&record);
    if (cut)
        complain(0, "%s: the last record is incomplete and left out", name);
    return cut;
}

int records_read(Records *all, FILE *file, const char *name)
{
    Tail *tail = calloc(1, sizeof *tail);
    ssize_t size;
    int status = tail ? 0 : complain(BAD_DATA, "out of memory");
    all->stride = 1;
    while (!status) {
        size_t at = tail->n % LINES;
        size = getline(&tail->line[at], &tail->room[at], file);
        if (size <= 0 || is_cut(tail->line[at], (size_t)size, name))
            break;
        tail->size[at] = (size_t)size;
        status = read_line(all, tail->line[at], (size_t)size, name);
        tail->n += memcmp(tail->line[at], "{\"summary\"", size < 10 ? (size_t)size : 10) != 0;
    }
    status = status ? status : read_tail(all, tail, name);
    for (size_t i = 0; tail && i < LINES; i++)
        free(tail->line[i]);
    free(tail);
    return status;
}

/* Those that were refused halfway lie behind the last one. */
void records_free(Records *all)
{
    for (size_t i = 0; i < RECORDS_KEPT; i++)
        record_free(&all->point[i]);
    for (size_t i = 0; i < RECORDS_TAIL; i++)
        record_free(&all->tail[i]);
    record_free(&all->last);
    record_free(&all->summary);
}
