/*
 * The program: a table of commands, a file each. A new command is cli/NAME.c, which defines `command_NAME`, and one
 * word in cli/meson.build. The program uses only the library's public headers.
 */
#ifndef ANB_CLI_CLI_H
#define ANB_CLI_CLI_H

#include <anabranch/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses, EXIT_SUCCESS apart; and, within the program only, a row that cannot be used, with the reason kept. */
enum { BAD_DATA = 1, BAD_USE = 2, BAD_ROW = 3 };

enum { MAX_OPTIONS = 64 };

/* One option of a command; a table ends with {0}. It feeds getopt_long, --help and `anabranch help --json`. */
typedef struct Option {
    char letter;          /* 0: no short form */
    const char *name;     /* long form */
    const char *argument; /* what --help calls it; NULL: the option takes none */
    const char *help;     /* one line, no full stop */
    bool list;            /* given again, it adds to the list instead of replacing the value */
    const char *alias;    /* another long form, or NULL */
} Option;

/* A command line, taken apart by the command's tables. */
typedef struct Arguments {
    const struct Command *command;
    char *value[MAX_OPTIONS]; /* of each option of the tables, in their order; NULL: not given */
    char **operand;           /* what is not an option */
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
    const Option *shared;                   /* optional: options that other commands have as well */
} Command;

/* An option of the command by its long name: the value, "" for one without argument, NULL where it was not given. */
const char *option_value(const Arguments *arguments, const char *name);

/* The i-th option of the command's own table, the shared one and the common one; NULL behind the last. */
const Option *option_of(const Command *command, size_t i);

/* Options that every command has. */
extern const Option common_options[];

/* Stores a copy of the i-th option's value, appended for a list. 0, or the exit status with the message printed. */
int option_set(Arguments *arguments, size_t i, const char *value);

/* Prints one line on stderr, `anabranch: ...`; returns status. Bytes that do not print are shown as `?`. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* BAD_ROW, with the reason written to problem, PROBLEM_SIZE bytes. */
enum { PROBLEM_SIZE = 400 };
int bad_row(char *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* BAD_USE: why an expression was refused, and where in it. */
int complain_of_expression(const AnbError *error, const char *text);

/* Whole numbers as options: 0, or BAD_USE with the message printed. NULL leaves *value. */
int count_option(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* Ends a command that wrote to stdout: BAD_DATA where not all of it could be written, else status. */
int finish_stdout(int status);

/* An AnbWrite into a FILE: 0, or ANB_E_IO where not all of it was written. */
int write_to_file(void *file, const void *bytes, size_t size);

/* The learner of commands that are given none: `auto` where the library has it. */
const char *default_learner(void);

#endif
