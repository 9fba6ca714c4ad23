/*
 * What all headers share: errors, counters, allocators, and the names of the opaque types.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_TYPES_H
#define ANABRANCH_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ANB_API __attribute__((visibility("default")))
#else
#define ANB_API
#endif

typedef struct StreamingLearner StreamingLearner;         /* one model: a shared plan and a block of its own */
typedef struct StreamingLearnerType StreamingLearnerType; /* a kind of learner: type.h */
typedef struct AnbRouterType AnbRouterType;               /* a kind of gate: type.h */
typedef struct AnbNode AnbNode;                           /* a learner or gate in a plan: type.h */
typedef struct AnbReader AnbReader;                       /* the scratch of one reading thread */

/* All errors that the library returns: the name of the code, the code, its general text. */
#define ANB_ERRORS(X)                                                                                                  \
    X(ANB_OK, 0, "no error")                                                                                           \
    X(ANB_E_MEMORY, -1, "out of memory")                                                                               \
    X(ANB_E_ARGUMENT, -2, "an argument is out of its range")                                                           \
    X(ANB_E_SYNTAX, -3, "the text does not follow the grammar")                                                        \
    X(ANB_E_UNKNOWN, -4, "an unknown name")                                                                            \
    X(ANB_E_LIMIT, -5, "a size is over its limit")                                                                     \
    X(ANB_E_UNSUPPORTED, -6, "this model cannot do that")                                                              \
    X(ANB_E_INPUT, -7, "the input holds what is not allowed there")                                                    \
    X(ANB_E_IO, -8, "the operating system refused to read or write")                                                   \
    X(ANB_E_FORMAT, -9, "this is not a snapshot")                                                                      \
    X(ANB_E_VERSION, -10, "made by a version that this one cannot read")                                               \
    X(ANB_E_TRUNCATED, -11, "the data end too early")                                                                  \
    X(ANB_E_TRAILING, -12, "there are data behind the end")                                                            \
    X(ANB_E_CHECKSUM, -13, "the checksum does not match")                                                              \
    X(ANB_E_STATE, -14, "the state is not one that learning can reach")

enum {
#define ANB_ERROR_CODE(name, code, text) name = code,
    ANB_ERRORS(ANB_ERROR_CODE)
#undef ANB_ERROR_CODE
};

/** Why a call failed. Filled only where the call fails; NULL may be passed in place of one everywhere. */
typedef struct AnbError {
    int code;          /* one of ANB_ERRORS */
    size_t position;   /* place in the text or file, in bytes from 0; 0 where there is no text */
    char message[240]; /* what is wrong and where: one line of UTF-8, ended by 0 */
} AnbError;

/**
 * The general meaning of an error code.
 *
 * @param code  a code of ANB_ERRORS
 * @return      a static text; "an unknown error code" for any other number
 */
ANB_API const char *anb_error_text(int code);

/** Counts of what happened to the samples of a model. They are not part of the block, so counting does not change a
 * model's state. */
typedef struct AnbCounters {
    uint64_t trained;           /* samples learned: what anb_n_samples_seen returns */
    uint64_t rejected_features; /* rows refused for an infinite cell, or a missing one where the model takes none */
    uint64_t rejected_target;   /* samples refused for a target that is not finite */
    uint64_t rejected_weight;   /* samples refused for a weight that is negative or not finite */
    uint64_t missing_cells;     /* NaN cells in the rows that were learned */
    uint64_t restarts;          /* learners that restarted because a step would have left them non-finite */
    uint64_t weight_skipped;    /* weighted samples that a learner of weight class `unit` skipped */
    uint64_t resets;            /* dead experts that their mixture reset */
    uint64_t drifts;            /* drifts that detectors marked */
    uint64_t labels_unknown;    /* delayed labels whose id was never seen */
    uint64_t labels_repeated;   /* delayed labels whose id had been learned already */
    uint64_t labels_evicted;    /* delayed labels that came after their row had left the ring */
} AnbCounters;

/** The source of a model's memory. The library allocates when a model is made, never while it predicts or learns. */
typedef struct AnbAllocator {
    void *(*alloc)(size_t size, void *context); /* size > 0; memory aligned as malloc aligns, or NULL */
    void (*free)(void *memory, void *context);  /* what alloc returned; never NULL */
    void *context;
} AnbAllocator;

/**
 * A callback that takes text or bytes that the library writes.
 *
 * @param context  the caller's
 * @param bytes    size bytes; a text is not ended by 0
 * @param size     at least 1; the callback has to take all of them
 * @return         0 to go on, or a negative code, which the writing function then returns
 */
typedef int (*AnbWrite)(void *context, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
