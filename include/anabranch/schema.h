/*
 * Schemas: the names and kinds of a table's columns, and how its cells become the doubles of a row.
 *
 *     AnbSchema *schema = anb_schema_parse("distance carrier:category when:time", NULL, &error);
 *     const AnbCell cells[] = {{"719", 3}, {"UA", 2}, {"2013-01-05T17:30", 16}};
 *     double x[3];
 *     if (anb_schema_row(schema, cells, 3, x, &error) == 0)
 *         anb_train_one(model, x, y, 1.0);
 *     anb_schema_drop(schema);
 *
 * Every column becomes one double of the row, ignored columns included. Models only get doubles: a category is a whole
 * number made from its bytes (anb_category), a time the seconds since 1970 (anb_time_parse), a boolean 0 or 1.
 *
 * A schema is immutable. Threads may share it: its reference count is atomic.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SCHEMA_H
#define ANABRANCH_SCHEMA_H

#include <anabranch/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the cells of a column are. */
typedef enum AnbColumnKind {
    ANB_COLUMN_NUMBER,   /* a decimal number; missing: ANB_NAN */
    ANB_COLUMN_CATEGORY, /* a text, or a number that is only a name; missing: a category of its own */
    ANB_COLUMN_CODE,     /* a number that is a name and whose size may matter too, such as a postal code */
    ANB_COLUMN_BOOLEAN,  /* true, false, yes, no, t, f, y, n, on, off, 1, 0 in any case; missing: ANB_NAN */
    ANB_COLUMN_TIME,     /* a date or a point in time (anb_time_parse); missing: ANB_NAN */
    ANB_COLUMN_IGNORED   /* 0 in every row */
} AnbColumnKind;

/** The order of day, month and year in numeric dates like 02/10/2012. Dates that start with a four-digit year are read
 * with every order. */
typedef enum AnbTimeOrder { ANB_TIME_YMD, ANB_TIME_DMY, ANB_TIME_MDY } AnbTimeOrder;

typedef struct AnbColumn {
    const char *name; /* may be empty; several columns may have the same name */
    AnbColumnKind kind;
    AnbTimeOrder order; /* of a time */
} AnbColumn;

/** One cell: size bytes that need not end with 0. text NULL: missing. */
typedef struct AnbCell {
    const char *text;
    size_t size;
} AnbCell;

typedef struct AnbSchema AnbSchema;

/** How cells are read. Starts from anb_schema_defaults(). */
typedef struct AnbSchemaOptions {
    size_t size; /* of this struct; set by the defaults */
    /* "na|n/a|#n/a|nan|null|none|?|-"; texts of missing cells, separated by '|', compared without ASCII case. An empty
     * cell is always missing. */
    const char *missing;
    char decimal;                  /* '.', or ',' for numbers like 3,14 */
    const AnbAllocator *allocator; /* NULL: malloc and free. Copied, and used until the last reference is dropped */
} AnbSchemaOptions;

/** Fills the first `size` bytes of the defaults: what anb_schema_defaults calls. */
ANB_API void anb_schema_options_init(AnbSchemaOptions *options, size_t size);
/** The defaults above. */
static inline AnbSchemaOptions anb_schema_defaults(void)
{
    AnbSchemaOptions options;
    anb_schema_options_init(&options, sizeof options);
    return options;
}

/* ---- making one ------------------------------------------------------------------------------------------------ */

/**
 * Makes a schema.
 *
 * @param columns  n of them, copied
 * @param n        1 to 1,048,576
 * @param options  how cells are read; NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_ARGUMENT, ANB_E_LIMIT, ANB_E_MEMORY
 * @return         the schema, one reference of it owned by the caller (anb_schema_drop), or NULL
 */
ANB_API AnbSchema *anb_schema_new(const AnbColumn *columns, size_t n, const AnbSchemaOptions *options, AnbError *error);

/**
 * Makes a schema from its compact text: `distance carrier:category "flight no":code when:time-dmy missing=na|x`.
 *
 *     schema = item { blank item }
 *     item   = name [ ":" kind ] | "missing=" name | "decimal=" name
 *     name   = bytes without blanks, ':', '=' and '"' | '"' any bytes, '"' doubled '"'
 *     kind   = "number" | "category" | "code" | "boolean" | "time" | "time-dmy" | "time-mdy" | "ignored"
 *
 * A column without a kind is a number. `missing` and `decimal` may stand anywhere; they override the options.
 *
 * @param text     ends with 0
 * @param options  how cells are read; NULL: the defaults
 * @param error    why it was refused and at which byte, or NULL: ANB_E_SYNTAX, ANB_E_UNKNOWN for a kind, those of
 *                 anb_schema_new
 * @return         as anb_schema_new
 */
