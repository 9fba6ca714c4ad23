/* Any text as a number: the double and the length that strtod gives; any double written and read back. */
#include "fuzz.h"

static bool starts_a_number(const char *text)
{
    text += *text == '-' || *text == '+';
    text += *text == '.';
    return *text >= '0' && *text <= '9';
}

static bool is_hexadecimal(const char *text)
{
    text += *text == '-' || *text == '+';
    return text[0] == '0' && (text[1] | 32) == 'x';
}

static void check_writing(double v)
{
    char text[ANB_NUMBER_SIZE];
    double again;
    size_t n = anb_number_format(v, text);
    FUZZ_ASSERT(n < sizeof text && text[n] == 0, "%zu bytes", n);
    FUZZ_ASSERT(!fuzz_finite(v) || (anb_number_parse_all(text, n, &again) == 0 && memcmp(&v, &again, sizeof v) == 0),
                "%s is not %.17g", text, v);
}

static void check_reading(const char *given, size_t size)
{
    double v = 0;
    char *text = calloc(1, size + 1), *end;
    memcpy(text, given, size);
    int used = anb_number_parse(given, size, &v);
    FUZZ_ASSERT((used > 0) == starts_a_number(text), "%s: %d", text, used);
    if (used > 0 && !is_hexadecimal(text)) {
        double wanted = strtod(text, &end);
        FUZZ_ASSERT(end - text == used, "%s: %d bytes of %d", text, used, (int)(end - text));
        FUZZ_ASSERT(memcmp(&wanted, &v, sizeof v) == 0, "%s: %a, not %a", text, v, wanted);
        check_writing(v);
    }
    free(text);
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
