/* A snapshot in memory, for tests that read or damage it. */
#ifndef TESTS_BLOB_H
#define TESTS_BLOB_H

#include "src/text/checksum.h"
#include "suite.h"
#include <anabranch/snapshot.h>
#include <stdlib.h>

typedef struct Blob {
    unsigned char *bytes;
    size_t size;
} Blob;

static inline Blob save(const StreamingLearner *model, const AnbSnapshotExtras *extras)
{
    AnbError error = {0};
    Blob blob = {.size = anb_snapshot_size(model, extras)};
    blob.bytes = malloc(blob.size);
    ck_assert_msg(anb_snapshot_to_memory(model, extras, blob.bytes, blob.size, &error) == 0, "%s", error.message);
    return blob;
}

/* Puts the checksum right after the bytes were changed. */
static inline void repair(Blob *blob)
{
    AnbChecksum sum;
    anb_checksum_init(&sum);
    anb_checksum_add(&sum, blob->bytes, blob->size - 4);
    for (int i = 0; i < 4; i++)
        blob->bytes[blob->size - 4 + (size_t)i] = (unsigned char)(sum.value >> 8 * i);
}

static inline int code_of(const void *bytes, size_t size)
{
    AnbError error = {0};
    StreamingLearner *model = anb_load_memory(bytes, size, NULL, &error);
    anb_free(model);
    return model ? 0 : error.code;
}

#endif
