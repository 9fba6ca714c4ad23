/*
 * The options of a type. One table a type is used by creation in C, expressions, --help, snapshots and the manual.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_OPTIONS_H
#define ANABRANCH_OPTIONS_H

#include <anabranch/types.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum AnbParamKind {
    ANB_REAL,   /* double */
    ANB_COUNT,  /* int, whole and never negative */
    ANB_BOOL,   /* bool */
    ANB_WORD,   /* int: which of `words` */
    ANB_SEED,   /* uint64_t: 0 = derived from the model's seed and the node's index (fallback is exact up to 2^53) */
    ANB_LEVELS, /* AnbLevels */
    ANB_RUNS,   /* AnbRuns: text in quotes */
    ANB_ROUTER  /* AnbRouterChoice: the gate of a mixture */
} AnbParamKind;

/** A short list of numbers as an option: `coverage=[0.8, 0.9]`. */
enum { ANB_LEVELS_MAX = 8 };
typedef struct AnbLevels {
    int count;
    double value[ANB_LEVELS_MAX];
} AnbLevels;

/**
 * A run-length coded list of letters as an option: `kinds="3n c 2t x"` is nnncttx. The run `*n` fills what the other
 * runs leave of the row. Neighbouring runs of the same letter are joined.
 */
enum { ANB_RUNS_MAX = 256, ANB_RUNS_LETTERS = 1 << 20, ANB_RUNS_TEXT = 12 * ANB_RUNS_MAX };
typedef struct AnbRuns {
    int count;
    uint32_t n[ANB_RUNS_MAX]; /* length of each run; 0, in at most one of them: what the others leave of the row */
    char letter[ANB_RUNS_MAX];
} AnbRuns;

/**
 * Reads runs from text: letters, each with a number, `*` or nothing before it; blanks between them are optional.
 *
 * @param text     n bytes
 * @param letters  the letters that are allowed, ended by 0
 * @param runs     filled
 * @return         0; ANB_E_SYNTAX; ANB_E_LIMIT where there are more than ANB_RUNS_MAX runs or 2^20 letters
 */
ANB_API int anb_runs_parse(const char *text, size_t n, const char *letters, AnbRuns *runs);
/** Writes them as text in its shortest form, ended by 0; returns the bytes. out: ANB_RUNS_TEXT bytes. */
ANB_API size_t anb_runs_format(const AnbRuns *runs, char *out);
/** The length of run i for a row of n letters; of the run `*` n less the lengths of the others. */
ANB_API size_t anb_runs_length(const AnbRuns *runs, int i, size_t n);

/** A router and its options (NULL: the defaults). The plan copies the options. */
typedef struct AnbRouterChoice {
    const AnbRouterType *type;
    const void *options;
} AnbRouterChoice;

/** One option of a type. A type points to a table of these, ended by {0}. */
typedef struct AnbParam {
    const char *name;
    AnbParamKind kind;
    size_t offset;     /* in the options struct */
    double fallback;   /* the default; of a word its index */
    double min, max;   /* both allowed unless `open`; of a list every value; unused for bool, word and router */
    unsigned open;     /* ANB_OPEN_MIN | ANB_OPEN_MAX: the bound itself is refused */
    const char *words; /* of a word: "adaptive|mean|linear"; of a list its default: "0.8, 0.9"; of runs the letters
                          allowed; of a router its name */
    const char *help;  /* one phrase, no full stop */
} AnbParam;

enum { ANB_OPEN_MIN = 1, ANB_OPEN_MAX = 2 };

/* ---- defaults ---------------------------------------------------------------------------------------------------- */

/**
 * Fills an options struct with the defaults of its type's table.
 *
 * @param type     the type
 * @param options  its options struct
 * @param size     its sizeof in the caller; members beyond it are not written
 */
ANB_API void anb_options_defaults(const StreamingLearnerType *type, void *options, size_t size);

/* Defines the function that returns the defaults of a learner's options, `anb_rls_defaults()`: inline, so that it fills
 * the struct that its caller was compiled with. */
#define ANB_DEFAULTS(Options, learner)                                                                                 \
    static inline Options learner##_defaults(void)                                                                     \
    {                                                                                                                  \
        Options options;                                                                                               \
        anb_options_defaults(&learner, &options, sizeof options);                                                      \
        return options;                                                                                                \
    }
/* The same of a router: `anb_router_boa_defaults()`. */
#define ANB_ROUTER_DEFAULTS(Options, router)                                                                           \
    static inline Options router##_defaults(void)                                                                      \
    {                                                                                                                  \
        Options options;                                                                                               \
        anb_options_defaults(&router.type, &options, sizeof options);                                                  \
        return options;                                                                                                \
    }

#ifdef __cplusplus
}
#endif
#endif
