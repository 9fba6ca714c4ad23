/* Any bytes as a CSV file: refused with a complaint, or rows of numbers, each finite, missing or infinite. */
#include "../cli/cli.h"
#include "../cli/rows.h"
#include "fuzz.h"
#include <unistd.h>

int complain(int status, const char *format, ...)
{
    (void)format;
    return status;
}

static void read_rows(Rows *rows)
{
    double *x = malloc((rows->n_features + 1) * sizeof *x), y;
    uint64_t before = 0;
    int status;
    while ((status = rows_next(rows, x, &y)) == 0) {
        FUZZ_ASSERT(rows->read == before + 1, "row %llu", (unsigned long long)rows->read);
        FUZZ_ASSERT(rows->csv.cells == rows->columns, "%zu cells", rows->csv.cells);
        before = rows->read;
    }
    FUZZ_ASSERT(status == -1 || status == BAD_DATA, "status %d", status);
    free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const RowsOptions options[] = {{0}, {.no_target = true}, {.target = "y"}, {.drop = "a,b"}};
    char path[64];
    Rows rows;
    FILE *file = tmpfile();
    if (size < 1 || !file)
        return 0;
    FUZZ_ASSERT(fwrite(data + 1, 1, size - 1, file) == size - 1 && fflush(file) == 0, "tmpfile");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    if (rows_open(&rows, path, &options[data[0] % 4]) == 0)
        read_rows(&rows);
    rows_close(&rows);
    fclose(file);
    return 0;
}
