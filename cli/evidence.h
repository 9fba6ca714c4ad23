/* What a report tells of a run besides the diagnostics: how the errors are distributed, where cells were missing, and why
 * the last rows were predicted as they were. */
#ifndef ANB_CLI_EVIDENCE_H
#define ANB_CLI_EVIDENCE_H

#include "last_rows.h"
#include "missing.h"
#include "residuals.h"

typedef struct Evidence {
    size_t level; /* which of the model's intervals is shown: the one nearest 0.9 */
    Residuals residuals;
    Missing missing;
    LastRows last;
} Evidence;

/* `rows` of the last ones are explained at the end. 0, or BAD_DATA with the complaint made. */
int evidence_start(Evidence *evidence, const StreamingLearner *model, size_t rows);
/* After the diagnostics were told; x NULL: the row is not known. `row` is its number in the table. */
void evidence_add(Evidence *evidence, AnbDiagnostics *d, const double *x, double y, double prediction, uint64_t row);
/* Its parts under their keys, and the coverages of the intervals. */
void evidence_json(const Evidence *evidence, Json *json, const Categories *of, const char *const *names);
void evidence_end(Evidence *evidence);

#endif
