/*
 * Numbered samples, which are learned once however often they are sent: each source numbers its samples, and the model
 * stores the position of each source.
 *
 *     int source = anb_source_add(model, "partition-3", 11, &error);
 *     uint64_t offset = 1000;
 *     double before;
 *     if (anb_train_seq(model, source, offset, x, y, 1, &before) == ANB_SEQ_REPEATED)
 *         puts("learned before: the state has not changed");
 *
 * The positions are part of the model, beside its counters: they are cloned, saved and compared by anb_equal, and
 * deleted by anb_reset. So a sender may send a sample again if it is unsure whether it arrived, and a log may be
 * replayed from any place at or before the position in a snapshot.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SEQUENCE_H
#define ANABRANCH_SEQUENCE_H

#include <anabranch/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest number of sources of a model, and the bytes of a name with its final 0. */
enum { ANB_SOURCES_MAX = 64, ANB_SOURCE_SIZE = 56 };

/** One source of samples and its position. */
typedef struct AnbSource {
    char name[ANB_SOURCE_SIZE]; /* 1 to 55 bytes, a 0 behind them */
    uint64_t next;              /* the smallest number that is still learned; 0: nothing was learned yet */
} AnbSource;

/**
 * Finds a source, or adds it with nothing learned yet.
 *
 * @param model  the model
 * @param name   n bytes without a 0
 * @param n      1 to 55
 * @param error  why it was refused, or NULL: ANB_E_ARGUMENT for the name, ANB_E_LIMIT for a 65th source or where the
 *               model would be over its max_bytes, ANB_E_MEMORY
 * @return       its index, valid until anb_reset, or a negative code
 *
 * Cost: about 10 ns for an existing source. For a new one, where the table is full, an allocation and a copy: the table
 * has room for 1, 2, 4 .. 64 sources of 66 bytes each.
 */
ANB_API int anb_source_add(StreamingLearner *model, const char *name, size_t n, AnbError *error);

/** The index of a source, or ANB_E_UNKNOWN. */
ANB_API int anb_source_find(const StreamingLearner *model, const char *name, size_t n);

/**
 * The sources in the order in which they were added.
 *
 * @param model    the model
 * @param sources  set to the first of them, owned by the model until a source is added; or NULL: only the count
 * @return         how many
 */
ANB_API size_t anb_sources(const StreamingLearner *model, const AnbSource **sources);

/**
 * Moves a source's position, for samples that are learned by other functions, such as labels or batches: call it first,
 * and learn where it returns true.
 *
 * @param source  an index
 * @param n       the sample's number, below 2^64 - 1
 * @return        whether n is larger than all numbers before; if not, or where the index or n is invalid, nothing
 *                changes
 */
ANB_API bool anb_source_take(StreamingLearner *model, int source, uint64_t n);

/** The result for a numbered sample; negative results are codes of ANB_ERRORS. */
enum { ANB_SEQ_REPEATED = 0, ANB_SEQ_LEARNED = 1 };

/**
 * Learns a sample, unless this number or a larger one of its source was learned before.
 *
 * @param model   the model
 * @param source  index of the source
 * @param n       the sample's number, below 2^64 - 1; numbers may be skipped
 * @param x       as anb_train_one
 * @param y       as anb_train_one
 * @param weight  as anb_train_one; a weight of 0 moves the position and changes nothing else
 * @param before  the prediction made before learning, ANB_NAN where nothing was learned; or NULL
 * @return        ANB_SEQ_LEARNED or ANB_SEQ_REPEATED; ANB_E_INPUT where anb_train_one rejects the sample: the position
 *                does not move; ANB_E_ARGUMENT for an invalid index or n
 *
 * Cost: anb_train_one and a comparison. Never allocates.
 */
ANB_API int anb_train_seq(StreamingLearner *model, int source, uint64_t n, const double *x, double y, double weight,
                          double *before);

#ifdef __cplusplus
}
#endif
#endif
