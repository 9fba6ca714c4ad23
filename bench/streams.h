/* Streams for the benchmarks: CSV files whose last column is the target, and what others reached on them. */
#ifndef ANB_BENCH_STREAMS_H
#define ANB_BENCH_STREAMS_H

#include <stdbool.h>
#include <stddef.h>

enum { STREAMS_MAX = 256, PATH_MOST = 512 };

typedef struct Stream {
    char name[64];
    size_t rows, d;
    double *x; /* rows of d cells; NaN is a missing one */
    double *y;
} Stream;

/* Reads at most `limit` rows (0: all). False, with a message on stderr, where the file is none. Rows without a target
 * are left out. */
bool stream_read(const char *path, size_t limit, Stream *stream);
void stream_free(Stream *stream);

/* The name that goes with a path: neither folder nor ending. */
void stream_name(const char *path, char *name, size_t size);

/* CSV files of a folder, sorted by name. */
typedef struct Folder {
    const char *only[STREAMS_MAX]; /* names of the streams wanted; none: all */
    size_t n_only, n;
    char paths[STREAMS_MAX][PATH_MOST];
    char names[STREAMS_MAX][64];
} Folder;

/* False, with a message on stderr, where the folder has none of the files wanted. */
bool folder_read(Folder *folder, const char *path);

/* The best online learner of a table of others' results on one stream. */
typedef struct Peer {
    char learner[64];
    double rmse;
    size_t n; /* samples it saw */
} Peer;

/* False where the table cannot be read or knows nothing of the stream. */
bool peer_best(const char *path, const char *stream, Peer *peer);

#endif
