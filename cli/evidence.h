/* Data of a report besides the diagnostics: the distribution of the errors, missing cells, and explanations of the last
 * rows. */
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

/* `rows` of the last ones are explained at the end. 0, or BAD_DATA with the message printed. */
int evidence_start(Evidence *evidence, const StreamingLearner *model, size_t rows);
/* Adds a sample, after the diagnostics observed it; x NULL: the row is unknown. `row` is its number in the table. */
void evidence_add(Evidence *evidence, AnbDiagnostics *d, const double *x, double y, double prediction, uint64_t row);
/* Its parts under their keys, and the coverages of the intervals. */
void evidence_json(const Evidence *evidence, Json *json, const Categories *of, const char *const *names);
void evidence_end(Evidence *evidence);

#endif
