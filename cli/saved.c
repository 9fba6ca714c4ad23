#define _XOPEN_SOURCE 700 /* realpath, mkdtemp */
#include "saved.h"
#include "categories.h"
#include "cli.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The note that holds the kinds of the features. */
static const char schema_note[] = "schema";

/* The note that holds the texts of the most frequent categories: categories.h. */
static const char categories_key[] = "categories";

static int open_schema(Saved *saved, const char *path)
{
    AnbError error = {0};
    const char *text = anb_snapshot_note(saved->snapshot, schema_note);
    if (!text)
        return 0;
    saved->schema = anb_schema_parse(text, NULL, &error);
    if (saved->schema && anb_schema_size(saved->schema) == anb_n_features(saved->model)) {
        saved->categories = anb_category_names_new(saved->schema, NULL);
        categories_take(saved->categories, saved->schema, anb_snapshot_note(saved->snapshot, categories_key));
        return 0;
    }
    return complain(BAD_DATA, "%s: the note with the schema of its columns: %s", path,
                    saved->schema ? "not as many as features" : error.message);
}

/* The note that holds the format of the table, where it was given: decimal=, thousands=. header=no missing=A,B */
static const char table_note[] = "table";

static void table_text(const Rows *rows, char *out, size_t room)
{
    const CellFormat *cells = &rows->cells;
    char thousands[] = " thousands=.";
    thousands[sizeof thousands - 2] = cells->thousands;
    snprintf(out, room, "decimal=%c%s%s%s%s", cells->decimal, cells->thousands ? thousands : "",
             rows->table.no_header ? " header=no" : "", cells->missing ? " missing=" : "",
             cells->missing ? cells->missing : "");
}

/* What an option does not say is as it was when the model learned. */
static void take_table(const Saved *saved, RowsOptions *options)
{
    const char *text = anb_snapshot_note(saved->snapshot, table_note),
               *missing = text ? strstr(text, " missing=") : NULL;
    if (!text || strncmp(text, "decimal=", 8) != 0 || strlen(text) < 9)
        return;
    const char *thousands = strncmp(text + 9, " thousands=", 11) == 0 ? text + 20 : NULL;
    const char *header = strstr(text, " header=no");
    if (!options->cells.decimal)
        options->cells.decimal = text[8];
    if (!options->cells.thousands && thousands && *thousands != options->cells.decimal)
        options->cells.thousands = *thousands;
    if (!options->table.header && header && (!missing || header < missing))
        options->table.no_header = true;
    if (!options->cells.missing && missing)
        options->cells.missing = missing + 9;
}

int saved_open(Saved *saved, const char *path)
{
    AnbError error = {0};
    *saved = (Saved){.snapshot = anb_snapshot_read(path, NULL, &error)};
    if (saved->snapshot)
        saved->model = anb_snapshot_model(saved->snapshot, NULL, &error);
    if (saved->model)
        return open_schema(saved, path);
    if (!saved->snapshot)
        return complain(error.code == ANB_E_IO ? BAD_USE : BAD_DATA, "%s", error.message);
    return complain(BAD_DATA, "%s: %s", path, error.message);
}

void saved_close(Saved *saved)
{
    anb_free(saved->model);
    anb_snapshot_close(saved->snapshot);
    anb_category_names_free(saved->categories);
    anb_schema_drop(saved->schema);
    *saved = (Saved){0};
}

int saved_rows(const Saved *saved, Rows *rows, const char *path, RowsOptions named, bool target)
{
    const AnbSnapshotExtras *kept = &saved->snapshot->extras;
    named.features = kept->features;
    named.n_features = kept->features ? anb_n_features(saved->model) : 0;
    named.known = saved->schema;
    take_table(saved, &named);
    named.model_name = kept->target;
    named.no_target = !target;
    named.model_target = !named.target;
    if (!named.target)
        named.target = target ? kept->target : NULL;
    if (named.add_columns && !named.features)
        return complain(BAD_DATA, "%s: the model has no names of columns: new ones cannot be told from them", path);
    int status = rows_open(rows, path, &named);
    bool fits = rows->n_features == anb_n_features(saved->model) || named.add_columns;
    if (!status && !fits)
        status = complain(BAD_DATA, "%s: the model wants %zu features, the file has %zu", path,
                          anb_n_features(saved->model), rows->n_features);
    if (!status && rows->categories)
        categories_take(rows->categories, rows->schema, anb_snapshot_note(saved->snapshot, categories_key));
    return status;
}

int save_with_names(const StreamingLearner *model, const Rows *rows, uint64_t learned_rows, const char *path)
{
    char count[24];
    AnbError error = {0};
    int n = snprintf(count, sizeof count, "%llu", (unsigned long long)learned_rows);
    const char *schema = anb_schema_text(rows->schema);
    size_t room = 64 + (rows->cells.missing ? strlen(rows->cells.missing) : 0);
    char *table = malloc(room);
    if (!table)
        return complain(BAD_DATA, "out of memory");
    table_text(rows, table, room);
    char *categories = rows->categories ? categories_note(&(Categories){model, rows->schema, rows->categories}) : NULL;
    AnbNote notes[4] = {{"rows", count, (size_t)n}};
    size_t n_notes = 1;
    if (anb_schema_is_typed(rows->schema))
        notes[n_notes++] = (AnbNote){schema_note, schema, strlen(schema)};
    if (strcmp(table, "decimal=.") != 0)
        notes[n_notes++] = (AnbNote){table_note, table, strlen(table)};
    if (categories && *categories)
        notes[n_notes++] = (AnbNote){categories_key, categories, strlen(categories)};
    AnbSnapshotExtras extras = {(const char *const *)rows->names, rows->names[rows->n_features], notes, n_notes};
    int code = anb_save(model, &extras, path, &error);
    free(table);
    free(categories);
    if (code)
        return complain(BAD_DATA, "%s", error.message);
    return 0;
}

bool save_elsewhere(const char *path, int (*save)(const void *context, const char *place), const void *context)
{
    char folder[PATH_MAX], place[PATH_MAX + 16];
    const char *base = getenv("TMPDIR");
    base = base && *base ? base : "/tmp";
    bool made = snprintf(folder, sizeof folder, "%s/anabranch-XXXXXX", base) < (int)sizeof folder && mkdtemp(folder);
    if (!made) {
        complain(0, "nothing can be written below %s: %s", base, strerror(errno));
        return false;
    }
    snprintf(place, sizeof place, "%s/model.anb", folder);
    if (save(context, place)) {
        rmdir(folder);
        return false;
    }
    complain(0, "%s: what was learned is saved in its place to %s; move it there when that can be written", path,
             place);
    return true;
}

bool save_possible(const char *path)
{
    struct stat about;
    char target[PATH_MAX];
    bool exists = stat(path, &about) == 0;
    if (exists && S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (exists && !S_ISREG(about.st_mode))
        return access(path, W_OK) == 0;
    if (!exists || !realpath(path, target))
        snprintf(target, sizeof target, "%s", path);
    char *slash = strrchr(target, '/');
    if (slash)
        slash[1] = 0;
    return access(slash ? target : ".", W_OK | X_OK) == 0;
}
