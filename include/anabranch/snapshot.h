/*
 * Snapshots: a model as bytes, and back to the bit: a loaded model predicts and learns as the saved one would have.
 *
 *     anb_save(model, NULL, "load.anb", &error);
 *     StreamingLearner *again = anb_load("load.anb", NULL, &error);
 *
 * What is in one, all numbers little-endian, a text as its u32 length, its bytes and a 0:
 *
 *     89 'A' 'N' 'B' 0d 0a 1a 0a | u32 format | u32 mark 0x01020304 | u64 bytes in all
 *     text library version | text expression, every option written out | u64 n_features | u64 seed
 *     u32 n | n u64 counters
 *     u32 n | n texts: the features' names (0 of them or n_features) | text: the target's name, or empty
 *     u32 n | n notes: text key, u32 size, bytes, 0
 *     u32 n | n nodes, depth first, a router behind its experts: text type, u32 version of its state, u64 size, fields
 *     [u32 n | n sources: text name, u64 the smallest number that is still learned]   where the model has any (sequence.h)
 *     u32 CRC-32C of everything before
 *
 * The fields are those of the type's table, one behind the other: not an image of its struct, so a snapshot
 * moves between machines and compilers. Defaults may change between versions without touching old snapshots, since
 * every option is written out. A type that changes its state's layout raises its version and reads the older ones in
 * `upgrade`.
 *
 * A version of this library from before numbered samples refuses a snapshot that holds sources, rather than losing them.
 *
 * Saving reads the model only: beside it other threads may predict, but nobody may train.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SNAPSHOT_H
#define ANABRANCH_SNAPSHOT_H

#include <anabranch/sequence.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ANB_SNAPSHOT_FORMAT = 1, ANB_SNAPSHOT_NOTES_MAX = 4096 };

/** Something of the caller's own that is kept along: `offset` = 120332. */
typedef struct AnbNote {
    const char *key;   /* not empty */
    const void *value; /* size bytes; in a snapshot that was read a 0 stands behind them */
    size_t size;       /* below 2^32 */
} AnbNote;

/** What a snapshot keeps beside the model. All of it may be NULL or 0. */
typedef struct AnbSnapshotExtras {
    const char *const *features; /* n_features names */
    const char *target;          /* the target's name */
    const AnbNote *notes;
    size_t n_notes; /* up to ANB_SNAPSHOT_NOTES_MAX */
} AnbSnapshotExtras;

/* ---- saving ---------------------------------------------------------------------------------------------------- */

/**
 * Bytes that a snapshot will have.
 *
 * @param model   the model
 * @param extras  what is kept beside it, or NULL
 * @return        the size, or 0 where it cannot be saved: a type of the model owns pointers and cannot show what they
 *                hold, or an extra is refused (a name or a key that is NULL, too many notes)
 *
 * Cost: one visit of every field, without copying.
 */
ANB_API size_t anb_snapshot_size(const StreamingLearner *model, const AnbSnapshotExtras *extras);

/**
 * Saves through a callback, in pieces of up to 16 KiB. Allocates nothing.
 *
 * @param model    the model
 * @param extras   what is kept beside it, or NULL
 * @param write    takes the bytes
 * @param context  for write
 * @param error    why it failed, or NULL
 * @return         0; what write returned where that is below 0; ANB_E_UNSUPPORTED (anb_snapshot_size); ANB_E_ARGUMENT for extras
 */
ANB_API int anb_snapshot_write(const StreamingLearner *model, const AnbSnapshotExtras *extras, AnbWrite write,
                               void *context, AnbError *error);

/**
 * Saves into the caller's memory. Allocates nothing.
 *
 * @param out   where to
 * @param size  its bytes, at least anb_snapshot_size
 * @return      as anb_snapshot_write; ANB_E_LIMIT where it does not fit
 */
ANB_API int anb_snapshot_to_memory(const StreamingLearner *model, const AnbSnapshotExtras *extras, void *out,
                                   size_t size, AnbError *error);

/**
 * Saves to a file, which is the old one or the whole new one at every moment, power failures included: written beside
 * it as PATH.tmp, flushed to the disk, renamed, the folder flushed. After a kill a PATH.tmp may be left: the next save
 * uses it. A path that is a device or a pipe is written straight. Who saves to the same path at the same time is
 * refused.
 *
 * @param path   the file; a link is followed; the permissions of an old file are kept
 * @return       as anb_snapshot_write; after an error the old file is intact, but for one: where only the last flush,
 * that of the folder, fails (the message names the folder), the new file is there already, whole, and a power failure
 * may still bring back the old one
 */
ANB_API int anb_save(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path, AnbError *error);

/** A model that is being saved beside the program. Since 0.4, as are the functions below. */
typedef struct AnbSaving AnbSaving;

