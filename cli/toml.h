/*
 * A TOML file as the program's options see it: keys, at the top or in a table, with values that are texts, numbers,
 * true or false, or lists of texts and numbers. Read by toml++; without it (HAVE_TOML) nothing can be read.
 */
#ifndef ANB_CLI_TOML_H
#define ANB_CLI_TOML_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum TomlKind { TOML_VALUE, TOML_LIST, TOML_FLAG, TOML_TABLE, TOML_OTHER } TomlKind;

/* One key. The texts live until the visit returns. */
typedef struct TomlItem {
    const char *table; /* "" where the key stands before every table */
    const char *key;
    TomlKind kind;
    const char *text; /* as an option takes it: a number as written out, the parts of a list between commas, "true" */
    unsigned line, column;
} TomlItem;

/* Where a file cannot be read, and why; line 0: the whole of it. */
typedef struct TomlProblem {
    char message[200];
    unsigned line, column;
} TomlProblem;

/* Visits every key at the top, the names of tables among them, then those in the tables. 0, -1 with the problem, or
 * what the visit returned. */
int toml_read(const char *path, int (*visit)(void *context, const TomlItem *item), void *context, TomlProblem *problem);

#ifdef __cplusplus
}
#endif
#endif
