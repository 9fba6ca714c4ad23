/* Any bytes as a number: what the C library reads from them, bit for bit; and what is written reads back. */
#include "fuzz.h"

static void check_writing(double v)
{
    char text[ANB_NUMBER_SIZE];
    double again;
    size_t n = anb_number_format(v, text);
    FUZZ_ASSERT(n < sizeof text && text[n] == 0, "%zu bytes", n);
    FUZZ_ASSERT(!fuzz_finite(v) || (anb_number_parse_all(text, n, &again) == 0 && memcmp(&v, &again, sizeof v) == 0),
                "%s is not %.17g", text, v);
}

static void check_reading(const char *text, size_t size)
{
    double v, wanted;
    int n = anb_number_parse(text, size, &v);
    if (n < 0)
        return;
    char *copy = calloc(1, (size_t)n + 1), *end;
    FUZZ_ASSERT(n > 0 && (size_t)n <= size, "%d of %zu", n, size);
    memcpy(copy, text, (size_t)n);
    wanted = strtod(copy, &end);
    FUZZ_ASSERT(end == copy + n && memcmp(&v, &wanted, sizeof v) == 0, "%s: %.17g, not %.17g", copy, v, wanted);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double v;
    check_reading((const char *)data, size);
    if (size >= sizeof v) {
        memcpy(&v, data, sizeof v);
        check_writing(v);
    }
    return 0;
}
