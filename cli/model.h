/* A new model for the columns of a table. */
#ifndef ANB_CLI_MODEL_H
#define ANB_CLI_MODEL_H

#include "cli.h"
#include "rows.h"
#include <anabranch/anabranch.h>

/* The options of a command for a new model; NULL where not given. */
typedef struct ModelOptions {
    const char *learner;  /* the expression; NULL: the default one */
    const char *seed;     /* as --seed gives it */
    const char *interval; /* a coverage as --interval gives it: the learner is put into interval(...) */
} ModelOptions;

/**
 * Makes a model from an expression. Where the table has categories or times, columns(...) is put in as
 * anb_parse_schema does; one that the expression has is given the kinds where it says none.
 *
 * @param model    set to the model, which the caller frees
 * @return         0, or the exit status with the message printed
 */
int model_new(const Rows *rows, const ModelOptions *options, StreamingLearner **model);

/**
 * Opens a table and makes a new model for its columns by the options --learner, --seed and --interval. With
 * --print-schema the schema is printed instead.
 *
 * @param rows   the rows of the command's first operand, opened
 * @param model  set to the model, which the caller frees
 * @return       0, or the exit status: with the message printed, or where the schema was printed
 */
int model_start(Rows *rows, const Arguments *arguments, const RowsOptions *columns, StreamingLearner **model);

/* Gives a model the threads that --threads asks for; NULL: none. 0, or the exit status with the message printed. */
int model_use_threads(StreamingLearner *model, const char *threads);

#endif
