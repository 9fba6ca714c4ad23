/*
 * The program: a table of commands, a file each. A new command is cli/NAME.c, which defines `command_NAME`, and one
 * word in cli/meson.build. The program sees the library's public headers only.
 */
#ifndef ANB_CLI_CLI_H
#define ANB_CLI_CLI_H

#include <anabranch/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses, EXIT_SUCCESS apart. */
enum { BAD_DATA = 1, BAD_USE = 2 };

enum { MAX_OPTIONS = 24 };

/* One option of a command; the table ends with {0}. It feeds getopt_long and --help. */
typedef struct Option {
    char letter;          /* 0: no short form */
    const char *name;     /* long form */
    const char *argument; /* what --help calls it; NULL: the option takes none */
    const char *help;     /* one line, no full stop */
} Option;

/* A command line, taken apart by the command's table. */
typedef struct Arguments {
    const char *value[MAX_OPTIONS]; /* of each option of the table, in its order: the last one given, "" for those
                                       without argument, or NULL */
    char **operand;                 /* what is not an option */
    int operands;
} Arguments;

typedef struct Command {
    const char *name;
    const char *brief;    /* one line for the program's --help */
    const char *operands; /* for the usage line: "FILE|-" */
    const Option *options;
    int min_operands, max_operands;
    int (*run)(const Arguments *arguments); /* returns the exit status */
    void (*more_help)(void);                /* optional: printed below the options */
} Command;

/* Says one line on stderr, `anabranch: ...`; returns status. Bytes that do not print are shown as `?`. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* BAD_USE: why an expression was refused, and where in it. */
int complain_of_expression(const AnbError *error, const char *text);

/* Whole numbers as options: 0, or BAD_USE with the complaint made. NULL leaves *value. */
int count_option(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* Ends a command that wrote to stdout: BAD_DATA where not all of it could be written, else status. */
int finish_stdout(int status);

/* The learner of commands that are given none: `auto` where the library has it. */
const char *default_learner(void);

#endif
