/* What benchmarks over the CSV files of a folder share: their options, and the stream that a process works on. */
#ifndef ANB_BENCH_FILE_RUNS_H
#define ANB_BENCH_FILE_RUNS_H

#include "count.h"
#include "streams.h"
#include <stdint.h>
#include <string.h>

/* --data DIR, --limit N, --seeds N, --jobs N, --only NAME, --format FORMAT. */
typedef struct FileRuns {
    const char *data, *format;
    size_t limit, seeds, jobs; /* limit 0: all rows */
    Folder folder;
} FileRuns;

#define FILE_RUNS_DEFAULTS                                                                                             \
    {                                                                                                                  \
        .data = "data", .format = "text", .seeds = 3, .jobs = 2                                                        \
    }

/* Whether the option is one of the above; it is taken then. */
static inline bool file_runs_option(FileRuns *runs, const char *name, const char *value)
{
    size_t *number = strcmp(name, "--limit") == 0   ? &runs->limit
                     : strcmp(name, "--seeds") == 0 ? &runs->seeds
                     : strcmp(name, "--jobs") == 0  ? &runs->jobs
                                                    : NULL;
    if (number)
        return count_read(value, number);
    if (strcmp(name, "--data") == 0)
        runs->data = value;
    else if (strcmp(name, "--format") == 0)
        runs->format = value;
    else if (strcmp(name, "--only") == 0 && runs->folder.n_only < STREAMS_MAX)
        runs->folder.only[runs->folder.n_only++] = value;
    else
        return false;
    return true;
}

/* The stream of the jobs that a process has taken last. Starts as FILE_HELD_NONE; the owner frees the stream at the
 * end. */
typedef struct FileHeld {
    size_t at;
    Stream stream;
} FileHeld;

#define FILE_HELD_NONE                                                                                                 \
    {                                                                                                                  \
        .at = SIZE_MAX                                                                                                 \
    }

/* The stream of that number, read where it is not held yet; NULL where it cannot be read. */
static inline const Stream *file_runs_stream(const FileRuns *runs, FileHeld *held, size_t at)
{
    if (at != held->at) {
        stream_free(&held->stream);
        stream_read(runs->folder.paths[at], runs->limit, &held->stream);
        held->at = at;
    }
    return held->stream.rows > 0 ? &held->stream : NULL;
}

#endif
