/*
 * Snapshots: models as bytes. A loaded model predicts and learns, to the bit, as the saved one would have.
 *
 *     anb_save(model, NULL, "load.anb", &error);
 *     StreamingLearner *again = anb_load("load.anb", NULL, &error);
 *
 * The format, with all numbers little-endian, and a text as its u32 length, its bytes and a 0:
 *
 *     89 'A' 'N' 'B' 0d 0a 1a 0a | u32 format | u32 mark 0x01020304 | u64 bytes in all
 *     text library version | text expression, every option written out | u64 n_features | u64 seed
 *     u32 n | n u64 counters
 *     u32 n | n texts: the features' names (0 of them or n_features) | text: the target's name, or empty
 *     u32 n | n notes: text key, u32 size, bytes, 0
 *     u32 n | n nodes, depth first, a router behind its experts: text type, u32 version of its state, u64 size, fields
 *     [u32 n | n sources: text name, u64 the smallest number still learned]   if it has any (sequence.h)
 *     u32 CRC-32C of everything before
 *
 * The fields are those of the type's table, one after the other, not an image of its struct: a snapshot does not depend
 * on machine or compiler. Since every option is written, other defaults in a later version do not affect old snapshots.
 * A type that changes its state's layout raises its version and reads the older ones in `upgrade`.
 *
 * Versions of the library without numbered samples refuse a snapshot that holds sources.
 *
 * Saving only reads the model: other threads may predict meanwhile, but none may train.
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

/** Data of the caller's own that a snapshot contains, for example `offset` = 120332. */
typedef struct AnbNote {
    const char *key;   /* not empty */
    const void *value; /* size bytes; in a snapshot that was read they are followed by a 0 */
    size_t size;       /* below 2^32 */
} AnbNote;

/** What a snapshot contains beside the model. All members may be NULL or 0. */
typedef struct AnbSnapshotExtras {
    const char *const *features; /* n_features names */
    const char *target;          /* the target's name */
    const AnbNote *notes;
    size_t n_notes; /* up to ANB_SNAPSHOT_NOTES_MAX */
} AnbSnapshotExtras;

/* ---- saving ---------------------------------------------------------------------------------------------------- */

/**
 * The size of a snapshot in bytes.
 *
 * @param model   the model
 * @param extras  what is saved beside it, or NULL
 * @return        the size, or 0 where the model cannot be saved: one of its types owns pointers and has no field for
 *                their contents, or an extra is invalid (a name or a key is NULL, too many notes)
 *
 * Cost: one visit of every field, without copying.
 */
ANB_API size_t anb_snapshot_size(const StreamingLearner *model, const AnbSnapshotExtras *extras);

/**
 * Saves by a callback, in pieces of up to 16 KiB. Allocates nothing.
 *
 * @param model    the model
 * @param extras   what is saved beside it, or NULL
 * @param write    gets the bytes
 * @param context  passed to write
 * @param error    why it failed, or NULL
 * @return         0; what write returned, if negative; ANB_E_UNSUPPORTED (anb_snapshot_size); ANB_E_ARGUMENT for
 *                 invalid extras
 */
ANB_API int anb_snapshot_write(const StreamingLearner *model, const AnbSnapshotExtras *extras, AnbWrite write,
                               void *context, AnbError *error);

/**
 * Saves into the caller's memory. Allocates nothing.
 *
 * @param out   receives the snapshot
 * @param size  bytes of out, at least anb_snapshot_size
 * @return      as anb_snapshot_write; ANB_E_LIMIT where out is too small
 */
ANB_API int anb_snapshot_to_memory(const StreamingLearner *model, const AnbSnapshotExtras *extras, void *out,
                                   size_t size, AnbError *error);

/**
 * Saves to a file. At every moment, power failures included, the file is either the old one or the whole new one: the
 * snapshot is written to PATH.tmp beside it, flushed to the disk, renamed, and the folder is flushed. A PATH.tmp left
 * by a killed process is overwritten by the next save. A device or a pipe is written directly. A second save to the
 * same path at the same time is refused. Takes up to 68 KB of the thread's stack.
 *
 * @param path   the file; a link is followed; the permissions of an old file are kept. Where the file would grow beyond
 *               a limit of file sizes (RLIMIT_FSIZE), the system sends SIGXFSZ, which ends the process unless it is
 *               ignored; if it is, the error is ANB_E_IO
 * @return       as anb_snapshot_write. After an error the old file is unchanged, with one exception: where only the
 *               flush of the folder fails (the message names the folder), the new file is in place, but a power failure
 *               may bring back the old one
 */
