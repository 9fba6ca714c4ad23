/*
 * Learning in this process: a model a partition, saved with its position after so many samples. A process that ends in
 * between goes on from the last file, whose position says which samples are to be read again.
 */
#include "sink.h"
#include <anabranch/anabranch.h>
#include <anabranch/sequence.h>
#include <anabranch/snapshot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTITIONS = 1024, PATH = 512 };

typedef struct Part {
    StreamingLearner *model; /* NULL: not ours */
    int source;
    size_t unsaved;
} Part;

typedef struct FileSink {
    Sink base;
    const char *folder, *topic, *expression;
    size_t features, every;
    Part part[PARTITIONS];
} FileSink;

static int complain(const char *path, const AnbError *error)
{
    fprintf(stderr, "%s: %s\n", path, error->message);
    return -1;
}

static void path_of(const FileSink *s, int32_t partition, char *out)
{
    snprintf(out, PATH, "%s/%s-%d.anb", s->folder, s->topic, partition);
}

/* ---- position ---------------------------------------------------------------------------------------------------- */

static int open_part(FileSink *s, int32_t partition)
{
    char path[PATH], name[LAST_BYTES];
    AnbError error = {0};
    Part *part = &s->part[partition];
    path_of(s, partition, path);
    source_name(name, sizeof name, s->topic, partition);
    anb_free(part->model);
    bool there = access(path, F_OK) == 0;
    part->model = there ? anb_load(path, NULL, &error) : anb_parse(s->features, s->expression, NULL, &error);
    part->unsaved = 0;
    part->source = part->model ? anb_source_add(part->model, name, strlen(name), &error) : -1;
    return part->source < 0 ? complain(path, &error) : 0;
}

static int position(Sink *self, int32_t partition, int64_t *next)
{
    FileSink *s = (FileSink *)self;
    const AnbSource *source;
    if (partition < 0 || partition >= PARTITIONS || open_part(s, partition))
        return -1;
    anb_sources(s->part[partition].model, &source);
    uint64_t from = source[s->part[partition].source].next;
    *next = from > 0 ? (int64_t)from : -1;
    return 0;
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static int save_part(FileSink *s, int32_t partition)
{
    char path[PATH];
    AnbError error = {0};
    Part *part = &s->part[partition];
    path_of(s, partition, path);
    if (!part->model || part->unsaved == 0)
        return 0;
    part->unsaved = 0;
    return anb_save(part->model, NULL, path, &error) ? complain(path, &error) : 0;
}

static int take(Sink *self, const Sample *sample)
{
    FileSink *s = (FileSink *)self;
    Part *part = &s->part[sample->partition];
    if (!part->model)
        return -1;
    int code = sample->n == s->features + 1 ? anb_train_seq(part->model, part->source, (uint64_t)sample->offset,
                                                            sample->cell + 1, sample->cell[0], 1, NULL)
                                            : ANB_E_INPUT;
    s->base.learned += code == ANB_SEQ_LEARNED;
    s->base.repeated += code == ANB_SEQ_REPEATED;
    s->base.refused += code < 0;
    part->unsaved += code == ANB_SEQ_LEARNED;
    return part->unsaved >= s->every ? save_part(s, sample->partition) : 0;
}

static int settle(Sink *self)
{
    (void)self; /* what is not in a file yet is read again after a crash */
    return 0;
}

static void release(Sink *self, int32_t partition)
{
    FileSink *s = (FileSink *)self;
    save_part(s, partition);
    anb_free(s->part[partition].model);
    s->part[partition].model = NULL;
}

static void free_sink(Sink *self)
{
    FileSink *s = (FileSink *)self;
    for (int32_t i = 0; i < PARTITIONS; i++)
        release(self, i);
    free(s);
}

Sink *sink_file(const char *folder, const char *topic, const char *expression, size_t features, size_t every)
{
    FileSink *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->base = (Sink){position, take, settle, release, free_sink, 0, 0, 0};
    s->folder = folder;
    s->topic = topic;
    s->expression = expression;
    s->features = features;
    s->every = every > 0 ? every : 1;
    return &s->base;
}