ANB_API AnbSchema *anb_schema_parse(const char *text, const AnbSchemaOptions *options, AnbError *error);

/**
 * Parses the name of a kind.
 *
 * @param word    n bytes: number, category, code, boolean, time, time-dmy, time-mdy or ignored
 * @param n       bytes
 * @param column  kind and order are set; the name is unchanged
 * @return        0 or ANB_E_UNKNOWN
 */
ANB_API int anb_column_kind(const char *word, size_t n, AnbColumn *column);
/** The name of a column's kind; static. */
ANB_API const char *anb_column_word(const AnbColumn *column);

/** Adds a reference and returns the schema; NULL for NULL. */
ANB_API AnbSchema *anb_schema_keep(const AnbSchema *schema);
/** Drops a reference; the last one frees the schema. NULL is fine. */
ANB_API void anb_schema_drop(AnbSchema *schema);

/* ---- properties ------------------------------------------------------------------------------------------------ */

/** The number of columns. */
ANB_API size_t anb_schema_size(const AnbSchema *schema);
/** The columns, anb_schema_size of them; owned by the schema. */
ANB_API const AnbColumn *anb_schema_columns(const AnbSchema *schema);
/** The compact text, from which anb_schema_parse makes the same schema; owned by the schema. */
ANB_API const char *anb_schema_text(const AnbSchema *schema);
/** Whether any column is neither a number nor a boolean: such a table needs the learner `columns`. */
ANB_API bool anb_schema_is_typed(const AnbSchema *schema);
/** Whether two schemas have the same text. */
ANB_API bool anb_schema_equal(const AnbSchema *a, const AnbSchema *b);

/**
 * Finds a column by its name.
 *
 * @param name  n bytes
 * @return      the index of the first column with the name, or ANB_E_UNKNOWN
 *
 * Cost: a hash of the name and about one comparison.
 */
ANB_API ptrdiff_t anb_schema_find(const AnbSchema *schema, const char *name, size_t n);

/* ---- cells ----------------------------------------------------------------------------------------------------- */

/**
 * Converts the cells of a row to doubles. Blanks and tabs around a cell are ignored.
 *
 * @param cells  n of them, in the schema's order
 * @param n      anb_schema_size; any other number is refused with ANB_E_ARGUMENT
 * @param x      n doubles; after an error those before the refused cell are set
 * @param error  which cell was refused and why, with the column's name and number, or NULL; position is the column's
 *               index
 * @return       0; ANB_E_INPUT for a cell that is not of its column's kind
 *
 * Cost: 5 to 20 ns for a number, about 10 ns for a category of 8 bytes, 20 ns for a time. Never allocates.
 */
ANB_API int anb_schema_row(const AnbSchema *schema, const AnbCell *cells, size_t n, double *x, AnbError *error);

/** As anb_schema_row, for one cell: column is the column's index, *value receives the double. */
ANB_API int anb_schema_cell(const AnbSchema *schema, size_t column, AnbCell cell, double *value, AnbError *error);

/**
 * Writes a cell's double as a text that anb_schema_cell reads back as the same double: a number in its shortest form, a
 * boolean as true or false, a time as 2013-01-05T17:30:00Z, a missing cell as the empty text. A category is written as
 * its number.
 *
 * @param column  index of the column
 * @param value   the double
 * @param out     ANB_CELL_SIZE bytes; ends with 0
 * @return        bytes written, without the final 0
 */
ANB_API size_t anb_schema_format(const AnbSchema *schema, size_t column, double value, char *out);
enum { ANB_CELL_SIZE = 48 };

/* ---- categories and times --------------------------------------------------------------------------------------- */

/**
 * The number of a category: 2^52 + (XXH64(bytes, seed 0) >> 12), a whole number in [2^52, 2^53), the same on every
 * machine. Among a million categories two share a number with a probability of about 1e-4.
 *
 * A cell of a category column whose text is a plain whole number (0, 17, -3; up to 15 digits, no leading 0) becomes
 * that number instead, so that a category is the same whether a program passes it as number or as text.
 *
 * @param bytes  n of them, any
 * @param n      0 is the missing category
 * @return       the number
 *
 * Source: Collet, xxHash fast digest algorithm, version 0.1.1. Cost: 3 ns and 0.1 ns a byte.
 */
ANB_API double anb_category(const void *bytes, size_t n);

