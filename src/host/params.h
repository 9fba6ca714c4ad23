/*
 * Option structs as their tables describe them: defaults, ranges, values from text and back.
 */
#ifndef ANB_HOST_PARAMS_H
#define ANB_HOST_PARAMS_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

/* The param of that name, n bytes long, or NULL. */
const AnbParam *anb_params_find(const StreamingLearnerType *type, const char *name, size_t n);
/* Copies what a caller gave over the defaults, into type->options_size bytes; NULL: the defaults. 0, or ANB_E_ARGUMENT
 * where the size inside is not one that this version knows. */
int anb_options_take(const StreamingLearnerType *type, const void *given, void *own, AnbError *error);
/* Whether every option is in its range; 0 or ANB_E_ARGUMENT with the param's name and range. */
int anb_params_check(const StreamingLearnerType *type, const void *options, AnbError *error);
/* Whether no list of numbers holds one twice; 0 or ANB_E_ARGUMENT with the param's name and the number. Asked of new models
 * alone: versions up to 0.11 made and saved such ones. */
int anb_params_distinct(const StreamingLearnerType *type, const void *options, AnbError *error);
/* Whether an expert has as many children as its type takes. 0, or ANB_E_ARGUMENT with the reason. */
int anb_check_children(const AnbExpert *expert, AnbError *error);
/* Sets one option from the n bytes of a value: a number, a word, true or false, or [a list]. 0 or a code with the
 * reason. */
int anb_param_parse(const StreamingLearnerType *type, const AnbParam *param, const char *text, size_t n, void *options,
                    AnbError *error);
/* Whether an option is what its table says it is unless told. A router counts as default; its node says more. */
bool anb_param_is_default(const AnbParam *param, const void *options);
/* Writes an option's value as text, at most size - 1 bytes and a terminator. Returns the bytes written. */
size_t anb_param_print(const AnbParam *param, const void *options, char *text, size_t size);

#endif
