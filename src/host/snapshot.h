/*
 * What saving and loading share of the container's layout.
 */
#ifndef ANB_HOST_SNAPSHOT_H
#define ANB_HOST_SNAPSHOT_H

#include <anabranch/snapshot.h>

enum {
    ANB_SNAPSHOT_MARK = 0x01020304, /* reveals another byte order */
    ANB_SNAPSHOT_COUNTERS = sizeof(AnbCounters) / sizeof(uint64_t),
    ANB_SNAPSHOT_HEAD = 24 /* magic, format, mark, size */
};

/* As PNG's: reveals damage by a text mode or a 7-bit channel. */
static const unsigned char anb_snapshot_magic[8] = {0x89, 'A', 'N', 'B', '\r', '\n', 0x1a, '\n'};

/* Reads a whole file into the allocator's memory: *bytes, owned by the caller. 0 or a code. */
int anb_read_file(const char *path, const AnbAllocator *allocator, size_t max_bytes, unsigned char **bytes,
                  size_t *size, AnbError *error);
/* Puts the file's name in front of an error's message. */
void anb_name_file(AnbError *error, const char *path);

/* 0, or ANB_E_ARGUMENT: a name or a key that is NULL, too many notes. */
int anb_extras_check(const StreamingLearner *model, const AnbSnapshotExtras *extras, AnbError *error);

#endif
