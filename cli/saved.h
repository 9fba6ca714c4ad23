/* A model from a snapshot, and the columns it wants. */
#ifndef ANB_CLI_SAVED_H
#define ANB_CLI_SAVED_H

#include "rows.h"
#include <anabranch/anabranch.h>

typedef struct Saved {
    AnbSnapshot *snapshot;
    StreamingLearner *model;
    AnbSchema *schema;            /* of its features, or NULL: numbers */
    AnbCategoryNames *categories; /* the texts that the file knows, or NULL */
} Saved;

/* 0, or the exit status with the message printed: BAD_USE where the file cannot be opened, BAD_DATA where it is
 * damaged. Close it in both cases. */
int saved_open(Saved *saved, const char *path);
void saved_close(Saved *saved);

/* Opens a CSV file for the model: columns matched by the names in the snapshot, or in order where it has none. Where
 * `target` is false the target's column is not read. `named` may say another target and columns to drop. */
int saved_rows(const Saved *saved, Rows *rows, const char *path, RowsOptions named, bool target);

/* Saves a model with the names of the columns it has learned from, the texts of its most frequent categories, and its
 * count of rows. 0, or BAD_DATA with the complaint made. */
int save_with_names(const StreamingLearner *model, const Rows *rows, uint64_t learned_rows, const char *path);

/* Saves a model that could not be written at `path` to a new folder below TMPDIR, or /tmp, which may be on another
 * disk, and prints where. `save` writes it to the place that it is given and returns 0, or complains. Returns whether
 * the model was saved. */
bool save_elsewhere(const char *path, int (*save)(const void *context, const char *place), const void *context);

/* Whether a model can be saved at the path: a new file is written in its folder and takes the place of the old one.
 * Asked before rows are learned. False with errno. */
bool save_possible(const char *path);

#endif