/**
 * Reads a date or a point in time.
 *
 *     2013-01-05   2013/1/5   2013.01.05   20130105   2013-01   2013   5 Jan 2013   Jan 5, 2013   Jan-2013
 *     05/01/2013 (dmy)   01/05/2013 (mdy); both with - and . as well
 *     Sat, 5 Jan 2013   Saturday, January 5, 2013: the day of the week is not checked
 *     05/01/13   05-Jan-13: a two-digit year is in 1969 to 2068; only after slashes or the name of a month
 *     a time of day after a whole date and T or blanks: 17:30   17:30:05   17:30:05.25   1730   173005   5:30 PM
 *     a zone after the time of day: Z   UTC   GMT   +01:00   -0500   +01; without one the time is UTC
 *     a number of 9 digits or more: seconds since 1970, with or without a fraction
 *
 * Years are 1 to 9999 of the Gregorian calendar. Missing parts are the first of their kind: 2013 is 1 January,
 * 00:00:00. 24:00:00 is the start of the next day, a second of 60 that of the next minute. Months are English, in full
 * or by their first three letters, in any case.
 *
 * @param text     n bytes; need not end with 0
 * @param n        bytes; the whole text has to be a time
 * @param order    of a numeric date that does not start with a year
 * @param seconds  since 1970-01-01T00:00:00 UTC: the nearest double
 * @return         0, or ANB_E_SYNTAX
 *
 * Names of time zones other than UTC and GMT are not read. Never allocates.
 */
ANB_API int anb_time_parse(const char *text, size_t n, AnbTimeOrder order, double *seconds);

/** Whether a time, in seconds since 1970-01-01T00:00:00 UTC, is of the years 1600 to 2299. Few tables hold others: a
 * text such as the part number 1001-12, which can be read as one, is rather a name. Since 0.13. */
static inline bool anb_time_is_usual(double seconds)
{
    return seconds >= -11676096000.0 && seconds < 10413792000.0;
}

/**
 * Writes a time as 2013-01-05T17:30:00Z, with as many fractional digits as are needed to read back the same double, at
 * most nine; outside of the years 1 to 9999 as a number of seconds.
 *
 * @param seconds  since 1970
 * @param out      ANB_CELL_SIZE bytes; ends with 0
 * @return         bytes written, without the final 0
 */
ANB_API size_t anb_time_format(double seconds, char *out);

/* ---- models ---------------------------------------------------------------------------------------------------- */

/**
 * Makes a model for rows of a schema, as anb_parse. Where the schema is typed and the expression has no `columns`, one
 * is inserted around all learners that read rows: outside of `scale` and presets, inside of `guard`, `interval` and
 * `pending`. A preset chooses its learners for the width of the row that `columns` makes.
 *
 * @param schema      kept by the model
 * @param expression  as anb_parse; a `columns` of it must agree with the schema
 * @return            as anb_parse
 */
ANB_API StreamingLearner *anb_parse_schema(const AnbSchema *schema, const char *expression,
                                           const AnbModelOptions *options, AnbError *error);

/**
 * Attaches a schema to a model. Snapshots contain it, with the columns' names as those of the features; clones share
 * it.
 *
 * @param schema  a reference is kept by the model; NULL detaches the present one
 * @param error   why it was refused, or NULL: ANB_E_ARGUMENT where it has another number of columns than the model
 *                features, or a category or time would reach a learner without `columns` as if it were a number
 * @return        0 or a code; after an error nothing has changed
 */
ANB_API int anb_set_schema(StreamingLearner *model, const AnbSchema *schema, AnbError *error);

/**
 * Makes a model for more columns that continues a model for fewer. The old model, of any type, keeps its state and
 * learns on from its own columns. A second model, which starts anew, learns the old one's residual from all columns.
 * Until it has learned, predictions are those of the old model:
 *
 *     OLD   ->   residual(narrow(OLD, of="12y 2n"), columns(auto(budget=5), kinds="12n 2c"))
 *
 * An `interval` around the old model is put around the wider one, with its state.
 *
 * @param model    not changed
 * @param wider    the model's columns in their order, then new ones, one at least; kept by the wider model. Where the
 *                 model has a schema, names and kinds of its columns have to be the same
 * @param options  types and allocator; the seed is the model's. NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_ARGUMENT; ANB_E_UNSUPPORTED where `pending` keeps whole rows or
 *                 a type owns pointers; those of anb_new
 * @return         the wider model, owned by the caller (anb_free), or NULL. Its counters start at the model's
 *
 * Cost: that of making the wider model and one copy of the state; a sample costs about 5 us more.
 */
ANB_API StreamingLearner *anb_widen(const StreamingLearner *model, const AnbSchema *wider,
                                    const AnbModelOptions *options, AnbError *error);

/** The schema attached to a model, or NULL; owned by the model. A loaded model has the one that it was saved with. */
ANB_API const AnbSchema *anb_model_schema(const StreamingLearner *model);

#ifdef __cplusplus
}
#endif
#endif
