#define _GNU_SOURCE
#include "records.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>

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
        return complain(BAD_DATA, "%s: record %llu is not one of eval --diag", path, (unsigned long long)all->lines);
    all->n++;
    return 0;
}

/* The last record, whatever the stride. */
static int read_last(Records *all, const char *line, size_t size, const char *path)
{
    if (!line || !record_read(&all->last, line, size))
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

int records_read(Records *all, FILE *file, const char *name)
{
    char *line = NULL, *last = NULL;
    size_t room = 0, last_room = 0, last_size = 0;
    ssize_t size;
    int status = 0;
    all->stride = 1;
    while (!status && (size = getline(&line, &room, file)) > 0) {
        status = read_line(all, line, (size_t)size, name);
        if (memcmp(line, "{\"summary\"", size < 10 ? (size_t)size : 10) == 0)
            continue;
        char *held = last;
        size_t held_room = last_room;
        last = line, last_room = room, last_size = (size_t)size;
        line = held, room = held_room;
    }
    status = status ? status : read_last(all, last, last_size, name);
    free(line);
    free(last);
    return status;
}

void records_free(Records *all)
{
    for (size_t i = 0; i < all->n; i++)
        record_free(&all->point[i]);
    record_free(&all->last);
    record_free(&all->summary);
}
