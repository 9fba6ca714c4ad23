/*
 * Options by their tables: defaults, ranges, values from text and to text.
 */
#ifndef ANB_HOST_PARAMS_H
#define ANB_HOST_PARAMS_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

/* The param of that name, n bytes long, or NULL. */
const AnbParam *anb_params_find(const StreamingLearnerType *type, const char *name, size_t n);
/* Fills type->options_size bytes with a caller's options, completed by the defaults; NULL: the defaults. 0, or
 * ANB_E_ARGUMENT where the caller's size is not one of this version or earlier ones. */
int anb_options_take(const StreamingLearnerType *type, const void *given, void *own, AnbError *error);
/* Whether every option is in its range; 0 or ANB_E_ARGUMENT with the param's name and range. */
int anb_params_check(const StreamingLearnerType *type, const void *options, AnbError *error);
/* Whether no list of numbers holds one twice; 0 or ANB_E_ARGUMENT with the param's name and the number. Asked of new
 * models alone: versions up to 0.11 made and saved such ones. */
int anb_params_distinct(const StreamingLearnerType *type, const void *options, AnbError *error);
/* Whether an expert has as many children as its type takes. 0, or ANB_E_ARGUMENT with the reason. */
int anb_check_children(const AnbExpert *expert, AnbError *error);
/* Sets one option from the n bytes of a value: a number, a word, true or false, or [a list]. 0 or a code with the
 * reason. */
int anb_param_parse(const StreamingLearnerType *type, const AnbParam *param, const char *text, size_t n, void *options,
                    AnbError *error);
/* Whether an option has its default value. A router always counts as default: it is compared by its node. */
bool anb_param_is_default(const AnbParam *param, const void *options);
/* Writes an option's value as text, at most size - 1 bytes and a terminator. Returns the bytes written. */
size_t anb_param_print(const AnbParam *param, const void *options, char *text, size_t size);

#endif