ANB_API int anb_save(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path, AnbError *error);

/** A save in the background. Since 0.4, as are the functions below. */
typedef struct AnbSaving AnbSaving;

/**
 * Saves to a file in the background: copies the model, and starts a thread that writes the copy.
 *
 *     AnbSaving *saving = anb_save_aside(model, NULL, "load.anb", &error);
 *     anb_train_one(model, x, y, 1);          // goes on at once
 *     int code = anb_saving_end(saving, &error);
 *
 * @param model   the model; it may be trained or freed as soon as the call returns
 * @param extras  what is saved beside it, or NULL; copied
 * @param path    the file, as of anb_save; copied
 * @param error   why it was refused, or NULL: ANB_E_ARGUMENT for extras or no path, ANB_E_MEMORY
 * @return        the save, owned by the caller (anb_saving_end), or NULL where nothing is written
 *
 * Cost: a clone. Where no thread can be started, the call itself writes the file.
 */
ANB_API AnbSaving *anb_save_aside(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path,
                                  AnbError *error);
/** Whether the save has ended, successfully or not, so that anb_saving_end returns at once. */
ANB_API bool anb_saving_done(const AnbSaving *saving);
/** Waits for the end of the save and frees it. Returns what anb_save would, with the reason of a failure in `error` (or
 * NULL); 0 for a saving of NULL. In a process that was forked meanwhile it returns ANB_E_UNSUPPORTED at once, since
 * only the parent has the thread. */
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

/** An open snapshot. Its container has been checked, its state not yet. */
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
 * @param bytes    size bytes, borrowed: they have to be valid until the snapshot is closed
 * @param size     ANB_E_TRUNCATED where it is too small, ANB_E_TRAILING where it is too large
 * @param options  allocator and max_bytes (ANB_E_LIMIT); NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_FORMAT, ANB_E_VERSION, ANB_E_TRUNCATED, ANB_E_TRAILING,
 *                 ANB_E_CHECKSUM, ANB_E_LIMIT, ANB_E_MEMORY
 * @return         the snapshot, owned by the caller (anb_snapshot_close), or NULL
 *
 * Cost: the checksum, about a nanosecond a byte, and one allocation, at most a few times the snapshot's size.
 */
ANB_API AnbSnapshot *anb_snapshot_open(const void *bytes, size_t size, const AnbModelOptions *options, AnbError *error);

/** As anb_snapshot_open, from a file; ANB_E_IO where it cannot be read. */
ANB_API AnbSnapshot *anb_snapshot_read(const char *path, const AnbModelOptions *options, AnbError *error);

/** Closes a snapshot; models made from it stay valid. NULL is fine. */
ANB_API void anb_snapshot_close(AnbSnapshot *snapshot);

/**
 * Makes the model that was saved.
 *
 * @param snapshot  an open snapshot
 * @param options   allocator, max_bytes and the caller's own types; the seed is the snapshot's; NULL: the defaults
 * @param error     why it was refused, or NULL: ANB_E_UNKNOWN for an unknown type, ANB_E_VERSION for an unknown layout
 *                  of a state, ANB_E_LIMIT over max_bytes, ANB_E_STATE for a state that learning cannot reach
 * @return          the model, owned by the caller (anb_free), or NULL
 */
ANB_API StreamingLearner *anb_snapshot_model(const AnbSnapshot *snapshot, const AnbModelOptions *options,
                                             AnbError *error);

/** anb_snapshot_read, anb_snapshot_model and anb_snapshot_close in one. */
ANB_API StreamingLearner *anb_load(const char *path, const AnbModelOptions *options, AnbError *error);
/** The same from memory. */
ANB_API StreamingLearner *anb_load_memory(const void *bytes, size_t size, const AnbModelOptions *options,
                                          AnbError *error);

/** The value of the first note with a key, or NULL where there is none. It is followed by a 0, so that a text can be
 * read as such. Owned by the snapshot. */
ANB_API const char *anb_snapshot_note(const AnbSnapshot *snapshot, const char *key);

#ifdef __cplusplus
}
#endif
#endif
