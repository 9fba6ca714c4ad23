/*
 * Where the samples of a partition are learned: at a key of Redis (sink_redis.c) or in a model of this process that is
 * saved beside its position (sink_file.c). Both keep state and position in one place, so a sample that comes again is
 * not learned again.
 */
#ifndef KAFKA_SINK_H
#define KAFKA_SINK_H

#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_CELLS = 1024, LAST_BYTES = 64 };

/* A message as it is learned: y, x1 .. xn. */
typedef struct Sample {
    int32_t partition;
    int64_t offset;
    size_t n; /* cells; 0: the message is none */
    double cell[SAMPLE_CELLS];
} Sample;

/* Each function returns 0, or -1 with what was wrong on stderr. */
typedef struct Sink Sink;
struct Sink {
    /* The next offset to learn, or -1: none was learned yet. */
    int (*position)(Sink *self, int32_t partition, int64_t *next);
    /* Takes a sample; it may be learned later. */
    int (*take)(Sink *self, const Sample *sample);
    /* Whatever was taken is learned, and where it is kept. */
    int (*settle)(Sink *self);
    /* The partition is somebody else's from now on. */
    void (*release)(Sink *self, int32_t partition);
    void (*free)(Sink *self);
    unsigned long long learned, repeated, refused;
};

/* A model a partition at the keys KEY:0, KEY:1 ..; made where they are not there. */
Sink *sink_redis(const char *host, int port, const char *key, const char *topic, const char *expression,
                 size_t features);
/* A model a partition in the files FOLDER/TOPIC-0.anb ..., saved after every `every` samples. */
Sink *sink_file(const char *folder, const char *topic, const char *expression, size_t features, size_t every);

/* `TOPIC/PARTITION`: the source by whose numbers, the offsets, samples are told apart. */
void source_name(char *out, size_t size, const char *topic, int32_t partition);

#endif