/**
 * Saves to a file without a pause: copies the model, and writes the copy by a thread of its own.
 *
 *     AnbSaving *saving = anb_save_aside(model, NULL, "load.anb", &error);
 *     anb_train_one(model, x, y, 1);          // goes on at once
 *     int code = anb_saving_end(saving, &error);
 *
 * @param model   the model, as it is now; it may be trained, and freed, as soon as the call returns
 * @param extras  what is kept beside it, or NULL; copied
 * @param path    the file, as anb_save has it; copied
 * @param error   why it was refused, or NULL: ANB_E_ARGUMENT for extras or no path, ANB_E_MEMORY
 * @return        the saving, owned by the caller (anb_saving_end), or NULL where nothing is written
 *
 * Cost: a clone. Where no thread is to be had the caller writes.
 */
ANB_API AnbSaving *anb_save_aside(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path,
                                  AnbError *error);
/** Whether it is written, or has failed: anb_saving_end returns at once. */
ANB_API bool anb_saving_done(const AnbSaving *saving);
/** Waits until it is written and frees it. Returns what anb_save would; `error` says why it failed, or NULL. 0 for NULL. In a process that was
 * forked meanwhile it does not wait: ANB_E_UNSUPPORTED, since only the parent learns what became of it. */
ANB_API int anb_saving_end(AnbSaving *saving, AnbError *error);

/* ---- loading --------------------------------------------------------------------------------------------------- */

/** One node's part of a snapshot. */
typedef struct AnbSnapshotNode {
    const char *type;
    unsigned version;            /* of its state's layout */
    const unsigned char *fields; /* size bytes */
    size_t size;
} AnbSnapshotNode;

/** A source of numbered samples, as AnbSource. */
typedef struct AnbSnapshotSource {
    const char *name;
    uint64_t next;
} AnbSnapshotSource;

/** A snapshot that was opened: its container is whole, its state not looked at yet. */
typedef struct AnbSnapshot {
    size_t bytes;           /* of the snapshot */
    unsigned format;        /* ANB_SNAPSHOT_FORMAT */
    const char *library;    /* version of the library that saved it */
    const char *expression; /* every option written out */
    size_t n_features;
    uint64_t seed;
    AnbCounters counters;
    AnbSnapshotExtras extras; /* features and target NULL where there are none */
    const AnbSnapshotNode *nodes;
    size_t n_nodes;
    const AnbSnapshotSource *sources;
    size_t n_sources; /* up to ANB_SOURCES_MAX */
} AnbSnapshot;

/**
 * Opens a snapshot in memory: checks magic, format, length and checksum, then every length in it.
 *
 * @param bytes    size of them; borrowed: they have to outlive the snapshot
 * @param size     ANB_E_TRUNCATED where too few, ANB_E_TRAILING where too many
 * @param options  allocator; max_bytes: what is larger is refused with ANB_E_LIMIT; NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_FORMAT, ANB_E_VERSION, ANB_E_TRUNCATED, ANB_E_TRAILING,
 *                 ANB_E_CHECKSUM, ANB_E_LIMIT, ANB_E_MEMORY
 * @return         the snapshot, owned by the caller (anb_snapshot_close), or NULL
 *
 * Cost: the checksum, about a nanosecond a byte. One allocation, smaller than the snapshot itself a few times over.
 */
ANB_API AnbSnapshot *anb_snapshot_open(const void *bytes, size_t size, const AnbModelOptions *options, AnbError *error);

/** As anb_snapshot_open, from a file; ANB_E_IO where it cannot be read. */
ANB_API AnbSnapshot *anb_snapshot_read(const char *path, const AnbModelOptions *options, AnbError *error);

/** NULL is fine. Models that came from it stay. */
ANB_API void anb_snapshot_close(AnbSnapshot *snapshot);

/**
 * Makes the model that was saved.
 *
 * @param snapshot  an opened one
 * @param options   allocator, max_bytes and the caller's own types; the seed is the snapshot's; NULL: the defaults
 * @param error     why it was refused, or NULL: ANB_E_UNKNOWN for a type that is not there, ANB_E_VERSION for a state's
 *                  layout, ANB_E_LIMIT over max_bytes, ANB_E_STATE for a state that learning cannot reach
 * @return          the model, owned by the caller (anb_free), or NULL
 */
ANB_API StreamingLearner *anb_snapshot_model(const AnbSnapshot *snapshot, const AnbModelOptions *options,
                                             AnbError *error);

/** anb_snapshot_read, anb_snapshot_model and anb_snapshot_close in one. */
ANB_API StreamingLearner *anb_load(const char *path, const AnbModelOptions *options, AnbError *error);
/** The same from memory. */
ANB_API StreamingLearner *anb_load_memory(const void *bytes, size_t size, const AnbModelOptions *options,
                                          AnbError *error);

/** The value of a note, of the first one by that key, or NULL where there is none: a text where it was saved as one.
 * Owned by the snapshot. */
ANB_API const char *anb_snapshot_note(const AnbSnapshot *snapshot, const char *key);

#ifdef __cplusplus
}
#endif
#endif
